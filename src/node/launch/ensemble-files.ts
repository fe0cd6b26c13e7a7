/** What ensembles of any kind of data take and write: runs that have finished, files of models, and one file for all of them. */
import { randomBytes } from "node:crypto";
import { existsSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import { ConfigError, messageOf } from "../../errors.js";
import type { TaskKind } from "../../log/events.js";
import { summarizeRun } from "../runs/list-runs.js";
import type { RunFolder } from "../runs/run-folder.js";

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
  readonly task: TaskKind | "language";
  /** The names of the classes by index; null where the label is a number, and of text. */
  readonly classes: readonly string[] | null;
  readonly members: readonly EnsembleMemberInfo[];
  /** The names of its inputs. */
  readonly inputs: readonly string[];
  readonly seconds: number;
  /** Notes on what the members do not have in common. */
  readonly notes: readonly string[];
}

/** Throws {@link ConfigError} unless a file may be written here. */
export function checkOut(out: string, sources: readonly string[], force: boolean): void {
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
export function checkSources(sources: readonly string[], groups: readonly number[] | undefined): void {
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

export function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

/** The groups of a run that are asked for, by default all. Throws {@link ConfigError} unless they have finished. */
export function finishedGroups(
  folder: RunFolder,
  source: string,
  asked: readonly number[] | undefined,
): readonly number[] {
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

/** Write a file whole or not at all. Throws {@link ConfigError} when it cannot be written, or is there meanwhile. */
export function writeEnsemble(out: string, bytes: Uint8Array, force: boolean): void {
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
