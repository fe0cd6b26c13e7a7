/** Measures of predictions, computed in float64 on the host. */

/** The labels of examples: 0 or 1, class indices, or numbers. */
export type Labels = Float32Array | Float64Array | Int32Array;

/** Predictions: float32, or float64 for numbers that float32 cannot tell apart. */
export type Floats = Float32Array | Float64Array;

/** The weight of an example in a metric: 1 where the examples have none. */
export function weightsOf(weights: Floats | undefined): (i: number) => number {
  return weights ? (i) => weights[i] as number : () => 1;
}

/** Least distance of a probability from 0 and 1 when its logarithm is taken: that of a float32 from 1, about. */
export const LEAST_PROB = 1e-7;

/**
 * Mean of -y log p - (1 - y) log(1 - p) in nats; probabilities are kept away from 0 and 1 by 1e-7. With a weight on the
 * positive label, and with weights of the examples, the mean over the products of both.
 */
export function logLoss(probs: Floats, labels: Labels, positiveWeight = 1, weights?: Floats): number {
  const weightOf = weightsOf(weights);
  let sum = 0;
  let total = 0;
  for (let i = 0; i < probs.length; i++) {
    const p = Math.min(1 - LEAST_PROB, Math.max(LEAST_PROB, probs[i] ?? Number.NaN));
    const isPositive = labels[i] === 1;
    sum -= weightOf(i) * (isPositive ? positiveWeight * Math.log(p) : Math.log1p(-p));
    total += weightOf(i) * (isPositive ? positiveWeight : 1);
  }
  return sum / total;
}

/** The loss of each example whose mean {@link logLoss} is, without weights: [examples], in nats. */
export function logLosses(probs: Floats, labels: Labels): Float64Array {
  return Float64Array.from(probs, (p, i) => -Math.log(Math.max(LEAST_PROB, labels[i] === 1 ? p : 1 - p)));
}

/**
 * Area under the ROC curve: the chance that a positive example is ranked above a negative one, ties counted half.
 * NaN when one of the classes is missing. With weights of the examples, a pair counts by the product of its two.
 */
export function auc(probs: Floats, labels: Labels, weights?: Floats): number {
  if (weights) return weightedAuc(probs, labels, weights);
  const positives = probs.filter((_, i) => labels[i] === 1).sort();
  const negatives = probs.filter((_, i) => labels[i] !== 1).sort();
  let below = 0;
  let notAbove = 0;
  let wins = 0;
  for (const p of positives) {
    while (below < negatives.length && (negatives[below] ?? 0) < p) below++;
    while (notAbove < negatives.length && (negatives[notAbove] ?? 0) <= p) notAbove++;
    wins += (below + notAbove) / 2;
  }
  return wins / (positives.length * negatives.length);
}

function weightedAuc(probs: Floats, labels: Labels, weights: Floats): number {
  const order = Uint32Array.from(probs, (_, i) => i).sort((a, b) => (probs[a] as number) - (probs[b] as number));
  let [wins, positives, negatives] = [0, 0, 0];
  for (let start = 0, end = 0; start < order.length; start = end) {
    let [positive, negative] = [0, 0];
    for (; end < order.length && probs[order[end] as number] === probs[order[start] as number]; end++) {
      const row = order[end] as number;
      if (labels[row] === 1) positive += weights[row] as number;
      else negative += weights[row] as number;
    }
    wins += positive * (negatives + negative / 2);
    positives += positive;
    negatives += negative;
    // A NaN is not equal to itself, and makes the area one too.
    if (end === start) return Number.NaN;
  }
  return wins / (positives * negatives);
}

/** Mean absolute difference between two sets of predictions: between retrained models, the paper's churn. */
export function meanAbsoluteDifference(a: Floats, b: Floats): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs((a[i] ?? 0) - (b[i] ?? 0));
  return sum / a.length;
}

/** The mean of several sets of predictions: an ensemble. */
export function meanOfProbs(sets: readonly Floats[]): Float32Array {
  return Float32Array.from(
    sets[0] ?? [],
    (_, i) => sets.reduce((sum, probs) => sum + (probs[i] ?? 0), 0) / sets.length,
  );
}

/** Bins of {@link calibrationError}. */
const CALIBRATION_BINS = 15;

/**
 * Expected calibration error over 15 bins of equal width on [0, 1] (Guo et al. 2017): the mean over the examples of
 * |mean prediction - share of hits| of the bin that their prediction p is in, bin min(14, floor(15 p)).
 */
export function calibrationError(predicted: Floats, isHit: (i: number) => boolean, weights?: Floats): number {
  if (!predicted.every((p) => p >= 0 && p <= 1)) return Number.NaN;
  const gaps = calibrationGaps(predicted, isHit, weights);
  return gaps.reduce((sum, gap) => sum + Math.abs(gap), 0) / totalOf(predicted.length, weights);
}

/** The sum of predictions less the number of hits, for each bin of {@link calibrationError}; both weighted. */
export function calibrationGaps(predicted: Floats, isHit: (i: number) => boolean, weights?: Floats): Float64Array {
  const weightOf = weightsOf(weights);
  const gaps = new Float64Array(CALIBRATION_BINS);
  predicted.forEach((p, i) => {
    gaps[calibrationBin(p)]! += weightOf(i) * (p - Number(isHit(i)));
  });
  return gaps;
}

/** The bin that a prediction is in. */
export function calibrationBin(p: number): number {
  return Math.min(CALIBRATION_BINS - 1, Math.floor(CALIBRATION_BINS * p));
}

/** The mean of a value of examples, by their weights. */
export function meanOf(values: ArrayLike<number>, weights?: Floats): number {
  const weightOf = weightsOf(weights);
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += weightOf(i) * (values[i] as number);
  return sum / totalOf(values.length, weights);
}

/** Share of examples for which a condition holds, by their weights. */
export function shareOf(numExamples: number, holds: (i: number) => boolean, weights?: Floats): number {
  const weightOf = weightsOf(weights);
  let sum = 0;
  for (let i = 0; i < numExamples; i++) if (holds(i)) sum += weightOf(i);
  return sum / totalOf(numExamples, weights);
}

/** The sum of the weights of examples: their number where they have none. */
export function totalOf(numExamples: number, weights?: Floats): number {
  if (!weights) return numExamples;
  let sum = 0;
  for (const weight of weights) sum += weight;
  return sum;
}
