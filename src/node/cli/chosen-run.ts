/** Which run `codistill train` trains, and in which folder: a new one, or one that goes on. */
import { existsSync, readdirSync } from "node:fs";
import { basename, resolve } from "node:path";
import { ConfigError } from "../../errors.js";
import { count } from "../../report/format.js";
import { recordWithoutSecrets } from "../../report/secrets.js";
import { checkSameRun } from "../../run/config-diff.js";
import type { RunConfig } from "../../run/schema.js";
import { newRunFolder } from "../launch/train.js";
import { loadConfig } from "../runs/load-config.js";
import { withOwnFiles } from "../runs/own-files.js";
import { existingRun, isRun, type RunFolder, runFolder } from "../runs/run-folder.js";
import { checkJoin, type Join, readScope } from "../runs/scope.js";
import { checkOthersTeach } from "../runs/text-teachers.js";
import { locatedStore } from "../stores/stores.js";
import { teller } from "./output.js";

export interface ChosenRun {
  readonly config: RunConfig;
  readonly folder: string;
  /** The run in a store that this one joins; undefined where it goes on, as its folder knows it. */
  readonly join?: Join | undefined;
}

/** Flags that choose a run. */
export interface RunFlags {
  readonly set: readonly string[];
  readonly runs: string;
  readonly folder?: string;
  readonly resume?: string;
  readonly store?: string;
  readonly group?: number;
  readonly init?: string;
  readonly json?: boolean;
}

/** The run in a store to be joined. Throws {@link ConfigError} for flags that contradict each other. */
export function joinOf({ store, group, resume, folder }: RunFlags): Join | undefined {
  if (resume !== undefined && folder !== undefined)
    throw new ConfigError("--folder makes a run folder or goes on with it; leave --resume out");
  if (store === undefined) {
    if (group !== undefined) throw new ConfigError("--group names a group of the run in a store; give --store too");
    return undefined;
  }
  if (resume !== undefined) {
    throw new ConfigError("--resume goes on with the store and the group of the run; leave --store and --group out");
  }
  return { store, ...(group !== undefined && { group }) };
}

/** The folder of the run that these flags go on with; null for a new run. */
export function goneOnWith({ resume, folder }: RunFlags): RunFolder | null {
  if (resume !== undefined) return existingRun(resume);
  return folder !== undefined && isRun(folder) ? existingRun(folder) : null;
}

/** The values that flags set in a configuration, as `--set` has them. */
export function overridesOf({ set, init }: RunFlags): readonly string[] {
  return [...set, ...(init === undefined ? [] : [`init=${JSON.stringify(resolve(init))}`])];
}

/** The run to train: a new one, or the one to go on with. */
export async function chooseRun(path: string | undefined, flags: RunFlags): Promise<ChosenRun> {
  const join = joinOf(flags);
  const overrides = overridesOf(flags);
  const run = goneOnWith(flags);
  if (run) {
    const own = await loadConfig(run.config);
    if (join) checkSameStore(run, own, join);
    if (path === undefined && overrides.length === 0) return { config: own, folder: run.path };
    const given = await loadConfig(path ?? run.config, overrides);
    checkOthersTeach(given, run);
    const config = await withOwnFiles(given, run);
    checkSameRun(own, recordWithoutSecrets(config));
    return { config, folder: run.path };
  }
  if (path === undefined)
    throw new ConfigError("train needs a configuration, as in: codistill train codistill.config.ts");
  const config = await loadConfig(path, overrides);
  const growth = overrides.length === 0 ? null : growthRemark(await loadConfig(path), config);
  if (growth !== null) teller(flags)(growth);
  if (join) checkJoin(config.numGroups, join);
  if (flags.folder !== undefined) checkFree(flags.folder);
  return { config, folder: flags.folder ?? newRunFolder(flags.runs, config.name), join };
}

/** Throws {@link ConfigError} when a folder holds something else than a run that was ended before it began. */
function checkFree(path: string): void {
  const { log, scope } = runFolder(path);
  const own = [basename(log), basename(scope), "lock.json"];
  const other = existsSync(path) ? readdirSync(path).find((name) => !own.includes(name)) : undefined;
  if (other === undefined) return;
  throw new ConfigError(
    `--folder must name a run folder, or one that is empty or not there yet, and ${path} holds ${other}. Name another one.`,
  );
}

/** Throws {@link ConfigError} when a run is in another store, or of another group, than flags say. */
function checkSameStore(folder: RunFolder, { numGroups }: RunConfig, { store, group }: Join): void {
  const scope = readScope(folder, numGroups);
  const located = locatedStore(store);
  if (scope.store !== located)
    throw new ConfigError(
      `a run goes on in the store it began in: that of ${folder.path} is ${scope.store}, and --store says ${located}. Leave --store out, or name another --folder.`,
    );
  const groups = scope.groups.map(String);
  if (group === undefined || groups.length === 0 || (groups.length === 1 && groups[0] === String(group))) return;
  throw new ConfigError(
    `a folder goes on with the group it began with: ${folder.path} has group ${groups.join(", ")}, and --group says ${group}. Leave --group out, or name another --folder.`,
  );
}

/** A remark where batches grow and the learning rate does not; null elsewhere. */
function growthRemark(before: RunConfig, now: RunConfig): string | null {
  const isLarger = now.globalBatchSize > before.globalBatchSize;
  const isSameRate = now.optimizer.learningRate === before.optimizer.learningRate && !now.optimizer.forBatch;
  if (!isLarger || !isSameRate) return null;
  return (
    `note: steps of ${count(now.globalBatchSize)} examples in place of ${count(before.globalBatchSize)} keep the learning rate ` +
    `${now.optimizer.learningRate}. Larger batches often bear a larger one: --set 'optimizer.forBatch={"rows":${before.globalBatchSize}}' ` +
    "lets it grow in proportion."
  );
}
