/** `codistill ensemble`: one served model whose prediction is the mean of the predictions of several. */
import { randomBytes } from "node:crypto";
import { existsSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import { CheckpointError, ConfigError, messageOf } from "../../errors.js";
import type { TaskKind } from "../../log/events.js";
import { configOfKind } from "../../run/kinds/kinds.js";
import { type BestParams, readOwnBest } from "../../run/score.js";
import type { Errors } from "../../train/intervals.js";
import { type ModelFile, modelFile, readModelFile } from "../ort/model-file.js";
import { summarizeRun } from "../runs/list-runs.js";
import { loadConfig } from "../runs/load-config.js";
import { readRunFile } from "../runs/run-file.js";
import { existingRun, type RunFolder } from "../runs/run-folder.js";
import { directoryStore } from "../stores/directory-store.js";
import { ensembleFile } from "../table/ensemble-model.js";
import { describedModel } from "../table/served-model.js";
import { tableMetadata } from "../table/table-reader.js";
import { errorsOfMean, exportedGroup, openTrainedTable, type TrainedTable } from "../table/trained-table.js";
import { modelMetadata } from "./finish.js";
import type { RunData } from "./prepare.js";

export interface EnsembleOptions {
  /** The file of the ensemble, which must end in .onnx. */
  readonly out: string;
  /** The groups of the run, where one run is given; all of each by default. */
  readonly groups?: readonly number[] | undefined;
  /** Whether a file that is there already is replaced; false by default. */
  readonly force?: boolean | undefined;
  /** Where prepared data is kept between runs. */
  readonly cacheFolder: string;
  readonly signal?: AbortSignal | undefined;
}

/** A model of an ensemble. */
export interface EnsembleMemberInfo {
  /** The run folder, or the model.onnx, as it was given. */
  readonly source: string;
  /** The group of the run; null for a model.onnx. */
  readonly group: number | null;
  /** The step of its params; null where the model does not say it. */
  readonly step: number | null;
}

export interface EnsembleResult {
  readonly out: string;
  readonly bytes: number;
  readonly task: TaskKind;
  /** The names of the classes by index; null where the label is a number. */
  readonly classes: readonly string[] | null;
  readonly members: readonly EnsembleMemberInfo[];
  /** The names of its inputs. */
  readonly inputs: readonly string[];
  readonly seconds: number;
  /** Notes on what the members do not have in common. */
  readonly notes: readonly string[];
}

/** A member whose model is in memory. */
interface Member {
  readonly info: EnsembleMemberInfo;
  readonly file: ModelFile;
  /** Of a group of a run: the run, and the params. */
  readonly trained?: { readonly run: TrainedTable; readonly best: BestParams };
}

/**
 * Write the model whose prediction is the mean of the predictions of several models: of probabilities, each at its own
 * temperature, or of numbers in the unit of the label. It is a model.onnx as that of a run, with each column that one of
 * them reads as an input once.
 *
 * @param sources - folders of finished runs on tables, of which the best params of each group are taken, and files
 *   `model.onnx`, which count once each; two models or more in all
 * @throws ConfigError for runs that have not finished or are of text, models of different labels or classes, a model that
 *   is there twice, columns that they read in different ways, a group that is not there, and an existing file
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
  write(out, bytes, force);
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

/** Throws {@link ConfigError} unless a file may be written here. */
function checkOut(out: string, sources: readonly string[], force: boolean): void {
  if (extname(out).toLowerCase() !== ".onnx") throw new ConfigError(`ensemble: --out must end in .onnx, got ${out}`);
  const stats = statSync(out, { throwIfNoEntry: false });
  if (stats === undefined) return;
  if (!stats.isFile()) throw new ConfigError(`ensemble: --out must be a file, and ${out} is none. Name another one.`);
  if (sources.some((source) => existsSync(source) && realpathSync(source) === realpathSync(out)))
    throw new ConfigError(`ensemble: --out must be another file than the models of the ensemble, got ${out}`);
  if (!force) throw isThere(out);
}

function isThere(out: string): ConfigError {
  return new ConfigError(
    `ensemble: ${out} is there already. Replace it with --force, or name another file with --out.`,
  );
}

/** Throws {@link ConfigError} for a source or a group that is given twice, and for groups of several runs. */
function checkSources(sources: readonly string[], groups: readonly number[] | undefined): void {
  if (sources.length === 0) throw new ConfigError("ensemble: some runs must be given, got none");
  const places = sources.map((source) => (existsSync(source) ? realpathSync(source) : source));
  const twice = sources.find((_, i) => places.indexOf(places[i] as string) !== i);
  if (twice !== undefined)
    throw new ConfigError(`ensemble: each model counts once, and ${twice} is given twice. Leave it out once.`);
  if (groups === undefined) return;
  const [source = ""] = sources;
  if (sources.length > 1 || isFile(source)) {
    throw new ConfigError(
      `ensemble: --groups chooses groups of one run, and ${sources.length > 1 ? `${sources.length} sources are given` : `${source} is a file`}. Leave it out, or give one run folder.`,
    );
  }
  const again = groups.find((group, i) => groups.indexOf(group) !== i);
  if (again !== undefined)
    throw new ConfigError(`ensemble: each group counts once, and --groups has ${again} twice. Leave it out once.`);
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
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
  const config = configOfKind(await loadConfig(folder.config), "table", "an ensemble", source);
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

/** The groups of a run that are asked for, by default all. Throws {@link ConfigError} unless they have finished. */
function finishedGroups(folder: RunFolder, source: string, asked: readonly number[] | undefined): readonly number[] {
  const run = summarizeRun(folder.path);
  const all = run?.groups ?? [];
  const known = all.map(({ group }) => group);
  const missing = asked?.find((group) => !known.includes(group));
  if (missing !== undefined) {
    throw new ConfigError(
      `ensemble: ${source} has the groups ${known.join(", ")}, and --groups asks for ${missing}. Choose among them.`,
    );
  }
  const chosen = all.filter(({ group }) => asked?.includes(group) ?? true);
  const others = chosen.filter(({ state }) => state !== "finished");
  if (others.length > 0 || !existsSync(folder.result)) {
    const why =
      others.length > 0
        ? others.map(({ group, state }) => `group ${group} is ${state}`).join(", ")
        : "its groups have not been scored";
    const whole = all.filter(({ state }) => state === "finished").map(({ group }) => group);
    const rest = whole.length > 1 && others.length > 0 ? `, or take the others with --groups ${whole.join(",")}` : "";
    throw new ConfigError(
      `ensemble: runs must have finished, and of ${source} ${why}. Go on with it by codistill train --resume ${folder.path}${rest}.`,
    );
  }
  return asked ?? known;
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

/** Write a file whole or not at all. Throws {@link ConfigError} when it cannot be written, or is there meanwhile. */
function write(out: string, bytes: Uint8Array, force: boolean): void {
  const temporary = join(dirname(out), `.tmp-${process.pid}-${randomBytes(8).toString("hex")}`);
  try {
    writeFileSync(temporary, bytes, { flag: "wx", flush: true });
    if (!force && existsSync(out)) throw isThere(out);
    renameSync(temporary, out);
  } catch (error) {
    rmSync(temporary, { force: true });
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(`ensemble: ${out} cannot be written: ${messageOf(error)}`, { cause: error });
  }
}
