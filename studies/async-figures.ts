/** What the study of asynchronous SGD reads from the logs of its runs. */

import type { Series } from "../scripts/charts/chart.js";
import { readEvents } from "../src/node/runs/read-log.js";
import { runFolder } from "../src/node/runs/run-folder.js";
import { mean } from "../src/study/statistics.js";
import type { AsyncArm } from "./async-arms.js";

/** One validation: after how many steps and seconds of training, with what loss. */
interface Validated {
  readonly step: number;
  readonly seconds: number;
  readonly loss: number;
}

/** A run as its log tells it. */
export interface AsyncRun {
  readonly arm: string;
  readonly seed: number;
  readonly validation: readonly Validated[];
  readonly stepsPerSecond: number;
  /** How many gradients had each staleness; none but of asynchronous SGD. */
  readonly staleness: readonly number[];
  /** The share of its time that each worker computed gradients; none but of asynchronous SGD. */
  readonly computing: readonly number[];
}

/** Read a run; times are from its first step on, without the time of validations, in which nobody trains. */
export function readAsyncRun(folder: string, arm: string, seed: number): AsyncRun {
  const validation: Validated[] = [];
  const uses = new Map<number, { compute: number; wait: number }>();
  let staleness: readonly number[] = [];
  /** When the training that goes on has begun, and how long it had gone on before. */
  let [since, before, last] = [0, 0, 0];
  let [firstStep, lastStep] = [0, 0];
  for (const event of readEvents(runFolder(folder).group(0).log, ["first-step", "step", "validation", "staleness"])) {
    const now = Date.parse(event.time) / 1000;
    if (event.event === "first-step") [since, firstStep] = [now, event.step];
    if (event.event === "step") {
      last = now;
      lastStep = event.step;
      for (const { worker, gradients, compute, wait } of event.gradients?.workers ?? []) {
        const own = uses.get(worker) ?? { compute: 0, wait: 0 };
        uses.set(worker, { compute: own.compute + gradients * compute, wait: own.wait + gradients * wait });
      }
    }
    if (event.event === "validation") {
      // The step event comes before the validation of the same step.
      before += last - since;
      validation.push({ step: event.step, seconds: before, loss: event.loss });
      since = now;
    }
    if (event.event === "staleness") staleness = event.counts;
  }
  const computing = [...uses].sort(([a], [b]) => a - b).map(([, { compute, wait }]) => compute / (compute + wait));
  return { arm, seed, validation, stepsPerSecond: (lastStep - firstStep) / before, staleness, computing };
}

/** What an arm came to: means over seeds. */
export interface AsyncFigures {
  readonly arm: string;
  readonly seeds: readonly number[];
  readonly finalLoss: number;
  readonly bestLoss: number;
  readonly batchesPerSecond: number;
  readonly meanStaleness: number | null;
  readonly maxStaleness: number | null;
  readonly computing: number | null;
}

export function asyncFigures({ name, batchesPerStep }: AsyncArm, runs: readonly AsyncRun[]): AsyncFigures {
  const own = runs.filter(({ arm }) => arm === name);
  const of = (value: (run: AsyncRun) => number) => mean(own.map(value));
  const isAsync = own.some(({ staleness }) => staleness.length > 0);
  return {
    arm: name,
    seeds: own.map(({ seed }) => seed),
    finalLoss: of(({ validation }) => validation.at(-1)?.loss ?? Number.NaN),
    bestLoss: of(({ validation }) => Math.min(...validation.map(({ loss }) => loss))),
    batchesPerSecond: of(({ stepsPerSecond }) => stepsPerSecond * batchesPerStep),
    meanStaleness: isAsync ? of(({ staleness }) => meanOf(staleness)) : null,
    maxStaleness: isAsync ? Math.max(...own.map(({ staleness }) => staleness.length - 1)) : null,
    computing: isAsync ? of(({ computing }) => mean(computing)) : null,
  };
}

function meanOf(counts: readonly number[]): number {
  const total = counts.reduce((sum, one) => sum + one, 0);
  return counts.reduce((sum, one, staleness) => sum + one * staleness, 0) / total;
}

/** The mean loss over seeds of each arm, against steps or seconds; the first validations would flatten the rest. */
export function lossCurves(
  arms: readonly AsyncArm[],
  runs: readonly AsyncRun[],
  against: "step" | "seconds",
): Series[] {
  return arms.flatMap(({ name }) => {
    const own = runs.filter(({ arm }) => arm === name);
    const numPoints = Math.min(...own.map(({ validation }) => validation.length));
    if (own.length === 0 || numPoints < 3) return [];
    const at = (i: number, of: keyof Validated) => mean(own.map(({ validation }) => validation[i]?.[of] ?? Number.NaN));
    const points = Array.from({ length: numPoints }, (_, i) => ({ x: at(i, against), y: at(i, "loss") }));
    return [{ name, points: points.slice(Math.floor(numPoints / 5)) }];
  });
}

/** The most late that is drawn. */
const MOST_DRAWN = 16;

/** The share of gradients of each staleness, over all seeds. */
export function stalenessCurves(arms: readonly AsyncArm[], runs: readonly AsyncRun[]): Series[] {
  return arms.flatMap(({ name }) => {
    const own = runs.filter(({ arm, staleness }) => arm === name && staleness.length > 0);
    if (own.length === 0) return [];
    const total = own.reduce((sum, { staleness }) => sum + staleness.reduce((a, b) => a + b, 0), 0);
    const count = (at: number) => own.reduce((sum, { staleness }) => sum + (staleness[at] ?? 0), 0);
    return [{ name, points: Array.from({ length: MOST_DRAWN + 1 }, (_, at) => ({ x: at, y: count(at) / total })) }];
  });
}
