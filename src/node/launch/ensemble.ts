/** `codistill ensemble`: one served model whose prediction is the mean of the predictions of several. */
import { existsSync } from "node:fs";
import { extname } from "node:path";
import { CheckpointError, ConfigError } from "../../errors.js";
import { configOfKind } from "../../run/kinds/kinds.js";
import { type BestParams, readOwnBest } from "../../run/score.js";
import type { Errors } from "../../train/intervals.js";
import { type ModelFile, modelFile, readModelFile } from "../ort/model-file.js";
import { loadConfig } from "../runs/load-config.js";
import { readRunFile } from "../runs/run-file.js";
import { existingRun, type RunFolder } from "../runs/run-folder.js";
import { directoryStore } from "../stores/directory-store.js";
import { ensembleFile } from "../table/ensemble-model.js";
import { describedModel } from "../table/served-model.js";
import { tableMetadata } from "../table/table-reader.js";
import { errorsOfMean, exportedGroup, openTrainedTable, type TrainedTable } from "../table/trained-table.js";
import {
  checkOut,
  checkSources,
  type EnsembleMemberInfo,
  type EnsembleOptions,
  type EnsembleResult,
  finishedGroups,
  isFile,
  writeEnsemble,
} from "./ensemble-files.js";
import { modelMetadata } from "./finish.js";
import type { RunData } from "./prepare.js";
import { isOfText, textEnsemble } from "./text-ensemble.js";

/** A member whose model is in memory. */
interface Member {
  readonly info: EnsembleMemberInfo;
  readonly file: ModelFile;
  /** Of a group of a run: the run, and the params. */
  readonly trained?: { readonly run: TrainedTable; readonly best: BestParams };
}

/**
 * Write the model whose prediction is the mean of the predictions of several models: of probabilities, each at its own
 * temperature, or of numbers in the unit of the label. It is a model.onnx as that of a run: of tables with each column that one of
 * them reads as an input once, of text with the state of each. A tokenizer.json is put beside the file where text needs one.
 *
 * @param sources - folders of finished runs on tables, or on text by one tokenizer, of which the best params of each group are taken,
 *   and files `model.onnx`, which count once each; two models or more in all
 * @throws ConfigError for runs that have not finished or are of images, models of different labels, classes or tokenizers, a model
 *   that is there twice, columns that they read in different ways, a group that is not there, and an existing file
 * @throws CheckpointError for a file that is damaged, or no model of codistill
 * @throws DataError when the data of a run is gone from the cache and has changed
 * @example
 * import { ensemble } from "codistill/node";
 * const { members, inputs } = await ensemble(["model.onnx", "newer.onnx"], { out: "both.onnx", cacheFolder: ".cache" });
 * console.log(members.length, inputs);
 */
export async function ensemble(sources: readonly string[], options: EnsembleOptions): Promise<EnsembleResult> {
  const started = performance.now();
  const { out, groups, force = false, cacheFolder, signal } = options;
  checkOut(out, sources, force);
  checkSources(sources, groups);
  if (await isOfText(sources[0] ?? "")) {
    const made = await textEnsemble(sources, options);
    return { out, ...made, task: "language", classes: null, seconds: (performance.now() - started) / 1000, notes: [] };
  }
  const members: Member[] = [];
  for (const source of sources) members.push(...(await membersOf(source, options)));
  if (members.length < 2) {
    throw new ConfigError(
      `ensemble: the mean is of two models or more, and ${sources.join(", ")} has one. Give more runs, or more of its groups.`,
    );
  }
  const described = await Promise.all(members.map(async ({ file }) => ({ file, model: await describedModel(file) })));
  const { bytes, model, notes } = await ensembleFile(described, {
    errors: described[0]?.model.task.errorScale ? await commonErrors(members, signal) : null,
    about: members.map(({ info: { group, step }, file: { metadata } }) => ({
      name: metadata.name ?? "",
      ...(group !== null && { group }),
      ...(step !== null && { step }),
      ...(metadata.temperature !== undefined && { temperature: metadata.temperature }),
    })),
    cacheFolder,
    signal,
  });
  writeEnsemble(out, bytes, force);
  return {
    out,
    bytes: bytes.length,
    task: model.task.kind,
    classes: model.classes,
    members: members.map(({ info }) => info),
    inputs: model.inputs.map(({ name }) => name),
    seconds: (performance.now() - started) / 1000,
    notes,
  };
}

async function membersOf(source: string, options: EnsembleOptions): Promise<Member[]> {
  const isModel = isFile(source) || (!existsSync(source) && extname(source).toLowerCase() === ".onnx");
  if (!isModel) return groupsOf(existingRun(source), source, options);
  const file = readModelFile(source);
  const step = Number(file.metadata.step ?? Number.NaN);
  return [{ file, info: { source, group: null, step: Number.isSafeInteger(step) ? step : null } }];
}

/** The groups of a run that are asked for, each as it would be shipped. */
async function groupsOf(folder: RunFolder, source: string, options: EnsembleOptions): Promise<Member[]> {
  const config = configOfKind(await loadConfig(folder.config), "table", "an ensemble of tables", source);
  const groups = finishedGroups(folder, source, options.groups);
  const run = await openTrainedTable(config, trainedOn(folder), options);
  const members: Member[] = [];
  for (const group of groups) {
    options.signal?.throwIfAborted();
    const best = await readOwnBest(directoryStore(folder.group(group).path), group, () => {});
    if (!best) throw new CheckpointError(`ensemble: the best params of group ${group} of ${source} are gone`);
    const path = `group ${group} of ${source}`;
    const metadata = modelMetadata(config, best, { metadata: tableMetadata(config, run.table) });
    const file = modelFile(path, exportedGroup(run, best, `the best params of ${path}`, metadata));
    members.push({ file, info: { source, group, step: best.step }, trained: { run, best } });
  }
  return members;
}

function trainedOn(folder: RunFolder): RunData {
  const { cache, digest } = (readRunFile(folder.data) ?? {}) as Partial<RunData>;
  if (typeof cache === "string" && typeof digest === "string") return { cache, digest };
  throw new CheckpointError(`${folder.data} is damaged: it must name a cache and its digest. Put it back as it was.`);
}

/** The errors of the mean of members that have the same validation rows; null where they have not. */
async function commonErrors(members: readonly Member[], signal: AbortSignal | undefined): Promise<Errors | null> {
  const trained = members.flatMap((member) => member.trained ?? []);
  const digests = new Set(trained.map(({ run }) => run.table.digest));
  return trained.length === members.length && digests.size === 1 ? errorsOfMean(trained, signal) : null;
}
