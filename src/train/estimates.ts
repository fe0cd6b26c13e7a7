/** Metrics with the range that chance leaves them: 95 % confidence intervals, from the examples that were scored. */

import type { MetricName, TaskKind } from "../log/events.js";
import { classLosses, confidence, decidesYes, decisions } from "./class-metrics.js";
import type { Predictions } from "./evaluate.js";
import {
  calibrationBin,
  calibrationGaps,
  type Floats,
  type Labels,
  logLosses,
  meanOf,
  shareOf,
  totalOf,
  weightsOf,
} from "./metrics.js";
import { twoSided } from "./normal.js";
import { explainedVariance } from "./number-metrics.js";

/** A value and its 95 % confidence interval. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Standard deviations of a normal distribution that hold 95 % of it, on either side of the mean. */
export const STANDARD_ERRORS = 1.959963984540054;
const Z = STANDARD_ERRORS;

/**
 * The mean of many numbers, with the interval of the central limit theorem: mean +- z standard deviation / sqrt(n). With
 * weights w it is sum w x / sum w, and its standard error sqrt(sum w^2 (x - mean)^2 n / (n - 1)) / sum w.
 */
export function meanEstimate(values: Float64Array, weights?: Floats): Estimate {
  const weightOf = weightsOf(weights);
  const n = values.length;
  const mean = meanOf(values, weights);
  const squares = values.reduce((sum, value, i) => sum + (weightOf(i) * (value - mean)) ** 2, 0);
  return around(mean, Math.sqrt((squares * n) / (n - 1)) / totalOf(n, weights));
}

/**
 * The mean of losses, costs or squares, none of which is negative. The interval of the central limit theorem is taken of
 * the logarithm of the mean, whose standard error is that of the mean over the mean (the delta method): mean exp(+- z
 * standard error / mean). It is never below 0, and reaches farther up than down, as the tail of losses does.
 */
export function lossEstimate(values: Float64Array, weights?: Floats): Estimate {
  const { value, high } = meanEstimate(values, weights);
  const factor = value === 0 ? 1 : Math.exp((high - value) / value);
  return { value, low: value / factor, high: value * factor };
}

/**
 * The share of n examples for which something holds, with Wilson's score interval (Wilson 1927), which stays inside 0
 * and 1.
 */
export function shareEstimate(numHolding: number, n: number): Estimate {
  const share = numHolding / n;
  const centre = (share + Z ** 2 / (2 * n)) / (1 + Z ** 2 / n);
  const half = (Z / (1 + Z ** 2 / n)) * Math.sqrt((share * (1 - share)) / n + Z ** 2 / (4 * n ** 2));
  return { value: share, low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}

/**
 * The area under the ROC curve with the variance of DeLong et al. 1988, from mid-ranks (Sun and Xu 2014): the share of
 * negatives below each positive, and of positives above each negative, vary independently. NaN where a class is missing.
 */
export function aucEstimate(scores: Floats, labels: Labels, weights?: Floats): Estimate {
  const { value, low, high } = ofPlacements(placementsOf(scores, labels, weights), labels, weights);
  return { value, low: Math.max(0, low), high: Math.min(1, high) };
}

/** A difference with the p value of the two-sided test that it is 0. */
export interface Difference extends Estimate {
  readonly pValue: number;
}

/**
 * The area under the ROC curve of one model less that of another on the same examples, by the test of DeLong et al. 1988 for
 * correlated curves: the variance is that of the differences between what each example adds to either, in O(n log n) by mid-ranks
 * (Sun and Xu 2014). NaN where a class is missing.
 */
export function aucDifference(own: Floats, other: Floats, labels: Labels, weights?: Floats): Difference {
  const [a, b] = [placementsOf(own, labels, weights), placementsOf(other, labels, weights)];
  const difference = ofPlacements(
    a.map((value, i) => value - (b[i] as number)),
    labels,
    weights,
  );
  return { ...difference, pValue: twoSided(difference.value, (difference.high - difference.value) / Z) };
}

/** Of each positive the share of negatives below it, of each negative the share of positives above it; ties count half. */
function placementsOf(scores: Floats, labels: Labels, weights?: Floats): Float64Array {
  const weightOf = weightsOf(weights);
  const isPositive = (i: number) => labels[i] === 1;
  const order = Uint32Array.from(scores, (_, i) => i).sort((a, b) => (scores[a] as number) - (scores[b] as number));
  const sum = (of: Uint32Array) => of.reduce((total, i) => total + weightOf(i), 0);
  const allPositive = sum(order.filter(isPositive));
  const allNegative = sum(order.filter((i) => !isPositive(i)));
  const placements = new Float64Array(order.length);
  let [positivesBefore, negativesBefore] = [0, 0];
  for (let start = 0, end = 0; start < order.length; start = end) {
    while (end < order.length && scores[order[end] as number] === scores[order[start] as number]) end++;
    // A score that is not a number is not equal to itself.
    if (end === start) return placements.fill(Number.NaN);
    const tied = order.subarray(start, end);
    const [positives, negatives] = [sum(tied.filter(isPositive)), sum(tied.filter((i) => !isPositive(i)))];
    const below = (negativesBefore + negatives / 2) / allNegative;
    const above = (allPositive - positivesBefore - positives / 2) / allPositive;
    for (const i of tied) placements[i] = isPositive(i) ? below : above;
    positivesBefore += positives;
    negativesBefore += negatives;
  }
  return placements;
}

/** The mean of the placements, whose two means are equal but vary independently. */
function ofPlacements(placements: Float64Array, labels: Labels, weights?: Floats): Estimate {
  const estimateOf = (isOf: (label: number) => boolean) => {
    const rows = Uint32Array.from(placements, (_, i) => i).filter((i) => isOf(labels[i] as number));
    return meanEstimate(
      Float64Array.from(rows, (i) => placements[i] as number),
      weights && Float64Array.from(rows, weightsOf(weights)),
    );
  };
  const [ofPositives, ofNegatives] = [estimateOf((label) => label === 1), estimateOf((label) => label !== 1)];
  const error = Math.hypot(ofPositives.high - ofPositives.value, ofNegatives.high - ofNegatives.value) / Z;
  return around(ofPositives.value, error);
}

/**
 * The calibration error, as the mean over the examples of sign (p - hit), with the sign of the gap of the example's
 * bin. The interval is that of this mean, as if the signs were known. Where a bin's gap is within chance they are not,
 * and then the error of a calibrated model is never 0: with few examples, read it as an upper bound.
 */
export function calibrationEstimate(predicted: Floats, isHit: (i: number) => boolean, weights?: Floats): Estimate {
  const signs = calibrationGaps(predicted, isHit, weights).map(Math.sign);
  const own = (p: number, i: number) => (signs[calibrationBin(p)] as number) * (p - Number(isHit(i)));
  const { value, low, high } = meanEstimate(Float64Array.from(predicted, own), weights);
  return { value, low: Math.max(0, low), high: Math.min(1, high) };
}

/** The 95 % interval of a normal distribution: value +- z standard error. */
export function around(value: number, error: number): Estimate {
  return { value, low: value - Z * error, high: value + Z * error };
}

/** The loss and the metrics of a task that have such an interval. */
export type Estimates = Readonly<Partial<Record<"loss" | Exclude<MetricName, "logLoss">, Estimate>>>;

const estimators: { readonly [K in TaskKind]: (predictions: Predictions) => Estimates } = {
  binary: ({ probs, labels, weights }) => ({
    loss: lossEstimate(logLosses(probs, labels), weights),
    auc: aucEstimate(probs, labels, weights),
    accuracy: hitEstimate(labels.length, (i) => decidesYes(probs[i] ?? 0) === (labels[i] === 1), weights),
    calibrationError: calibrationEstimate(probs, (i) => labels[i] === 1, weights),
  }),
  multiclass: ({ probs, labels, weights }) => {
    const numClasses = probs.length / labels.length;
    const decided = decisions(probs, numClasses);
    const { predicted, isHit } = confidence(probs, labels);
    return {
      loss: lossEstimate(classLosses(probs, labels), weights),
      accuracy: hitEstimate(labels.length, (i) => decided[i] === labels[i], weights),
      calibrationError: calibrationEstimate(predicted, isHit, weights),
    };
  },
  regression: ({ probs, labels, weights }) => {
    const difference = (i: number) => (probs[i] as number) - (labels[i] as number);
    const squares = lossEstimate(
      Float64Array.from(probs, (_, i) => difference(i) ** 2),
      weights,
    );
    // 1 - squares / variance, the variance being taken for known.
    const r2 = explainedVariance(probs, labels, weights);
    const ofVariance = (value: number) => 1 - ((1 - r2) * value) / squares.value;
    return {
      rmse: {
        value: Math.sqrt(squares.value),
        low: Math.sqrt(squares.low),
        high: Math.sqrt(squares.high),
      },
      mae: lossEstimate(
        Float64Array.from(probs, (_, i) => Math.abs(difference(i))),
        weights,
      ),
      r2: { value: r2, low: ofVariance(squares.high), high: ofVariance(squares.low) },
    };
  },
};

/** The estimates of a task's loss and metrics. The loss is that of the labels as they are, without weights of classes. */
export function estimatesOf(task: TaskKind, predictions: Predictions): Estimates {
  return estimators[task](predictions);
}

/** The share of hits among n examples with its interval; with weights, as of the (sum w)^2 / sum w^2 examples that they count as. */
export function hitEstimate(n: number, isHit: (i: number) => boolean, weights?: Floats): Estimate {
  const share = shareOf(n, isHit, weights);
  if (!weights) return shareEstimate(Math.round(share * n), n);
  const effective =
    totalOf(n, weights) ** 2 /
    totalOf(
      n,
      weights.map((weight) => weight ** 2),
    );
  return shareEstimate(share * effective, effective);
}
