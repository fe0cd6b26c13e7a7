/** Measures of predicted numbers, computed in float64 on the host. */
import type { Floats, Labels } from "./metrics.js";

/** Mean of a function of prediction less label. */
export function meanError(predicted: Floats, labels: Labels, error: (difference: number) => number): number {
  let sum = 0;
  for (let i = 0; i < predicted.length; i++) sum += error((predicted[i] as number) - (labels[i] as number));
  return sum / predicted.length;
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
 * predictions worse than the mean; NaN when all labels are equal.
 */
export function explainedVariance(predicted: Floats, labels: Labels): number {
  const numbers = Array.from(labels as Float32Array);
  const mean = numbers.reduce((sum, label) => sum + label, 0) / numbers.length;
  const total = numbers.reduce((sum, label) => sum + (label - mean) ** 2, 0) / numbers.length;
  return total === 0 ? Number.NaN : 1 - meanError(predicted, labels, errors.squared) / total;
}
