/** Ensembles of language models: one served model whose probabilities are the mean of those of several. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import { joined } from "../../checkpoint/bytes.js";
import { sha256 } from "../../checkpoint/digest.js";
import { NO_SEAL, SEAL, seal } from "../../checkpoint/seal.js";
import { CheckpointError, ConfigError } from "../../errors.js";
import { encodeModel } from "../../graph/onnx-proto.js";
import { checkFit } from "../../nn/fit.js";
import { weightSpecs } from "../../nn/model.js";
import { shortened } from "../../report/format.js";
import { exportText, textNames } from "../../run/export-text.js";
import { configOfKind, kindNameOf } from "../../run/kinds/kinds.js";
import { TOKENIZER_FILE } from "../../run/kinds/text.js";
import { readOwnBest } from "../../run/score.js";
import { textEnsembleModel } from "../../run/text-ensemble.js";
import { textNetwork } from "../../run/text-network.js";
import {
  checkGraph,
  MODEL_FORMAT,
  MODEL_VERSION,
  type ModelFile,
  modelFile,
  openSession,
  readModelFile,
} from "../ort/model-file.js";
import { loadConfig } from "../runs/load-config.js";
import { checkOwnFiles } from "../runs/own-files.js";
import { existingRun } from "../runs/run-folder.js";
import { directoryStore } from "../stores/directory-store.js";
import { type LanguageMetadata, languageMetadata, tokenizerFrom } from "../text/language-model.js";
import { tokenizerOf } from "../text/prepare-text.js";
import { textMetadata } from "../text/text-metadata.js";
import {
  type EnsembleMemberInfo,
  type EnsembleOptions,
  type EnsembleResult,
  finishedGroups,
  isFile,
  writeEnsemble,
} from "./ensemble-files.js";
import { modelMetadata } from "./finish.js";

interface Member {
  readonly info: EnsembleMemberInfo;
  readonly file: ModelFile;
  readonly metadata: LanguageMetadata;
  /** The tokenizer.json that it reads text by; null of bytes. */
  readonly tokenizer: Uint8Array | null;
}

/** Whether the source of an ensemble is a run on text, or the model of one. */
export async function isOfText(source: string): Promise<boolean> {
  if (isFile(source)) return readModelFile(source).metadata.task === "language";
  if (extname(source).toLowerCase() === ".onnx" && !existsSync(source)) return false;
  return kindNameOf(await loadConfig(existingRun(source).config)) === "text";
}

/**
 * Write the ensemble of language models, and beside it their tokenizer.json.
 *
 * Throws {@link ConfigError} for runs that have not finished or are of another kind of data, for fewer than two models, other tokenizers,
 * a model that is there twice, and another tokenizer.json in the folder of the file; {@link CheckpointError} for a damaged file.
 */
export async function textEnsemble(
  sources: readonly string[],
  { out, groups, force = false, signal }: EnsembleOptions,
): Promise<Pick<EnsembleResult, "bytes" | "members" | "inputs">> {
  const members: Member[] = [];
  for (const source of sources) {
    signal?.throwIfAborted();
    members.push(...(isFile(source) ? [await ofFile(source)] : await groupsOf(source, groups)));
  }
  const [first, ...others] = members;
  if (!first || others.length === 0) {
    throw new ConfigError(
      `ensemble: the mean is of two models or more, and ${sources.join(", ")} has one. Give more runs, or more of its groups.`,
    );
  }
  await checkTogether(first, members);
  const { tokenizer, tokenizerSha256, endOfText } = first.metadata;
  const proto = await textEnsembleModel(
    members.map(({ file: { path, model }, metadata: { state } }) => ({ path, model, state })),
    {
      ...{ format: MODEL_FORMAT, version: String(MODEL_VERSION) },
      name: shortened([...new Set(members.map(({ file }) => file.metadata.name ?? ""))].join(" + "), 200),
      members: JSON.stringify(members.map(about)),
      task: "language",
      vocabularySize: String(vocabularyOf(first)),
      ...(endOfText !== undefined && { endOfText }),
      tokenizer,
      ...(tokenizerSha256 !== undefined && { tokenizerSha256 }),
      [SEAL]: NO_SEAL,
    },
  );
  const bytes = joined(await seal(encodeModel(proto), "onnx"));
  // What does not run is not written.
  await (await openSession(modelFile("the ensemble", bytes), { intraOpNumThreads: 1 })).release();
  signal?.throwIfAborted();
  if (first.tokenizer) writeTokenizer(join(dirname(out), TOKENIZER_FILE), first.tokenizer);
  writeEnsemble(out, bytes, force);
  return {
    bytes: bytes.length,
    members: members.map(({ info }) => info),
    inputs: proto.graph.input.map(({ name }) => name),
  };
}

function about({ info: { group, step }, file: { metadata } }: Member) {
  return { name: metadata.name ?? "", ...(group !== null && { group }), ...(step !== null && { step }) };
}

async function ofFile(source: string): Promise<Member> {
  const file = readModelFile(source);
  checkGraph(file);
  const metadata = await languageMetadata(file);
  const folder = dirname(source);
  tokenizerFrom(metadata, folder);
  const step = Number(file.metadata.step ?? Number.NaN);
  return {
    file,
    metadata,
    tokenizer: metadata.tokenizer === "bytes" ? null : readFileSync(join(folder, metadata.tokenizer)),
    info: { source, group: null, step: Number.isSafeInteger(step) ? step : null },
  };
}

/** The groups of a run that are asked for, each as it would be shipped. */
async function groupsOf(source: string, asked: readonly number[] | undefined): Promise<Member[]> {
  const folder = existingRun(source);
  const config = configOfKind(await loadConfig(folder.config), "text", "an ensemble of text", source);
  const groups = finishedGroups(folder, source, asked);
  await checkOwnFiles(config, folder);
  const tokenizer = tokenizerOf(config.data);
  const { model, reader } = textNetwork(config, tokenizer.size);
  return Promise.all(
    groups.map(async (group) => {
      const best = await readOwnBest(directoryStore(folder.group(group).path), group, () => {});
      if (!best) throw new CheckpointError(`ensemble: the best params of group ${group} of ${source} are gone`);
      const path = `group ${group} of ${source}`;
      checkFit(`the best params of ${path}`, best.params, weightSpecs(model));
      const metadata = modelMetadata(config, best, { metadata: textMetadata(config, tokenizer) });
      const file = modelFile(path, exportText(reader, best.params, metadata));
      return {
        file,
        metadata: await languageMetadata(file),
        tokenizer: config.data.tokenizer === "bytes" ? null : readFileSync(config.data.tokenizer),
        info: { source, group, step: best.step },
      };
    }),
  );
}

/** Throws {@link ConfigError} unless models predict the same tokens, and each is another one. */
async function checkTogether(first: Member, members: readonly Member[]): Promise<void> {
  const known = new Map<string, string>();
  for (const member of members) {
    const { path, model } = member.file;
    const [own, theirs] = [first, member].map(tokensOf) as [string, string];
    if (own !== theirs) {
      throw new ConfigError(
        `ensemble: the mean is of probabilities of the same tokens, and ${first.file.path} has ${own}, ${path} ${theirs}. Give models of one tokenizer.`,
      );
    }
    const digest = await sha256(encodeModel({ ...model, metadataProps: [] }));
    const same = known.get(digest);
    if (same !== undefined) {
      throw new ConfigError(
        `ensemble: each model counts once, and ${path} is the same model as ${same}, with the same params. Leave one of them out.`,
      );
    }
    known.set(digest, path);
  }
}

/** The tokens of a model in words, the same for the same tokens. */
function tokensOf(member: Member): string {
  const { tokenizer, tokenizerSha256, endOfText } = member.metadata;
  const whose = tokenizerSha256 === undefined ? tokenizer : `a tokenizer of SHA-256 ${tokenizerSha256.slice(0, 8)}`;
  return `${vocabularyOf(member)} tokens of ${whose}, ending by ${endOfText ?? "none"}`;
}

function vocabularyOf({ file: { model } }: Member): number {
  const dim = model.graph.output.find(({ name }) => name === textNames.logProbs)?.type.tensorType.shape.dim[1];
  return dim && "dimValue" in dim ? dim.dimValue : 0;
}

/** Throws {@link ConfigError} where another tokenizer is there. */
function writeTokenizer(path: string, bytes: Uint8Array): void {
  if (!existsSync(path)) writeEnsemble(path, bytes, false);
  else if (Buffer.compare(readFileSync(path), bytes) !== 0)
    throw new ConfigError(
      `ensemble: a model of text has its ${TOKENIZER_FILE} beside it, and ${path} is another one. Name a file in another folder with --out.`,
    );
}
