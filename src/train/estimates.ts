/** Metrics with the range that chance leaves them: 95 % confidence intervals, from the examples that were scored. */

import type { MetricName, TaskKind } from "../log/events.js";
import { classLosses, confidence, decidesYes, decisions } from "./class-metrics.js";
import type { Predictions } from "./evaluate.js";
import { calibrationBin, calibrationGaps, type Floats, type Labels, logLosses, shareOf } from "./metrics.js";
import { explainedVariance } from "./number-metrics.js";

/** A value and its 95 % confidence interval. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Standard deviations of a normal distribution that hold 95 % of it. */
const Z = 1.959964;

/** The mean of many numbers, with the interval of the central limit theorem: mean +- z standard deviation / sqrt(n). */
export function meanEstimate(values: Float64Array): Estimate {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1);
  return around(mean, Math.sqrt(variance / n));
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
export function aucEstimate(scores: Floats, labels: Labels): Estimate {
  const order = Uint32Array.from(scores, (_, i) => i).sort((a, b) => (scores[a] as number) - (scores[b] as number));
  const numPositive = Math.round(shareOf(labels.length, (i) => labels[i] === 1) * labels.length);
  const numNegative = labels.length - numPositive;
  // For each positive the share of negatives below it, for each negative the share of positives above it; ties count
  // half.
  const placements = { positive: sums(), negative: sums() };
  let [positivesBefore, negativesBefore] = [0, 0];
  for (let start = 0; start < order.length; ) {
    let end = start;
    let [positives, negatives] = [0, 0];
    for (; end < order.length && scores[order[end] as number] === scores[order[start] as number]; end++) {
      if (labels[order[end] as number] === 1) positives++;
      else negatives++;
    }
    const below = (negativesBefore + negatives / 2) / numNegative;
    const above = (numPositive - positivesBefore - positives / 2) / numPositive;
    add(placements.positive, below, positives);
    add(placements.negative, above, negatives);
    positivesBefore += positives;
    negativesBefore += negatives;
    start = end;
  }
  const variance =
    varianceOf(placements.positive, numPositive) / numPositive +
    varianceOf(placements.negative, numNegative) / numNegative;
  const { value, low, high } = around(placements.positive.sum / numPositive, Math.sqrt(variance));
  return { value, low: Math.max(0, low), high: Math.min(1, high) };
}

/**
 * The calibration error, as the mean over the examples of sign (p - hit), with the sign of the gap of the example's
 * bin. The interval is that of this mean, as if the signs were known. Where a bin's gap is within chance they are not,
 * and then the error of a calibrated model is never 0: with few examples, read it as an upper bound.
 */
export function calibrationEstimate(predicted: Floats, isHit: (i: number) => boolean): Estimate {
  const signs = calibrationGaps(predicted, isHit).map(Math.sign);
  const own = (p: number, i: number) => (signs[calibrationBin(p)] as number) * (p - Number(isHit(i)));
  const { value, low, high } = meanEstimate(Float64Array.from(predicted, own));
  return { value, low: Math.max(0, low), high: Math.min(1, high) };
}

interface Sums {
  sum: number;
  squares: number;
}

const sums = (): Sums => ({ sum: 0, squares: 0 });

function add(sums: Sums, value: number, times: number): void {
  sums.sum += value * times;
  sums.squares += value ** 2 * times;
}

function varianceOf({ sum, squares }: Sums, n: number): number {
  return Math.max(0, (squares - sum ** 2 / n) / (n - 1));
}

/** The 95 % interval of a normal distribution: value +- z standard error. */
export function around(value: number, error: number): Estimate {
  return { value, low: value - Z * error, high: value + Z * error };
}

/** The loss and the metrics of a task that have such an interval. */
export type Estimates = Readonly<Partial<Record<"loss" | Exclude<MetricName, "logLoss">, Estimate>>>;

const estimators: { readonly [K in TaskKind]: (predictions: Predictions) => Estimates } = {
  binary: ({ probs, labels }) => ({
    loss: meanEstimate(logLosses(probs, labels)),
    auc: aucEstimate(probs, labels),
    accuracy: hits(labels.length, (i) => decidesYes(probs[i] ?? 0) === (labels[i] === 1)),
    calibrationError: calibrationEstimate(probs, (i) => labels[i] === 1),
  }),
  multiclass: ({ probs, labels }) => {
    const numClasses = probs.length / labels.length;
    const decided = decisions(probs, numClasses);
    const { predicted, isHit } = confidence(probs, labels);
    return {
      loss: meanEstimate(classLosses(probs, labels)),
      accuracy: hits(labels.length, (i) => decided[i] === labels[i]),
      calibrationError: calibrationEstimate(predicted, isHit),
    };
  },
  regression: ({ probs, labels }) => {
    const difference = (i: number) => (probs[i] as number) - (labels[i] as number);
    const squares = meanEstimate(Float64Array.from(probs, (_, i) => difference(i) ** 2));
    // 1 - squares / variance, the variance being taken for known.
    const r2 = explainedVariance(probs, labels);
    const ofVariance = (value: number) => 1 - ((1 - r2) * value) / squares.value;
    return {
      rmse: {
        value: Math.sqrt(squares.value),
        low: Math.sqrt(Math.max(0, squares.low)),
        high: Math.sqrt(squares.high),
      },
      mae: meanEstimate(Float64Array.from(probs, (_, i) => Math.abs(difference(i)))),
      r2: { value: r2, low: ofVariance(squares.high), high: ofVariance(squares.low) },
    };
  },
};

/** The estimates of a task's loss and metrics. The loss is that of the labels as they are, unweighted. */
export function estimatesOf(task: TaskKind, predictions: Predictions): Estimates {
  return estimators[task](predictions);
}

function hits(n: number, isHit: (i: number) => boolean): Estimate {
  return shareEstimate(Math.round(shareOf(n, isHit) * n), n);
}
