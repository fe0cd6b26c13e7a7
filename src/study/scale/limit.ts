/** Steps to the target by the number of workers, and the number beyond which more of them are wasted. */
import { type Interval, ratioInterval, studentInterval } from "../intervals.js";
import { mean } from "../statistics.js";
import { rateOf, type ScaleOutcome, type ScaleQuestion, stepsOf } from "./question.js";

/** What so many workers came to, at their best learning rate. */
export interface ScaledTo {
  readonly workers: number;
  /** Examples of a step. */
  readonly batch: number;
  /** The best learning rate, as doublings of that of the question, and as such. */
  readonly doublings: number;
  readonly rate: number;
  /** By seed, in the order of `seeds`; of a seed that did not come to the target, the steps that it was given. */
  readonly bySeed: readonly number[];
  readonly seeds: readonly number[];
  /** How many seeds did not come to the target: `steps` is then too low. */
  readonly numShort: number;
  /** The mean over seeds, without an interval of one seed; null where the target was not reached at all. */
  readonly steps: Interval | null;
  /** The most steps that a run without the target was given; 0 where all came to it. */
  readonly without: number;
  /** How many learning rates were tried. */
  readonly numRates: number;
}

/** Twice the workers are worth it while they take at most this share of the steps. */
export const WORTH = 0.9;

/** What so many workers came to; null where none of their runs is done, or the target is not known yet. */
export function atWorkers(
  question: ScaleQuestion,
  outcomes: readonly ScaleOutcome[],
  workers: number,
): ScaledTo | null {
  const { target, seeds, workerBatch } = question;
  const own = outcomes.filter((one) => one.workers === workers);
  const tried = own.filter(({ seed }) => seed === seeds[0]);
  if (target === null || tried.length === 0) return null;
  const reached = tried.flatMap((one) => {
    const steps = stepsOf(one, target);
    return steps === null ? [] : [{ one, steps }];
  });
  reached.sort((a, b) => a.steps - b.steps);
  const best = reached[0]?.one ?? null;
  const runs = best === null ? [] : own.filter(({ doublings }) => doublings === best.doublings);
  const ordered = seeds.flatMap((seed) => runs.find((run) => run.seed === seed) ?? []);
  const bySeed = ordered.map((run) => stepsOf(run, target) ?? run.numSteps);
  const doublings = best?.doublings ?? nearest(tried);
  const without = tried.filter((one) => stepsOf(one, target) === null);
  return {
    workers,
    batch: workers * workerBatch,
    doublings,
    rate: rateOf(question, doublings),
    bySeed,
    seeds: ordered.map(({ seed }) => seed),
    numShort: ordered.filter((run) => stepsOf(run, target) === null).length,
    steps: best === null ? null : studentInterval(bySeed),
    without: Math.max(0, ...without.map(({ numSteps }) => numSteps)),
    numRates: tried.length,
  };
}

/** The learning rate of the run with the lowest loss, where none came to the target. */
function nearest(tried: readonly ScaleOutcome[]): number {
  const least = ({ curve, isDiverged }: ScaleOutcome) =>
    isDiverged ? Number.POSITIVE_INFINITY : Math.min(Number.POSITIVE_INFINITY, ...curve.map(({ loss }) => loss));
  return tried.reduce((best, one) => (least(one) < least(best) ? one : best)).doublings;
}

/** All numbers of workers of which runs are done, ascending. */
export function allWorkers(question: ScaleQuestion, outcomes: readonly ScaleOutcome[]): ScaledTo[] {
  return question.workers.flatMap((workers) => atWorkers(question, outcomes, workers) ?? []);
}

/** The steps of more workers over those of fewer, by seed; null where one of them never came to the target. */
export function ratioOf(fewer: ScaledTo, more: ScaledTo): Interval | null {
  const pairs = more.seeds.flatMap((seed, i) => {
    const at = fewer.seeds.indexOf(seed);
    return at < 0 ? [] : [{ more: more.bySeed[i] ?? Number.NaN, fewer: fewer.bySeed[at] ?? Number.NaN }];
  });
  if (pairs.length === 0) return null;
  if (pairs.length > 1) {
    const { value, low, high } = ratioInterval(
      pairs,
      (pair) => pair.more,
      (pair) => pair.fewer,
    );
    return { value, low: Math.max(0, low), high };
  }
  return { value: mean(pairs.map((pair) => pair.more / pair.fewer)), low: Number.NaN, high: Number.NaN };
}

/** Whether more workers save too few steps: a tenth at most where they are twice as many, and as much for each doubling. */
export function isWorthless(fewer: ScaledTo, more: ScaledTo): boolean {
  if (fewer.steps === null) return false;
  const ratio = ratioOf(fewer, more);
  return more.steps === null || ratio === null || ratio.value > WORTH ** Math.log2(more.workers / fewer.workers);
}

/** Where the limit is. */
export interface Limit {
  /** The number of workers beyond which more are wasted; null where it was not found. */
  readonly workers: number | null;
  /** The first number that was not worth it, and its share of the steps of the limit; null where it never came to the target. */
  readonly next: number | null;
  readonly ratio: Interval | null;
}

/** The smallest number of workers of which the next one is worthless. */
export function limitOf(all: readonly ScaledTo[]): Limit {
  for (const [i, here] of all.entries()) {
    const next = all[i + 1];
    if (next && isWorthless(here, next))
      return { workers: here.workers, next: next.workers, ratio: next.steps === null ? null : ratioOf(here, next) };
  }
  return { workers: null, next: null, ratio: null };
}

/** Least steps and the critical batch, of a curve of steps over batches. */
export interface Critical {
  /** Steps that no batch goes below. */
  readonly leastSteps: number;
  /** The batch with twice the least steps, in examples. */
  readonly batch: number;
}

/**
 * The curve S(B) = S_min (1 + B_crit / B) through the steps at each batch (McCandlish et al. 2018, equation 2.7), by least squares of
 * relative errors. Null of fewer than three batches, and where steps fall as fast as batches grow, so that no limit is in sight.
 */
export function criticalBatch(points: readonly { readonly batch: number; readonly steps: number }[]): Critical | null {
  if (points.length < 3) return null;
  // Both sides over S: 1 = a / S + c / (B S), in which a = S_min and c = S_min B_crit are linear.
  const rows = points.map(({ batch, steps }) => [1 / steps, 1 / (batch * steps)] as const);
  const sum = (of: (row: readonly [number, number]) => number) => rows.reduce((total, row) => total + of(row), 0);
  const [uu, uv, vv] = [sum(([u]) => u * u), sum(([u, v]) => u * v), sum(([, v]) => v * v)];
  const [u1, v1] = [sum(([u]) => u), sum(([, v]) => v)];
  const determinant = uu * vv - uv * uv;
  const [a, c] = [(u1 * vv - v1 * uv) / determinant, (v1 * uu - u1 * uv) / determinant];
  return a > 0 && c > 0 ? { leastSteps: a, batch: c / a } : null;
}
