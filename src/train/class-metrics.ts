/**
 * Measures of the probabilities of several classes: `probs` is [examples, classes] and `labels` hold class indices.
 * Computed in float64 on the host.
 */
import { auc, calibrationError, type Floats, type Labels, LEAST_PROB, shareOf, weightsOf } from "./metrics.js";

/**
 * Mean of -log p of the label in nats, over the weights of the labels' classes and of the examples; 1 each by default.
 * Probabilities are kept away from 0 by 1e-7.
 */
export function classLogLoss(
  probs: Floats,
  labels: Labels,
  classWeights?: readonly number[],
  weights?: Floats,
): number {
  const weightOf = weightsOf(weights);
  const numClasses = probs.length / labels.length;
  let sum = 0;
  let total = 0;
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i] as number;
    const weight = weightOf(i) * (classWeights ? (classWeights[label] as number) : 1);
    sum -= weight * Math.log(Math.max(LEAST_PROB, probs[i * numClasses + label] ?? Number.NaN));
    total += weight;
  }
  return sum / total;
}

/** The probability from which on a model decides for the positive label, unless another threshold is asked for. */
export const DECISION_THRESHOLD = 0.5;

/** Whether a probability of the positive label decides for it: from the threshold on. */
export function decidesYes(p: number, threshold = DECISION_THRESHOLD): boolean {
  return p >= threshold;
}

/** The loss of each example whose mean {@link classLogLoss} is, without weights: [examples], in nats. */
export function classLosses(probs: Floats, labels: Labels): Float64Array {
  const numClasses = probs.length / labels.length;
  const own = (label: number, i: number) => probs[i * numClasses + label] ?? Number.NaN;
  return Float64Array.from(labels, (label, i) => -Math.log(Math.max(LEAST_PROB, own(label, i))));
}

/** The most probable class of each example; of equal ones the first. */
export function decisions(probs: Floats, numClasses: number): Int32Array {
  return Int32Array.from({ length: probs.length / numClasses }, (_, i) => {
    let best = 0;
    for (let k = 1; k < numClasses; k++) {
      if ((probs[i * numClasses + k] as number) > (probs[i * numClasses + best] as number)) best = k;
    }
    return best;
  });
}

/** Share of examples whose label is among the `k` most probable classes; of equal ones the first count as more probable. */
export function topAccuracy(probs: Floats, labels: Labels, k: number, weights?: Floats): number {
  const numClasses = probs.length / labels.length;
  const isAmong = (i: number) => {
    const label = labels[i] as number;
    const own = probs[i * numClasses + label] as number;
    let numAbove = 0;
    for (let other = 0; other < numClasses; other++) {
      const p = probs[i * numClasses + other] as number;
      if (p > own || (p === own && other < label)) numAbove++;
    }
    return numAbove < k;
  };
  return shareOf(labels.length, isAmong, weights);
}

/**
 * Mean over the classes of the area under the ROC curve of each against all others (macro, one-vs-rest). Classes that no
 * example has, or all have, do not count; NaN when none counts.
 */
export function macroAuc(probs: Floats, labels: Labels, weights?: Floats): number {
  const numClasses = probs.length / labels.length;
  const areas = Array.from({ length: numClasses }, (_, k) => {
    const own = Float32Array.from(labels, (_, i) => probs[i * numClasses + k] as number);
    return auc(
      own,
      Int32Array.from(labels, (label) => Number(label === k)),
      weights,
    );
  }).filter((area) => !Number.isNaN(area));
  return areas.reduce((sum, area) => sum + area, 0) / areas.length;
}

/** {@link calibrationError} of the probability of the decision, a hit being that it is right. */
export function classCalibrationError(probs: Floats, labels: Labels, weights?: Floats): number {
  const { predicted, isHit } = confidence(probs, labels);
  return calibrationError(predicted, isHit, weights);
}

/** The probability of each decision, and whether it is right. */
export function confidence(probs: Floats, labels: Labels) {
  const numClasses = probs.length / labels.length;
  const decided = decisions(probs, numClasses);
  const predicted = Float32Array.from(decided, (k, i) => probs[i * numClasses + k] as number);
  return { predicted, isHit: (i: number) => decided[i] === labels[i] };
}
