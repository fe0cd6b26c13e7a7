/**
 * Intervals of predicted numbers from errors on rows that training has not seen: split conformal prediction (Papadopoulos
 * et al. 2002; Lei et al. 2018, "Distribution-free predictive inference for regression").
 */
import { type Estimate, hitEstimate } from "./estimates.js";
import type { Predictions } from "./evaluate.js";
import { totalOf, weightsOf } from "./metrics.js";

/**
 * Some of the sorted errors, label less prediction, of `count` rows: values[k] is the ranks[k]-th smallest, 1 being the
 * least. In the scale in which numbers are learned: the unit of the label, or its natural logarithm.
 */
export interface Errors {
  readonly count: number;
  readonly ranks: readonly number[];
  readonly values: readonly number[];
}

/** What is added to a prediction for the ends of its interval, in the scale of the errors. */
export interface Offsets {
  readonly low: number;
  readonly high: number;
}

/** How predictions and labels differ in the scale in which numbers are learned, and what an error makes of a prediction. */
export interface ErrorScale {
  /** Label less prediction of each row: [rows]. */
  errors(predictions: Predictions): Float64Array;
  /** A prediction moved by an error, in the unit of the label. */
  moved(prediction: number, error: number): number;
}

/** The most errors that a model keeps. */
const MOST_KEPT = 501;

/**
 * The errors to keep, with 7 digits: all, or as many spread evenly over their ranks, the least and the largest among
 * them.
 */
export function keptErrors(errors: Float64Array, most = MOST_KEPT): Errors {
  const sorted = errors.filter(Number.isFinite).sort();
  const count = sorted.length;
  const kept = Math.min(count, most);
  const ranks = Array.from({ length: kept }, (_, k) => 1 + Math.round((k * (count - 1)) / Math.max(1, kept - 1)));
  return { count, ranks, values: ranks.map((rank) => Number((sorted[rank - 1] as number).toPrecision(7))) };
}

/**
 * The offsets of an interval that holds the label with a probability of at least `level`, for a row that is exchangeable
 * with those of the errors: of n errors, the floor((n + 1) a / 2)-th and the ceil((n + 1) (1 - a / 2))-th smallest, with
 * a = 1 - level; where these are not kept, the next ones outwards. That probability is over all rows: where some kinds
 * of rows are harder than others, they are missed more often.
 *
 * @param level - above 0 and below 1
 * @returns null where there are too few errors for the level: fewer than about 2 / (1 - level)
 */
export function offsetsFor({ count, ranks, values }: Errors, level: number): Offsets | null {
  const half = (1 - level) / 2;
  // Guards the ranks against products such as 0.05 * 40 = 2.0000000000000004.
  const lowRank = Math.floor((count + 1) * half + 1e-9);
  const highRank = Math.ceil((count + 1) * (1 - half) - 1e-9);
  const low = values[ranks.findLastIndex((rank) => rank <= lowRank)];
  const high = values[ranks.findIndex((rank) => rank >= highRank)];
  return low === undefined || high === undefined ? null : { low, high };
}

/** The ends of the interval around a prediction, in the unit of the label. */
export function intervalAround(prediction: number, { low, high }: Offsets, { moved }: Pick<ErrorScale, "moved">) {
  return { low: moved(prediction, low), high: moved(prediction, high) };
}

/** How often intervals of a level hold the label, and how wide they are on average, in its unit. */
export interface Coverage {
  readonly level: number;
  /** The share of rows whose label is in the interval, with Wilson's 95 % interval. */
  readonly held: Estimate;
  readonly meanWidth: number;
}

const LEVELS = [0.5, 0.8, 0.9, 0.95] as const;

/** The coverage of the intervals of a model, for each of some levels that its errors are enough for. */
export function coverageOf(
  { probs, labels, weights }: Predictions,
  errors: Errors,
  scale: Pick<ErrorScale, "moved">,
): Coverage[] {
  const n = labels.length;
  const weightOf = weightsOf(weights);
  return LEVELS.flatMap((level) => {
    const offsets = offsetsFor(errors, level);
    if (offsets === null) return [];
    let width = 0;
    const isHeld = Uint8Array.from(labels, (label, row) => {
      const { low, high } = intervalAround(probs[row] as number, offsets, scale);
      width += weightOf(row) * (high - low);
      return Number(low <= label && label <= high);
    });
    const held = hitEstimate(n, (row) => isHeld[row] === 1, weights);
    return [{ level, held, meanWidth: width / totalOf(n, weights) }];
  });
}
