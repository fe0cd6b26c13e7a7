/** Reliability: whether what is predicted with a probability of 30 % happens in 30 % of the cases. */
import { type Estimate, hitEstimate } from "./estimates.js";
import { type Floats, totalOf, weightsOf } from "./metrics.js";

/** Examples whose predictions are near one another. */
export interface ReliabilityBin {
  readonly rows: number;
  /** The least, the mean and the largest predicted probability of its examples. */
  readonly least: number;
  readonly meanPrediction: number;
  readonly most: number;
  /** The share of its examples that are hits, with Wilson's 95 % interval. */
  readonly observed: Estimate;
}

/** The most bins, and the fewest examples of a bin where there are more bins than one. */
const MOST_BINS = 10;
const LEAST_ROWS = 20;

/**
 * The examples by predicted probability in at most 10 bins of about equal size, the least probable first; equal
 * predictions are in one bin. Bins of equal size say something of rare events too, where nearly all examples share one
 * bin of equal width, such as those of `calibrationError`.
 *
 * @param predicted - a probability for each of n > 0 examples: [n]
 * @param isHit - whether what example i was predicted for has happened
 * @param weights - of the examples in means and shares, not in the size of bins; 1 each by default: [n]
 * @example
 * const bins = reliability(probs, (i) => labels[i] === 1);
 * for (const { meanPrediction, observed } of bins) console.log(meanPrediction, observed.low, observed.high);
 */
export function reliability(predicted: Floats, isHit: (i: number) => boolean, weights?: Floats): ReliabilityBin[] {
  const weightOf = weightsOf(weights);
  const n = predicted.length;
  const order = Uint32Array.from(predicted, (_, i) => i).sort((a, b) => at(predicted, a) - at(predicted, b));
  const ranked = (rank: number) => at(predicted, order[rank] as number);
  const bins: ReliabilityBin[] = [];
  const most = Math.min(MOST_BINS, Math.max(1, Math.floor(n / LEAST_ROWS)));
  for (let start = 0; start < n; ) {
    let end = start + Math.ceil((n - start) / Math.max(1, most - bins.length));
    while (end < n && ranked(end) === ranked(end - 1)) end++;
    const rows = order.subarray(start, end);
    const sum = rows.reduce((sum, i) => sum + weightOf(i) * at(predicted, i), 0);
    const own = weights && Float64Array.from(rows, weightOf);
    bins.push({
      rows: rows.length,
      least: ranked(start),
      meanPrediction: sum / totalOf(rows.length, own),
      most: ranked(end - 1),
      observed: hitEstimate(rows.length, (k) => isHit(rows[k] as number), own),
    });
    start = end;
  }
  return bins;
}

function at(values: Floats, i: number): number {
  return values[i] as number;
}
