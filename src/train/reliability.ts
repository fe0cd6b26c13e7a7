/** Reliability: whether what is predicted with a probability of 30 % happens in 30 % of the cases. */
import { type Estimate, shareEstimate } from "./estimates.js";
import type { Floats } from "./metrics.js";

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
 * @example
 * const bins = reliability(probs, (i) => labels[i] === 1);
 * for (const { meanPrediction, observed } of bins) console.log(meanPrediction, observed.low, observed.high);
 */
export function reliability(predicted: Floats, isHit: (i: number) => boolean): ReliabilityBin[] {
  const n = predicted.length;
  const order = Uint32Array.from(predicted, (_, i) => i).sort((a, b) => at(predicted, a) - at(predicted, b));
  const ranked = (rank: number) => at(predicted, order[rank] as number);
  const bins: ReliabilityBin[] = [];
  const most = Math.min(MOST_BINS, Math.max(1, Math.floor(n / LEAST_ROWS)));
  for (let start = 0; start < n; ) {
    let end = start + Math.ceil((n - start) / Math.max(1, most - bins.length));
    while (end < n && ranked(end) === ranked(end - 1)) end++;
    const rows = order.subarray(start, end);
    const sum = rows.reduce((sum, i) => sum + at(predicted, i), 0);
    const hits = rows.reduce((count, i) => count + Number(isHit(i)), 0);
    bins.push({
      rows: rows.length,
      least: ranked(start),
      meanPrediction: sum / rows.length,
      most: ranked(end - 1),
      observed: shareEstimate(hits, rows.length),
    });
    start = end;
  }
  return bins;
}

function at(values: Floats, i: number): number {
  return values[i] as number;
}
