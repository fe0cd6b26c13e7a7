/** The groups of a run on this machine: one process each. */
import { closeSync, ftruncateSync } from "node:fs";
import { availableParallelism } from "node:os";
import { setTimeout } from "node:timers/promises";
import { messageOf } from "../../errors.js";
import type { LoggedEvent, TrainEvent } from "../../log/events.js";
import type { RunConfig } from "../../run/schema.js";
import { endOf } from "../files/log-lines.js";
import { makeOwnFolder, openOwn } from "../files/plain-files.js";
import { beginningOf } from "../files/read-bounded.js";
import { logWriter } from "../runs/log.js";
import { checkLog, lastStepOf, readEvents } from "../runs/read-log.js";
import type { RunFolder } from "../runs/run-folder.js";
import type { RunScope } from "../runs/scope.js";
import { died, type GroupEnd, type GroupProcess, startProcess } from "./group-process.js";
import type { Patience } from "./patience.js";

/** Seconds before the first restart of a group; doubled at each further one. */
const FIRST_DELAY_SECONDS = 0.5;

interface RunGroupsOptions {
  /** Aborted to ask all to save and end. */
  readonly stop: AbortSignal;
  /** Whether the folder is still this program's. */
  readonly isOurs: () => boolean;
  /** How long a process is waited for. */
  readonly patience: Patience;
}

/**
 * Start a process for each group of this folder and wait until all have ended. A process that dies or cannot be started
 * is started again from its checkpoint, a bounded number of times, each time after a longer wait; one that ends with an
 * error that the user must mend is not. `stop` asks all to save and end. When `isOurs` says that another program owns
 * the folder by now, all are asked to stop, and nothing more is written there. Returns the groups whose process was asked
 * to save and did not.
 *
 * Throws {@link CheckpointError} when the log of a group is of another version.
 */
export async function runGroups(
  config: RunConfig,
  folder: RunFolder,
  { groups }: RunScope,
  { stop, isOurs, patience }: RunGroupsOptions,
): Promise<readonly number[]> {
  for (const group of groups) checkLog(folder.group(group).log);
  const threads = config.threads ?? Math.max(1, Math.floor(availableParallelism() / groups.length));
  const children = new Map<number, GroupProcess>();
  const unsaved: number[] = [];
  const askToStop = () => {
    for (const child of children.values()) child.stop();
  };
  const leaveNobody = () => {
    for (const child of children.values()) child.kill();
  };
  stop.addEventListener("abort", askToStop, { once: true });
  process.once("exit", leaveNobody);

  /** Train a group until its process ends; returns whether it died. An error here is this group's failure alone. */
  async function runOnce(group: number): Promise<boolean> {
    const { path, log, errors } = folder.group(group);
    let before: number | undefined;
    let end: GroupEnd;
    try {
      before = endOf(log)?.size;
      end = await startGroup(group, path, errors);
    } catch (error) {
      end = { ...died, how: `could not be started (${messageOf(error)})` };
    }
    children.delete(group);
    if (stop.aborted && !end.isDone) unsaved.push(group);
    tell(group, () => {
      const since = <Name extends LoggedEvent["event"]>(...names: Name[]) => readEvents(log, names, before);
      if (!since("group-end").next().done) return null;
      const message = [`its process ${end.how}`, beginningOf(errors)].filter(Boolean).join(": ");
      const step = lastStepOf(since("step", "group-start"));
      // A group that died without a word gets its last event from here.
      return { event: "group-end", group, step, reason: "failed", message, seconds: 0 };
    });
    return end.hasDied;
  }

  /** Add an event to the log of a group. A log that cannot be read or written does not stop the other groups. */
  function tell(group: number, event: () => TrainEvent | null): void {
    try {
      const told = isOurs() ? event() : null;
      if (told) logWriter(folder.group(group).log)(told);
    } catch {
      // The group itself has failed, and the result says so.
    }
  }

  async function startGroup(group: number, path: string, errors: string): Promise<GroupEnd> {
    makeOwnFolder(path);
    const errorFile = openErrors(errors);
    try {
      const child = startProcess([folder.path, String(group), String(threads)], errorFile, patience);
      children.set(group, child);
      return child.ended;
    } finally {
      if (errorFile !== "ignore") closeSync(errorFile);
    }
  }

  async function supervise(group: number): Promise<void> {
    for (let restart = 0; isOurs() && !stop.aborted; ) {
      const hasDied = await runOnce(group);
      if (!hasDied || restart === config.restarts || stop.aborted || !isOurs()) break;
      const delaySeconds = FIRST_DELAY_SECONDS * 2 ** restart++;
      const delay = { restart, maxRestarts: config.restarts, delaySeconds };
      tell(group, () => ({ event: "group-restart", group, ...delay }));
      await setTimeout(delaySeconds * 1000, undefined, { signal: stop }).catch(() => {});
    }
    if (!isOurs()) askToStop();
  }
  await Promise.all(groups.map(supervise));
  process.removeListener("exit", leaveNobody);
  stop.removeEventListener("abort", askToStop);
  return unsaved;
}

/**
 * Open the file for the standard error of a group's process; without one the group still trains. Each start empties the
 * file, and an older process that is still alive appends to it.
 */
function openErrors(path: string): number | "ignore" {
  try {
    const file = openOwn(path, "append");
    ftruncateSync(file);
    return file;
  } catch {
    return "ignore";
  }
}
