/** What a run of a search for the limit came to, read from its logs. */
import { existsSync } from "node:fs";
import type { RunConfig } from "../../run/schema.js";
import type { ScaleArm, ScaleOutcome } from "../../study/scale/question.js";
import { median } from "../../study/statistics.js";
import { readEvents } from "../runs/read-log.js";
import { runFolder } from "../runs/run-folder.js";
import { curveOf, secondsOfRun } from "./outcome.js";

/** The outcome of a run that has ended, well or by numbers that were not finite. */
export function scaleOutcome({ workers, doublings, seed }: ScaleArm, config: RunConfig, path: string): ScaleOutcome {
  const { log } = runFolder(path).group(0);
  const noise: ScaleOutcome["noise"][number][] = [];
  const stepTimes: number[] = [];
  const reduceTimes: number[] = [];
  let [isDiverged, last] = [false, 0];
  if (existsSync(log)) {
    for (const event of readEvents(log, ["step", "restored", "group-end"])) {
      if (
        event.event === "restored" ||
        (event.event === "group-end" && event.reason === "failed" && event.code === "TRAINING")
      )
        isDiverged = true;
      // Steps that were taken again after a stop count once.
      if (event.event !== "step" || event.step <= last) continue;
      last = event.step;
      if (event.squaredNorms) noise.push(event.squaredNorms);
      if (event.stepsPerSecond > 0) stepTimes.push(1 / event.stepsPerSecond);
      // The worker that comes last waits for nobody.
      if (event.workers) reduceTimes.push(Math.min(...event.workers.map(({ reduce }) => reduce)));
    }
  }
  return {
    ...{ workers, doublings, seed, isDiverged, noise },
    numSteps: config.numSteps,
    curve: existsSync(log) ? curveOf(log).map(({ step, loss }) => ({ step, loss })) : [],
    secondsPerStep: stepTimes.length > 0 ? median(stepTimes) : null,
    reduceSeconds: reduceTimes.length > 0 ? median(reduceTimes) : null,
    parts: config.accumulate * config.workers,
    seconds: secondsOfRun(path, [0]),
  };
}

/** Whether the group of a run has come to its end; such a run is not scored, so that it has no result. */
export function hasTrained(path: string): boolean {
  const { log } = runFolder(path).group(0);
  let hasEnded = false;
  if (existsSync(log)) for (const { reason } of readEvents(log, ["group-end"])) hasEnded = reason === "finished";
  return hasEnded;
}

/** What the first run that prepared its data says of it, and of its network. */
export function sizesIn(path: string) {
  const folder = runFolder(path);
  let numParams: number | null = null;
  for (const event of readEvents(folder.group(0).log, ["group-start"])) numParams = event.numParams;
  for (const { rows, tokens } of readEvents(folder.log, ["data-ready"])) {
    return { numParams, sizes: { rows, ...(tokens && { tokens }) } };
  }
  return { numParams, sizes: null };
}
