/** What a run of a comparison came to, read from its folder. */
import { existsSync } from "node:fs";
import { traceOf } from "../../codistill/replay.js";
import type { RunResult } from "../../log/events.js";
import type { Outcome, TaughtFrom, TimedPoint } from "../../study/outcome.js";
import { mean } from "../../study/statistics.js";
import { readEvents } from "../runs/read-log.js";
import { runFolder } from "../runs/run-folder.js";
import { resultOfRun } from "../runs/run-result.js";

/** The outcome of a run that has finished: of the group that it ships. */
export function outcomeOf(arm: string, seed: number, path: string): Outcome {
  const folder = runFolder(path);
  const result = resultOfRun(path);
  const shipped = result.groups.find(({ group }) => group === result.shippedGroup) ?? result.groups[0];
  if (!shipped) throw new Error(`internal: the result of ${path} has no groups`);
  const taught = result.groups.map(({ group }) => taughtIn(folder.group(group).log));
  return {
    ...{ arm, seed },
    // Groups that train alone have no trace of teachers.
    ...(taught.every((from) => from.length > 0) && { taught }),
    step: shipped.step,
    test: testOf(shipped),
    meanTestLoss: mean(result.groups.map(({ testLoss }) => testLoss ?? Number.NaN)),
    curve: curveOf(folder.group(shipped.group).log),
    seconds: secondsOfRun(
      path,
      result.groups.map(({ group }) => group),
    ),
    bytes: result.groups.reduce((sum, { bytesPublished, bytesFetched }) => sum + bytesPublished + bytesFetched, 0),
  };
}

/** From which step on a group had how many teachers, by its log. */
function taughtIn(log: string): TaughtFrom[] {
  const trace = traceOf(readEvents(log)).map(({ step, teachers }) => ({ step, numTeachers: teachers.length }));
  return trace.filter(({ numTeachers }, i) => numTeachers !== trace[i - 1]?.numTeachers);
}

/** The outcome of the mean of a run's groups; null of a run of one group. */
export function ensembleOutcome(arm: string, seed: number, path: string): Outcome | null {
  const { ensemble } = resultOfRun(path);
  if (!ensemble) return null;
  const { testLoss } = ensemble;
  return { arm, seed, step: 0, test: testOf(ensemble), meanTestLoss: testLoss, curve: [], seconds: 0, bytes: 0 };
}

/** The metrics of the test split alone, without those that are not defined; a loss that is not finite is null in a file. */
function testOf(record: RunResult["groups"][number] | NonNullable<RunResult["ensemble"]>): Outcome["test"] {
  const entries = Object.entries(record).filter(
    ([name, value]) => name.startsWith("test") && typeof value === "number",
  );
  return { ...Object.fromEntries(entries), testLoss: record.testLoss ?? Number.NaN };
}

/** The validations of a group, each at the training time by then. Steps that were taken again after a restart count once. */
export function curveOf(log: string): TimedPoint[] {
  const steps: { readonly step: number; readonly seconds: number }[] = [];
  const validations: { readonly step: number; readonly loss: number }[] = [];
  for (const event of readEvents(log, ["step", "validation"])) {
    const list = event.event === "step" ? steps : validations;
    while ((list.at(-1)?.step ?? -1) >= event.step) list.pop();
    if (event.event === "validation") {
      // A loss that is not finite is null in the log.
      validations.push({ step: event.step, loss: event.loss ?? Number.NaN });
      continue;
    }
    const before = steps.at(-1) ?? { step: 0, seconds: 0 };
    const took = (event.step - before.step) / event.stepsPerSecond;
    steps.push({ step: event.step, seconds: before.seconds + (Number.isFinite(took) ? took : 0) });
  }
  return validations.map(({ step, loss }) => {
    const at = steps.findIndex((one) => one.step >= step);
    const [before, here] = [steps[at - 1] ?? { step: 0, seconds: 0 }, steps[at] ?? steps.at(-1)];
    if (!here) return { step, loss, seconds: 0 };
    if (here.step <= before.step || step >= here.step) return { step, loss, seconds: here.seconds };
    const share = (step - before.step) / (here.step - before.step);
    return { step, loss, seconds: before.seconds + share * (here.seconds - before.seconds) };
  });
}

/** How long a run took, all of its starts together: of each from its first event to its last one. */
export function secondsOfRun(path: string, groups: readonly number[]): number {
  const folder = runFolder(path);
  const logs = [folder.log, ...groups.map((group) => folder.group(group).log)].filter((log) => existsSync(log));
  const events = logs.flatMap((log) =>
    Array.from(readEvents(log), ({ time, event }) => ({ at: Date.parse(time), event })),
  );
  events.sort((a, b) => a.at - b.at);
  let seconds = 0;
  let [start, last] = [events[0]?.at ?? 0, events[0]?.at ?? 0];
  for (const { at, event } of events) {
    if (event === "run-start") {
      seconds += (last - start) / 1000;
      start = at;
    }
    last = at;
  }
  return seconds + (last - start) / 1000;
}
