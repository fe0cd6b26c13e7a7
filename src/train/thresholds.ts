/** Thresholds of yes or no by what wrong decisions cost. */
import { fold, type Key, permutation } from "../runtime/random.js";
import { DECISION_THRESHOLD, decidesYes } from "./class-metrics.js";
import { type Estimate, lossEstimate, meanEstimate } from "./estimates.js";
import type { Predictions } from "./evaluate.js";
import { weightsOf } from "./metrics.js";

/** What a wrong decision costs, in any unit; a right one costs nothing. */
export interface Costs {
  /** A yes where the label is no. */
  readonly falsePositive: number;
  /** A no where the label is yes. */
  readonly falseNegative: number;
}

/** Decisions on all rows, by count, and what they cost. */
export interface Decided {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly trueNegatives: number;
  readonly falseNegatives: number;
  /** The mean cost of a row, with its 95 % interval; weighted where rows have weights, as counts are not. */
  readonly cost: Estimate;
}

/** Decisions for yes from a probability of `threshold` on. */
export interface DecidedBy extends Decided {
  readonly threshold: number;
}

export interface ThresholdAdvice {
  readonly costs: Costs;
  /** The threshold of the least cost on these rows; as it was chosen on them, its cost looks lower than it is. */
  readonly least: DecidedBy;
  /**
   * What choosing so costs on rows that it has not seen: each half of the rows decided by the threshold that the other
   * half chooses. Null with fewer than two rows.
   */
  readonly crossFitted: (Decided & { readonly thresholds: readonly [number, number] }) | null;
  /** The threshold of the least expected cost where probabilities are calibrated, {@link calibratedThreshold}. */
  readonly calibrated: DecidedBy;
  /** The threshold that is used where none is given. */
  readonly usual: DecidedBy;
  /** How much more a row costs by cross-fitted thresholds than by the calibrated one, paired, with its 95 % interval. */
  readonly difference: Estimate | null;
}

/**
 * Yes is worth it where (1 - p) falsePositive <= p falseNegative, so from
 * p = falsePositive / (falsePositive + falseNegative) on (Elkan 2001, "The foundations of cost-sensitive learning").
 */
export function calibratedThreshold({ falsePositive, falseNegative }: Costs): number {
  return falsePositive / (falsePositive + falseNegative);
}

/**
 * Compare thresholds on rows with labels 0 and 1. The halves of the cross-fit are drawn by a key.
 *
 * @param predictions - probabilities and labels of n > 0 rows
 * @example
 * const advice = thresholdAdvice({ probs, labels }, { falsePositive: 1, falseNegative: 5 }, rootKey(0));
 * console.log(advice.calibrated.threshold, advice.calibrated.cost.value, advice.crossFitted?.cost.value);
 */
export function thresholdAdvice(predictions: Predictions, costs: Costs, key: Key): ThresholdAdvice {
  const n = predictions.labels.length;
  const all = Uint32Array.from({ length: n }, (_, i) => i);
  const by = (threshold: number): DecidedBy => ({ threshold, ...decided(predictions, costs, () => threshold) });
  const usual = by(DECISION_THRESHOLD);
  const calibrated = by(calibratedThreshold(costs));
  const least = by(leastCost(predictions, costs, all));
  if (n < 2) return { costs, least, crossFitted: null, calibrated, usual, difference: null };
  const order = permutation(fold(key, "halves"), n);
  const halves = [order.subarray(0, Math.floor(n / 2)), order.subarray(Math.floor(n / 2))] as const;
  const thresholds = [leastCost(predictions, costs, halves[0]), leastCost(predictions, costs, halves[1])] as const;
  const isInFirst = new Uint8Array(n);
  for (const row of halves[0]) isInFirst[row] = 1;
  const ofOther = (row: number) => thresholds[isInFirst[row] === 1 ? 1 : 0];
  const crossed = rowCosts(predictions, costs, ofOther);
  const plain = rowCosts(predictions, costs, () => calibrated.threshold);
  return {
    costs,
    least,
    crossFitted: { thresholds, ...decided(predictions, costs, ofOther) },
    calibrated,
    usual,
    difference: meanEstimate(
      crossed.map((cost, row) => cost - (plain[row] as number)),
      predictions.weights,
    ),
  };
}

type ThresholdOf = (row: number) => number;

function rowCosts({ probs, labels }: Predictions, costs: Costs, thresholdOf: ThresholdOf): Float64Array {
  return Float64Array.from(probs, (p, row) => {
    const isYes = decidesYes(p, thresholdOf(row));
    if (isYes === (labels[row] === 1)) return 0;
    return isYes ? costs.falsePositive : costs.falseNegative;
  });
}

function decided(predictions: Predictions, costs: Costs, thresholdOf: ThresholdOf): Decided {
  const { probs, labels } = predictions;
  const counts = { truePositives: 0, falsePositives: 0, trueNegatives: 0, falseNegatives: 0 };
  probs.forEach((p, row) => {
    const isPositive = labels[row] === 1;
    if (decidesYes(p, thresholdOf(row))) counts[isPositive ? "truePositives" : "falsePositives"]++;
    else counts[isPositive ? "falseNegatives" : "trueNegatives"]++;
  });
  return { ...counts, cost: lossEstimate(rowCosts(predictions, costs, thresholdOf), predictions.weights) };
}

/**
 * The threshold from 0 to 1 of the least cost on some rows. All thresholds between two neighbouring predictions decide
 * alike: of these the calibrated one, or else the one of the fewest digits. Of equal costs, that nearest to the
 * calibrated one.
 */
function leastCost({ probs, labels, weights }: Predictions, costs: Costs, rows: Uint32Array): number {
  const weightOf = weightsOf(weights);
  const wanted = calibratedThreshold(costs);
  const p = (rank: number) => probs[order[rank] as number] as number;
  const order = rows.slice().sort((a, b) => (probs[b] as number) - (probs[a] as number));
  let [falseYes, falseNo] = [0, rows.reduce((sum, row) => sum + (labels[row] === 1 ? weightOf(row) : 0), 0)];
  let best = { cost: Number.POSITIVE_INFINITY, threshold: wanted };
  // From no for all rows to yes for all, past all rows of one prediction at a time.
  for (let rank = 0, above = 1; ; ) {
    const below = rank < order.length ? p(rank) : Number.NEGATIVE_INFINITY;
    if (below < above || rank > 0) {
      const threshold = between(below, above, wanted);
      const cost = falseYes * costs.falsePositive + falseNo * costs.falseNegative;
      const isNearer = Math.abs(threshold - wanted) < Math.abs(best.threshold - wanted);
      if (cost < best.cost || (cost === best.cost && isNearer)) best = { cost, threshold };
    }
    if (rank === order.length) return best.threshold;
    above = below;
    do {
      const row = order[rank++] as number;
      if (labels[row] === 1) falseNo -= weightOf(row);
      else falseYes += weightOf(row);
    } while (rank < order.length && p(rank) === above);
  }
}

/**
 * A number above `below` and at most `above`, as float32 too: the wanted one where it is there, else the one of the
 * fewest digits.
 */
function between(below: number, above: number, wanted: number): number {
  const isThere = (x: number) => Math.min(x, Math.fround(x)) > below && Math.max(x, Math.fround(x)) <= above;
  if (isThere(wanted)) return wanted;
  const middle = (Math.max(0, below) + above) / 2;
  for (let digits = 1; digits <= 17; digits++) {
    const rounded = Number(middle.toPrecision(digits));
    if (isThere(rounded)) return rounded;
  }
  return above;
}
