/** Measures of predicted numbers, computed in float64 on the host. */
import { type Floats, type Labels, meanOf, totalOf, weightsOf } from "./metrics.js";

/** Mean of a function of prediction less label, by the weights of the examples. */
export function meanError(
  predicted: Floats,
  labels: Labels,
  error: (difference: number) => number,
  weights?: Floats,
): number {
  const weightOf = weightsOf(weights);
  let sum = 0;
  for (let i = 0; i < predicted.length; i++)
    sum += weightOf(i) * error((predicted[i] as number) - (labels[i] as number));
  return sum / totalOf(predicted.length, weights);
}

/** Errors of a difference by name, as in training. */
export const errors = {
  squared: (difference: number) => difference ** 2,
  absolute: Math.abs,
  /** d^2 / 2 up to `delta`, and delta (|d| - delta / 2) beyond (Huber 1964). */
  huber: (difference: number, delta: number) => {
    const size = Math.abs(difference);
    return size <= delta ? size ** 2 / 2 : delta * (size - delta / 2);
  },
} as const;

/**
 * Share of the labels' variance that is explained: 1 - sum (p - y)^2 / sum (y - mean y)^2, in these examples. Below 0 for
 * predictions worse than the mean; NaN when all labels are equal. Sums and mean are weighted as the examples are.
 */
export function explainedVariance(predicted: Floats, labels: Labels, weights?: Floats): number {
  const mean = meanOf(labels, weights);
  const total = meanOf(
    Float64Array.from(labels as Float32Array, (label) => (label - mean) ** 2),
    weights,
  );
  return total === 0 ? Number.NaN : 1 - meanError(predicted, labels, errors.squared, weights) / total;
}
