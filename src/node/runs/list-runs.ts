/** Runs on this machine, as their folders tell. */
import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { z } from "zod";
import { ConfigError, messageOf } from "../../errors.js";
import { shortened } from "../../report/format.js";
import type { ListedRun, RunSummary } from "../../report/runs.js";
import { MAX_GROUPS } from "../../run/common-schema.js";
import { mayBeThere } from "./process-identity.js";
import { type EventOf, readEvents } from "./read-log.js";
import { checkedRunFile } from "./run-file.js";
import { type RunFolder, runFolder, runsAt } from "./run-folder.js";
import { readScope } from "./scope.js";

/**
 * The runs in a folder, in the order in which they were started, with those of its cross-validations and distillations, which are
 * folders of runs. One whose files are damaged or of another version is listed with the reason. Throws {@link ConfigError} when the
 * folder itself cannot be listed.
 */
export function listRuns(root: string): ListedRun[] {
  const runs = namesIn(root).flatMap((name) => {
    const path = join(root, name);
    const run = listedRun(path);
    return run ? [run] : runsAt(path).flatMap((own) => listedRun(own) ?? []);
  });
  const startOf = (run: ListedRun) => (run.state === "unreadable" ? "" : (run.startedAt ?? ""));
  return runs.sort((a, b) => (startOf(a) < startOf(b) ? -1 : 1));
}

function namesIn(root: string): string[] {
  try {
    return existsSync(root) ? readdirSync(root) : [];
  } catch (error) {
    throw new ConfigError(`runs are in a folder, and ${root} cannot be listed: ${messageOf(error)}`, { cause: error });
  }
}

/** The run of a folder, or the reason why it cannot be read; null when it is not a run folder. */
export function listedRun(path: string): ListedRun | null {
  try {
    return summarizeRun(path);
  } catch (error) {
    return { folder: path, state: "unreadable", why: shortened(messageOf(error).replace(/\s+/g, " "), 300) };
  }
}

/** The part of a run's configuration that is shown; all of it is checked when the run is resumed. */
const configSchema = z.looseObject({
  name: z.string(),
  numGroups: z.int().min(1).max(MAX_GROUPS),
  numSteps: z.int().nonnegative().default(0),
});

const resultSchema = z.looseObject({
  shippedGroup: z.int().nonnegative(),
  groups: z.array(z.looseObject({ group: z.int().nonnegative(), testLoss: z.number().nullish() })),
});

/**
 * Summarize the run of a folder; null when it is not a run folder, which has a log. Throws {@link CheckpointError} or
 * {@link ConfigError} when one of its files is damaged or of another version.
 */
export function summarizeRun(path: string): RunSummary | null {
  const folder = runFolder(path);
  if (!existsSync(folder.log)) return null;
  if (!existsSync(folder.config)) throw new ConfigError(`it has a log, and no ${basename(folder.config)}`);
  const { name, numGroups, numSteps } = checkedRunFile(folder.config, configSchema);
  const groups = readScope(folder, numGroups).groups.map((group) => ({ group, ...stateOf(folder.group(group).log) }));
  const result = existsSync(folder.result) ? checkedRunFile(folder.result, resultSchema) : undefined;
  const shipped = result?.groups.find(({ group }) => group === result.shippedGroup);
  const start = startOf(folder);
  const state = ORDER.find((one) => groups.some((group) => group.state === one)) ?? "preparing";
  return {
    folder: path,
    name,
    startedAt: start.time,
    state: state === "preparing" ? start.state : state,
    groups,
    numSteps,
    testLoss: shipped?.testLoss ?? null,
  };
}

/** The state of a run is the first of these that one of its groups is in. */
const ORDER = ["training", "failed", "stopped", "preparing", "finished"] as const;

/**
 * The first start of a run, and its state before its groups begin: a run without a process is no longer being prepared.
 */
function startOf({ log }: RunFolder): { readonly time: string | null; readonly state: RunSummary["state"] } {
  let time: string | null = null;
  let start: EventOf<"run-start"> | undefined;
  let isStopping = false;
  for (const event of readEvents(log)) {
    time ??= event.time;
    if (event.event === "run-start") [start, isStopping] = [event, false];
    if (event.event === "stop-requested") isStopping = true;
  }
  if (start?.pid === undefined || mayBeThere(start, log)) return { time, state: "preparing" };
  return { time, state: isStopping ? "stopped" : "failed" };
}

/**
 * The last step of a group by its log, and its state by the log and by whether the process that the log names exists.
 */
function stateOf(log: string): { readonly step: number; readonly state: RunSummary["state"] } {
  let step = 0;
  let start: EventOf<"group-start"> | undefined;
  let end: RunSummary["state"] | undefined;
  for (const event of readEvents(log, ["step", "checkpoint", "group-start", "group-end"])) {
    if (event.event === "group-start") [start, end] = [event, undefined];
    if (event.event === "group-end") end = ORDER.find((state) => state === event.reason) ?? "failed";
    if (Number.isSafeInteger(event.step) && event.step >= 0) step = event.step;
  }
  if (end !== undefined) return { step, state: end };
  if (start === undefined) return { step, state: "preparing" };
  return { step, state: mayBeThere(start, log) ? "training" : "failed" };
}
