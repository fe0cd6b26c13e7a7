/** What a search for the limit came to: the figures of its advice and its report. */
import type { Interval } from "../intervals.js";
import { allWorkers, type Critical, criticalBatch, type Limit, limitOf, type ScaledTo } from "./limit.js";
import { noiseScale } from "./noise.js";
import { type ScaleOutcome, type ScaleQuestion, stepsOf } from "./question.js";
import { type StepSeconds, stepSeconds, type TimeModel } from "./time-model.js";

/** How long so many workers take to the target. */
export interface ScaledTime {
  readonly workers: number;
  readonly step: StepSeconds;
  /** Steps times the seconds of a step, with the interval of the steps. */
  readonly seconds: Interval;
  /** One worker's time is measured; what others would take is computed. */
  readonly isMeasured: boolean;
}

/** The gradient noise scale with so many workers, in examples. */
export interface NoiseAt {
  readonly workers: number;
  /** Over all steps, and over the last quarter of them. */
  readonly whole: Interval | null;
  readonly late: Interval | null;
}

/** The noise scale near the target, where batches are chosen for; over the whole way where that is too short. */
export const noiseNear = ({ whole, late }: NoiseAt) => late ?? whole;

/** How an ensemble of two groups at the limit, and two that codistil, are to one group with twice the batch, in test loss. */
export interface SecondGroup {
  readonly workers: number;
  readonly numSteps: number;
  readonly numSeeds: number;
  readonly lossName: string;
  readonly ensembleLessTwice: Interval;
  /** Null unless they were trained. */
  readonly codistilledLessTwice: Interval | null;
  readonly codistilledLessSingle: Interval | null;
  /** What is to be said of how seldom teachers taught. */
  readonly notes: readonly string[];
}

/** All figures. */
export interface ScaleFigures {
  readonly target: number;
  readonly all: readonly ScaledTo[];
  readonly limit: Limit;
  readonly critical: Critical | null;
  readonly noise: readonly NoiseAt[];
  /** Null before the seconds of a step are known. */
  readonly times: readonly ScaledTime[] | null;
  readonly secondGroup: SecondGroup | null;
}

const LATE = 0.75;

export function scaleFigures(
  question: ScaleQuestion & { readonly target: number },
  outcomes: readonly ScaleOutcome[],
  model: TimeModel | null,
  secondGroup: SecondGroup | null,
): ScaleFigures {
  const all = allWorkers(question, outcomes);
  const reached = all.flatMap(({ batch, steps }) => (steps === null ? [] : [{ batch, steps: steps.value }]));
  return {
    target: question.target,
    all,
    limit: limitOf(all),
    critical: criticalBatch(reached),
    noise: all.flatMap((at) => noiseAt(question, outcomes, at) ?? []),
    times: model && all.flatMap((at) => timeOf(model, at) ?? []),
    secondGroup,
  };
}

/** Of all seeds at the best learning rate, up to the target. */
function noiseAt(
  { target, workerBatch }: ScaleQuestion & { readonly target: number },
  outcomes: readonly ScaleOutcome[],
  { workers, doublings }: ScaledTo,
): NoiseAt | null {
  const own = outcomes.filter((one) => one.workers === workers && one.doublings === doublings && one.parts > 1);
  const [first] = own;
  if (first === undefined) return null;
  const upTo = own.map((one) => blocksUpTo(one, stepsOf(one, target) ?? Number.POSITIVE_INFINITY));
  const shape = { batch: workers * workerBatch, parts: first.parts };
  const late = upTo.map((blocks) => blocks.slice(Math.floor(LATE * blocks.length)));
  return { workers, whole: noiseScale(upTo.flat(), shape), late: noiseScale(late.flat(), shape) };
}

function blocksUpTo({ noise }: ScaleOutcome, steps: number): ScaleOutcome["noise"] {
  let step = 0;
  return noise.filter(({ numSteps }) => {
    step += numSteps;
    return step <= steps;
  });
}

function timeOf(model: TimeModel, { workers, steps }: ScaledTo): ScaledTime | null {
  if (steps === null) return null;
  const step = stepSeconds(model, workers);
  const seconds = {
    value: steps.value * step.total,
    low: Math.max(0, steps.low) * step.total,
    high: steps.high * step.total,
  };
  return { workers, step, seconds, isMeasured: workers === 1 };
}

/** The number of workers that is modelled to come to the target first. */
export function fastestOf(times: readonly ScaledTime[]): ScaledTime | null {
  return times.reduce<ScaledTime | null>(
    (best, one) => (best === null || one.seconds.value < best.seconds.value ? one : best),
    null,
  );
}
