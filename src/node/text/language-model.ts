/** Opens an exported language model, which ONNX Runtime alone computes, as in any other program. */
import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { CheckpointError, ConfigError } from "../../errors.js";
import { exportText, textNames } from "../../run/export-text.js";
import { configOfKind } from "../../run/kinds/kinds.js";
import { TOKENIZER_FILE } from "../../run/kinds/text.js";
import { readBest } from "../../run/score.js";
import { textNetwork } from "../../run/text-network.js";
import { sizeOf } from "../../runtime/array.js";
import { type Closable, closable } from "../../runtime/closable.js";
import { mapValues } from "../../runtime/named.js";
import { readRegular } from "../files/plain-files.js";
import { Tensor } from "../ort/library.js";
import {
  checkModelFile,
  checkNames,
  jsonText,
  MODEL_FORMAT,
  type ModelFile,
  modelFile,
  openSession,
} from "../ort/model-file.js";
import { loadConfig } from "../runs/load-config.js";
import { checkOwnFiles } from "../runs/own-files.js";
import { existingRun, runFolder } from "../runs/run-folder.js";
import { directoryStore } from "../stores/directory-store.js";
import { manyNames, manyTokens } from "./many-tokens.js";
import { tokenizerOf } from "./prepare-text.js";
import { byteTokenizer, openTokenizer, type Tokenizer } from "./tokenizer.js";

/** The state of texts that are read side by side, by its names. */
export type TextState = Readonly<Record<string, Float32Array>>;

export interface LanguageModel extends Closable {
  readonly tokenizer: Tokenizer;
  /** The state where texts begin, one by default. */
  begin(numTexts?: number): TextState;
  /**
   * Read a token of each text; returns the log probabilities of the next tokens [texts, vocabulary], and the new state.
   */
  read(tokens: Int32Array, state: TextState): Promise<{ readonly logProbs: Float32Array; readonly state: TextState }>;
  /**
   * Read `sequenceLength` tokens of each text, `ids` [sequenceLength, texts], and score the tokens that follow each,
   * `labels` of the same shape: returns the log probabilities of the labels and the most probable tokens, both
   * [sequenceLength, texts], and the new state. Equal to reading one token at a time.
   */
  score(ids: Int32Array, labels: Int32Array, sequenceLength: number, state: TextState): Promise<ReadTokens>;
}

export interface ReadTokens {
  readonly logProbs: Float32Array;
  readonly best: BigInt64Array;
  readonly state: TextState;
}

const metadataSchema = z.object({
  format: z.literal(MODEL_FORMAT),
  task: z.literal("language"),
  tokenizer: z.enum(["bytes", TOKENIZER_FILE]),
  /** Absent in models of earlier versions, and of bytes. */
  tokenizerSha256: z.string().optional(),
  /** The id of the end-of-text token; absent when there is none. */
  endOfText: z.string().regex(/^\d+$/).optional(),
  state: jsonText.pipe(z.record(z.string(), z.array(z.int().positive()).min(1))),
});

/**
 * Open the language model of a `model.onnx`, of a run folder, or the best params so far of a group of a run.
 *
 * Throws {@link ConfigError} when there is none, and {@link CheckpointError} when it is not a language model of
 * codistill.
 */
export async function openLanguageModel(path: string, group?: number): Promise<LanguageModel> {
  if (!existsSync(path))
    throw new ConfigError(`language model: there is no ${path}. Give the model.onnx of a run, or its folder.`);
  const isRun = statSync(path).isDirectory();
  if (group !== undefined && !isRun)
    throw new ConfigError(`language model: --group is of a run folder, and ${path} is a file`);
  if (!isRun) return opened(modelFile(path, readRegular(path)), (metadata) => tokenizerFrom(metadata, dirname(path)));
  const { model } = runFolder(path);
  if (group === undefined && existsSync(model.onnx)) {
    return opened(modelFile(model.onnx, readRegular(model.onnx)), (metadata) => tokenizerFrom(metadata, path));
  }
  return ofGroup(path, group ?? 0);
}

/** The model of a group's best params so far, exported in memory. */
async function ofGroup(path: string, group: number): Promise<LanguageModel> {
  const folder = existingRun(path);
  const config = configOfKind(await loadConfig(folder.config), "text", "a language model", path);
  await checkOwnFiles(config, folder);
  const best = await readBest(directoryStore(folder.group(group).path));
  if (!best)
    throw new ConfigError(
      `language model: group ${group} of ${path} has nothing yet; its first validation comes first`,
    );
  const tokenizer = tokenizerOf(config.data);
  const metadata = {
    format: "codistill.model",
    task: "language",
    tokenizer: config.data.tokenizer === "bytes" ? "bytes" : TOKENIZER_FILE,
  };
  const bytes = exportText(textNetwork(config, tokenizer.size).reader, best.params, metadata);
  return opened(modelFile(path, bytes), () => tokenizer);
}

/** What an exported language model says of itself. */
export type LanguageMetadata = z.output<typeof metadataSchema>;

/** The tokenizer that lies beside a model. Throws {@link CheckpointError} for another one than it was trained with. */
export function tokenizerFrom(
  { tokenizer: name, tokenizerSha256: own, endOfText }: LanguageMetadata,
  folder: string,
): Tokenizer {
  if (name === "bytes") return byteTokenizer();
  const path = join(folder, name);
  const tokenizer = openTokenizer(path, { endOfText: endOfText === undefined ? null : Number(endOfText) });
  if (own === undefined || own === tokenizer.digest) return tokenizer;
  throw new CheckpointError(
    `language model: a model reads text by the tokenizer that it was trained with (SHA-256 ${own.slice(0, 8)}), and ${path} is another one (${tokenizer.digest.slice(0, 8)}). Put the tokenizer.json of its run beside it.`,
  );
}

async function opened(file: ModelFile, tokenizerOf: (metadata: LanguageMetadata) => Tokenizer): Promise<LanguageModel> {
  const metadata = await languageMetadata(file);
  const { state: shapes } = metadata;
  const partsAs = (when: string) => Object.keys(shapes).map((part) => `${when}.${part}`);
  checkNames(file, {
    inputs: [textNames.ids, ...partsAs(textNames.before)],
    outputs: [textNames.logProbs, ...partsAs(textNames.after)],
  });
  const tokenizer = tokenizerOf(metadata);
  // Each session holds the weights; sampling needs only the first, evaluation only the second.
  const reading = once(() => openSession(file));
  const scoring = once(() => openSession(file, {}, (model) => manyTokens(model, Object.keys(shapes))));
  const { before, after, ids, logProbs } = textNames;
  const model: Omit<LanguageModel, keyof Closable> = {
    tokenizer,
    begin: (numTexts = 1) => mapValues(shapes, (shape) => new Float32Array(numTexts * sizeOf(shape))),
    async read(tokens, state) {
      const parts = Object.entries(state).map(([part, values]) => [
        `${before}.${part}`,
        new Tensor(values, [tokens.length, ...(shapes[part] ?? [])]),
      ]);
      const session = await reading.value();
      const outputs = await session.run({ [ids]: new Tensor(tokens, [tokens.length]), ...Object.fromEntries(parts) });
      const valuesOf = (output: string) => outputs[output]?.data as Float32Array;
      return {
        logProbs: valuesOf(logProbs),
        state: Object.fromEntries(Object.keys(shapes).map((part) => [part, valuesOf(`${after}.${part}`)])),
      };
    },
    async score(tokens, labels, sequenceLength, state) {
      const session = await scoring.value();
      const shape = [sequenceLength, tokens.length / sequenceLength];
      const parts = Object.entries(state).map(([part, values]) => [
        `${manyNames.first}.${part}`,
        new Tensor(values, [tokens.length / sequenceLength, ...(shapes[part] ?? [])]),
      ]);
      const outputs = await session.run({
        [manyNames.ids]: new Tensor(tokens, shape),
        [manyNames.labels]: new Tensor(labels, shape),
        ...Object.fromEntries(parts),
      });
      const dataOf = (output: string) => outputs[output]?.data;
      return {
        logProbs: dataOf(manyNames.logProbs) as Float32Array,
        best: dataOf(manyNames.best) as BigInt64Array,
        state: mapValues(shapes, (_, part) => dataOf(`${manyNames.last}.${part}`) as Float32Array),
      };
    },
  };
  return closable(model, async () => {
    for (const { made } of [reading, scoring]) await (await made())?.release();
  });
}

/** A value that is made when it is first asked for. */
function once<T>(make: () => Promise<T>): { value(): Promise<T>; made(): Promise<T> | undefined } {
  let value: Promise<T> | undefined;
  return { value: () => (value ??= make()), made: () => value };
}

/** Whether a path is the file of a language model, or a run folder of any kind; false for other paths. */
export function isLanguageModel(path: string): boolean {
  if (!existsSync(path)) return false;
  if (statSync(path).isDirectory()) return existsSync(runFolder(path).config);
  try {
    return modelFile(path, readRegular(path)).metadata.task === "language";
  } catch {
    return false;
  }
}

/** The metadata of a language model's file. Throws {@link CheckpointError} for a damaged file, and for another kind of model. */
export async function languageMetadata(file: ModelFile): Promise<LanguageMetadata> {
  await checkModelFile(file);
  const parsed = metadataSchema.safeParse(file.metadata);
  if (parsed.success) return parsed.data;
  throw new CheckpointError(`${file.path} is not a language model of codistill. Give the model.onnx of a run on text.`);
}
