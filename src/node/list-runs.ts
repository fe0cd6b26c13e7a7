/** Runs on this machine, as their folders tell. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { RunSummary } from "../report/runs.js";
import type { RunConfig } from "../run/schema.js";
import type { LoggedEvent, RunResult } from "../train/events.js";
import { isAlive } from "./alive.js";
import { lastStepOf, readLog } from "./read-log.js";
import { readRunFile } from "./run-file.js";
import { runFolder } from "./run-folder.js";
import { readScope } from "./scope.js";

/** The runs in a folder, in the order in which they were started. */
export function listRuns(root: string): RunSummary[] {
  const names = existsSync(root) ? readdirSync(root) : [];
  const runs = names.map((name) => summarizeRun(join(root, name))).filter((run) => run !== null);
  return runs.sort((a, b) => ((a.startedAt ?? "") < (b.startedAt ?? "") ? -1 : 1));
}

/** What a folder tells of its run; null when it is not a run folder. */
export function summarizeRun(path: string): RunSummary | null {
  const folder = runFolder(path);
  const config = readRunFile(folder.config) as Partial<RunConfig> | undefined;
  const events = readLog(folder.log);
  if (config?.name === undefined || config.numGroups === undefined || !existsSync(folder.log)) return null;
  const groups = readScope(folder, config.numGroups).groups.map((group) => {
    const own = readLog(folder.group(group).log);
    return { group, step: lastStepOf(own), state: stateOf(own) };
  });
  const result = readRunFile(folder.result) as RunResult | undefined;
  const shipped = result?.groups.find(({ group }) => group === result.shippedGroup);
  return {
    folder: path,
    name: config.name,
    startedAt: events[0]?.time ?? null,
    state: unlessGone(ORDER.find((state) => groups.some((group) => group.state === state)) ?? "preparing", events),
    groups,
    numSteps: config.numSteps ?? 0,
    testLoss: shipped?.testLoss ?? null,
  };
}

/** The state of a run is the first of these that one of its groups is in. */
const ORDER = ["training", "failed", "stopped", "preparing", "finished"] as const;

/** A run whose process ended before its groups began has no one who prepares it. */
function unlessGone(state: RunSummary["state"], events: readonly LoggedEvent[]): RunSummary["state"] {
  const start = events.findLast((event) => event.event === "run-start");
  if (state !== "preparing" || start?.event !== "run-start" || start.pid === undefined || isAlive(start.pid))
    return state;
  const since = events.slice(events.lastIndexOf(start));
  return since.some(({ event }) => event === "stop-requested") ? "stopped" : "failed";
}

/** The state of a group by its log, and by whether the process that it names is there. */
function stateOf(events: readonly LoggedEvent[]): RunSummary["state"] {
  const start = events.findLastIndex(({ event }) => event === "group-start");
  const end = events.findLast((event) => event.event === "group-end");
  const latest = events[start];
  if (latest?.event !== "group-start") return end?.event === "group-end" ? end.reason : "preparing";
  if (end?.event === "group-end" && events.indexOf(end) > start) return end.reason;
  return isAlive(latest.pid) ? "training" : "failed";
}
