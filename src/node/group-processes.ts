/** The groups of a run on this machine: one process each. */
import { type ChildProcess, fork } from "node:child_process";
import { closeSync } from "node:fs";
import { availableParallelism } from "node:os";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { RunConfig } from "../run/schema.js";
import type { LoggedEvent } from "../train/events.js";
import { REFUSED } from "./exit-codes.js";
import { withHugePages } from "./huge-pages.js";
import { logWriter } from "./log.js";
import { endOf } from "./log-lines.js";
import { makeOwnFolder, openOwn } from "./plain-files.js";
import { beginningOf } from "./read-bounded.js";
import { checkLog, lastStepOf, readEvents } from "./read-log.js";
import type { RunFolder } from "./run-folder.js";
import type { RunScope } from "./scope.js";

/** Seconds before the first restart of a group; doubled at each further one. */
const FIRST_DELAY_SECONDS = 0.5;

/**
 * Start a process for each group of this folder and wait until all have ended. One that dies is started again from its checkpoint, a
 * bounded number of times, each time after a longer wait; one that ends with an error that is the user's to mend is
 * not. `stop` asks all to save and end.
 *
 * Throws {@link CheckpointError} when the log of a group is of another version.
 */
export async function runGroups(
  config: RunConfig,
  folder: RunFolder,
  { groups }: RunScope,
  stop: AbortSignal,
): Promise<void> {
  for (const group of groups) checkLog(folder.group(group).log);
  const threads = config.threads ?? Math.max(1, Math.floor(availableParallelism() / groups.length));
  const children = new Map<number, ChildProcess>();
  const askToStop = () => {
    for (const child of children.values()) if (child.connected) child.send("stop");
  };
  const leaveNobody = () => {
    for (const child of children.values()) child.kill("SIGKILL");
  };
  stop.addEventListener("abort", askToStop, { once: true });
  process.once("exit", leaveNobody);

  async function supervise(group: number): Promise<void> {
    for (let restart = 0; ; ) {
      const { child, ended } = startGroup(folder, group, threads);
      children.set(group, child);
      const hasDied = await ended;
      children.delete(group);
      if (!hasDied || restart === config.restarts || stop.aborted) return;
      const delaySeconds = FIRST_DELAY_SECONDS * 2 ** restart++;
      const log = logWriter(folder.group(group).log);
      log({ event: "group-restart", group, restart, maxRestarts: config.restarts, delaySeconds });
      await setTimeout(delaySeconds * 1000, undefined, { signal: stop }).catch(() => {});
      if (stop.aborted) return;
    }
  }
  await Promise.all(groups.map(supervise));
  process.removeListener("exit", leaveNobody);
  stop.removeEventListener("abort", askToStop);
}

/** Where a group's process says what it died of. Without such a file it trains all the same. */
function openErrors(path: string): number | "ignore" {
  try {
    return openOwn(path, "replace");
  } catch {
    return "ignore";
  }
}

/** Start the process of a group; `ended` says whether it died: by a signal, or by a defect rather than a refusal. */
function startGroup(
  folder: RunFolder,
  group: number,
  threads: number,
): { child: ChildProcess; ended: Promise<boolean> } {
  const { path, log, errors } = folder.group(group);
  makeOwnFolder(path);
  const before = endOf(log)?.size;
  const errorFile = openErrors(errors);
  const entry = fileURLToPath(new URL("./group-main.js", import.meta.url));
  const child = fork(entry, [folder.path, String(group), String(threads)], {
    env: withHugePages(process.env),
    // A program asks for it once, before the memory that it takes is at its most.
    execArgv: [...process.execArgv, "--expose-gc"],
    stdio: ["ignore", "ignore", errorFile, "ipc"],
  });
  if (errorFile !== "ignore") closeSync(errorFile);
  const ended = new Promise<boolean>((resolve) => {
    child.once("exit", (code, signal) => {
      const since = <Name extends LoggedEvent["event"]>(...names: Name[]) => readEvents(log, names, before);
      if (since("group-end").next().done) {
        const how = signal ? `was killed by ${signal}` : `exited with code ${code}`;
        const message = [`its process ${how}`, errorFile === "ignore" ? "" : beginningOf(errors)]
          .filter(Boolean)
          .join(": ");
        // A group that died without a word gets its last event from here.
        logWriter(log)({
          event: "group-end",
          group,
          step: lastStepOf(since("step", "group-start")),
          reason: "failed",
          message,
          seconds: 0,
        });
      }
      resolve(code !== 0 && code !== REFUSED);
    });
  });
  return { child, ended };
}
