/** The report of runs as files, from what their folders hold. */
import { existsSync } from "node:fs";
import type { LoggedEvent } from "../../log/events.js";
import { counted, duration } from "../../report/format.js";
import { type GroupFacts, type RunFacts, runPage, runsPage } from "../../study/run-page.js";
import { version } from "../../version.js";
import { reportsIn } from "../runs/comparison.js";
import { loadConfig } from "../runs/load-config.js";
import { readEvents } from "../runs/read-log.js";
import { existingRun, type RunFolder } from "../runs/run-folder.js";
import { resultOfRun } from "../runs/run-result.js";
import { readScope } from "../runs/scope.js";
import { machineLine } from "./machine-line.js";
import { curveOf, secondsOfRun } from "./outcome.js";
import { writePage } from "./write-page.js";

const madeNow = () => `Made ${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC by codistill ${version}`;

/** Write the report of a run into its folder. Throws {@link ConfigError} where there is no run. */
export async function writeRunReport(path: string) {
  return writePage(runPage(await factsOf(path)), reportsIn(path));
}

/** Write the report of several runs into a folder. Throws {@link ConfigError} where one of them is none. */
export async function writeRunsReport(paths: readonly string[], folder: string) {
  const facts = await Promise.all(paths.map(factsOf));
  const machine = `This page was made on: ${machineLine()} ${facts.map(({ name, machine }) => `${name}: ${machine}`).join(" ")}`;
  return writePage(runsPage(facts, madeNow(), machine), reportsIn(folder));
}

async function factsOf(path: string): Promise<RunFacts> {
  const folder = existingRun(path);
  const config = await loadConfig(folder.config);
  const numbers = readScope(folder, config.numGroups).groups;
  let rows: RunFacts["rows"] = null;
  let host: string | undefined;
  for (const event of readEvents(folder.log, ["run-start", "data-ready"])) {
    if (event.event === "data-ready") ({ rows } = event);
    else host = event.host ?? host;
  }
  return {
    name: folder.path,
    config,
    result: existsSync(folder.result) ? resultOfRun(folder.path) : null,
    groups: numbers.filter((group) => existsSync(folder.group(group).log)).map((group) => groupFacts(folder, group)),
    rows,
    troubles: troublesOf(folder, numbers),
    seconds: secondsOfRun(folder.path, numbers),
    machine: host === undefined ? "Where it was trained is not in its log." : `It was last trained on ${host}.`,
    made: madeNow(),
  };
}

function groupFacts(folder: RunFolder, group: number): GroupFacts {
  const { log } = folder.group(group);
  const teacherDistance: { step: number; value: number }[] = [];
  for (const { step, teacherDistance: value } of readEvents(log, ["step"])) {
    // Steps that were taken again after a restart count once.
    while ((teacherDistance.at(-1)?.step ?? -1) >= step) teacherDistance.pop();
    if (value !== null) teacherDistance.push({ step, value });
  }
  return { group, curve: curveOf(log), teacherDistance };
}

/** Everything that went otherwise than planned, by its time. */
function troublesOf(folder: RunFolder, groups: readonly number[]): string[] {
  const logs = [folder.log, ...groups.map((group) => folder.group(group).log)].filter((log) => existsSync(log));
  const found = logs.flatMap((log) =>
    Array.from(readEvents(log), (event) => ({ time: event.time, sentence: troubleOf(event) })),
  );
  return found
    .sort((a, b) => a.time.localeCompare(b.time))
    .flatMap(({ sentence }) => (sentence === null ? [] : [sentence]));
}

function troubleOf(event: LoggedEvent): string | null {
  switch (event.event) {
    case "warning":
      return event.group === undefined ? event.message : `group ${event.group}: ${event.message}`;
    case "step-skipped":
      return `group ${event.group} left step ${event.step} out: ${event.reason}`;
    case "restored":
      return `group ${event.group} went back from step ${event.fromStep} to ${event.step}: ${event.reason}`;
    case "teacher-quarantined":
      return `group ${event.group} set its teacher ${event.from} aside at step ${event.step}: ${event.reason}`;
    case "exchange-trouble":
      return `group ${event.group} could not ${event.doing}: ${event.message}`;
    case "file-damaged":
    case "checkpoint-trouble":
      return `group ${event.group}: ${event.message}`;
    case "group-restart":
      return `group ${event.group} died and was started again (${event.restart} of ${event.maxRestarts})`;
    case "stop-requested":
      return "somebody asked the run to stop";
    case "group-end":
      return event.reason === "failed"
        ? `group ${event.group} failed after ${counted(event.step, "step")} and ${duration(event.seconds)}: ${event.message ?? "its log does not say why"}`
        : null;
    default:
      return null;
  }
}
