/** A whole run on this machine: data, one process for each group, and the score at the end. */
import { existsSync, mkdirSync, rmdirSync } from "node:fs";
import { basename, join } from "node:path";
import { ConfigError, messageOf, TrainingError } from "../../errors.js";
import type { RunResult, TrainEvent } from "../../log/events.js";
import { recordWithoutSecrets } from "../../report/secrets.js";
import { algorithmOf } from "../../run/algorithms.js";
import type { RunConfig } from "../../run/schema.js";
import type { Leader } from "../comm/process-crew.js";
import { makeFolder } from "../files/plain-files.js";
import { lockRun, type RunLock } from "../runs/lock.js";
import { logWriter } from "../runs/log.js";
import { takeOwnFiles, withOwnNames } from "../runs/own-files.js";
import { ownIdentity } from "../runs/process-identity.js";
import { encodeRunFile } from "../runs/run-file.js";
import { type RunFolder, runFolder } from "../runs/run-folder.js";
import { enterRun, type Join, noteJoin, type RunScope, readScope } from "../runs/scope.js";
import { memoryBudget } from "../sources/memory.js";
import { directoryStore } from "../stores/directory-store.js";
import { finish } from "./finish.js";
import { trainLed } from "./group.js";
import { runGroups } from "./group-processes.js";
import { readerOf } from "./kinds.js";
import { patienceOf } from "./patience.js";
import { prepareData } from "./prepare.js";
import { openAtRanks, type Ranks, threadsOfRank } from "./ranks.js";

export interface TrainOptions {
  readonly config: RunConfig;
  /** The run folder; a run with checkpoints in it is resumed. */
  readonly folder: string;
  /** Train one group of a run that lives in a store elsewhere; without it all groups are trained here. */
  readonly join?: Join | undefined;
  /** Where prepared data is kept between runs. */
  readonly cacheFolder: string;
  /** Whether to leave it at trained groups, without a score on the test split and a model to ship; there is no result then. False by default. */
  readonly isUnscored?: boolean | undefined;
  /** Aborted to save and stop. */
  readonly stop: AbortSignal;
  /** The workers of the one group of this folder, which this process leads; without them each group has a process of its own. */
  readonly led?: Led | undefined;
}

/** The processes of a group's workers, and their leader, which is this one. */
export interface Led {
  readonly ranks: Ranks;
  readonly leader: Leader;
}

/**
 * Train the groups of a run that belong here: all of them, or the one that joins a store. The run's log records
 * everything that happens. Returns the result, or null when the run was stopped and all groups have saved, or when it is not scored.
 *
 * Throws {@link TrainingError} when a group was asked to save and could not, or the group to ship failed before it had a
 * model, {@link ConfigError} when another
 * program trains in the folder or the store holds another run, and what data preparation throws.
 */
export async function train(options: TrainOptions): Promise<RunResult | null> {
  makeFolder(options.folder);
  const lock = lockRun(options.folder);
  try {
    const write = logWriter(runFolder(options.folder).log);
    const log = (event: TrainEvent) => {
      if (lock.isHeld()) write(event);
    };
    const tell = () => log({ event: "stop-requested" });
    options.stop.addEventListener("abort", tell);
    return await trainLocked(options, log, lock).finally(() => options.stop.removeEventListener("abort", tell));
  } finally {
    lock.release();
    removeIfEmpty(options.folder);
  }
}

/** A run that was refused before it began leaves no folder. */
function removeIfEmpty(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // The folder is not empty, or is gone.
  }
}

async function trainLocked(
  { config: given, folder: path, join, cacheFolder, isUnscored = false, stop, led }: TrainOptions,
  log: (event: TrainEvent) => void,
  lock: RunLock,
): Promise<RunResult | null> {
  const mayChange = () => {
    if (!lock.isHeld())
      throw new TrainingError(`another program has taken ${path} over, or it was removed. This one stops.`);
  };
  const folder = runFolder(path);
  // Both throw for wrong variables of the environment, which would otherwise fail later, and once in each group.
  const patience = patienceOf(process.env);
  memoryBudget();
  if (join) await noteJoin(folder, given.numGroups, join);
  const { checkOwnFile } = await readerOf(given);
  const config = await takeOwnFiles(given, folder, {
    check: checkOwnFile,
    tell: (message) => log({ event: "warning", message }),
  });
  await directoryStore(folder.path).put(
    basename(folder.config),
    encodeRunFile(recordWithoutSecrets(withOwnNames(config, folder))),
  );
  const { teachesFrom, remark } = algorithmOf(config);
  log({
    event: "run-start",
    ...ownIdentity(),
    name: config.name,
    folder: path,
    numGroups: config.numGroups,
    numSteps: config.numSteps,
    burnInSteps: teachesFrom,
    ships: `${readScope(folder, config.numGroups).joined ? "this group" : "group 0"}'s best checkpoint by validation loss`,
  });
  if (remark) log({ event: "warning", message: remark });
  const data = await prepareData(config, folder, cacheFolder, log, stop).catch((error: unknown) => {
    if (stop.aborted) return null;
    throw error;
  });
  if (!data || stop.aborted) return null;
  mayChange();
  const scope = await enterRun(config, folder, data.spec);
  const unsaved = led
    ? await trainAtRanks({ config, folder, scope, digest: data.spec.digest, stop }, led)
    : await runGroups(config, folder, scope, { stop, isOurs: lock.isHeld, patience });
  mayChange();
  if (unsaved.length > 0) throw notSaved(unsaved, path);
  if (stop.aborted || isUnscored) return null;
  const result = await finish(config, folder, scope, data, { log, mayChange }, stop).catch((error: unknown) => {
    if (stop.aborted && error === stop.reason) return null;
    throw error;
  });
  if (result) log({ event: "result", result });
  return result;
}

interface RankWork {
  readonly config: RunConfig;
  readonly folder: RunFolder;
  readonly scope: RunScope;
  /** That of the data. */
  readonly digest: string;
  readonly stop: AbortSignal;
}

/** Train the group of this folder with workers in other processes, which end with it. */
async function trainAtRanks({ config, folder, scope, digest, stop }: RankWork, { ranks, leader }: Led): Promise<[]> {
  const groupIndex = scope.groups[0] ?? 0;
  await openAtRanks(leader, groupIndex, digest);
  await trainLed({ folder, groupIndex, threads: threadsOfRank(config, ranks) }, leader, stop);
  await leader.close();
  await ranks.comm.close();
  return [];
}

function notSaved(groups: readonly number[], path: string): TrainingError {
  const who = groups.map((group) => `group ${group}`).join(", ");
  return new TrainingError(
    `a run that is stopped saves every group, and ${who} did not save: why is in its log. It goes on from the checkpoint that it ` +
      `has, and what it trained since then is lost. Go on with:\n  codistill train --resume ${path}`,
  );
}

/**
 * Make a new run folder: the run's name, the time, and a number when another run has both.
 *
 * Throws {@link ConfigError} when no folder can be made there.
 */
export function newRunFolder(root: string, name: string, now = new Date(), number = 1): string {
  const time = now.toISOString().slice(0, 19).replaceAll(":", "-");
  const path = join(root, [name, time, ...(number > 1 ? [number] : [])].join("-"));
  // `mkdirSync` without recursion fails when the folder exists, so that the folder is this run's alone.
  try {
    makeFolder(root);
    mkdirSync(path);
  } catch (error) {
    if (existsSync(path)) return newRunFolder(root, name, now, number + 1);
    throw new ConfigError(`no run folder can be made in ${root}: ${messageOf(error)}`, { cause: error });
  }
  return path;
}
