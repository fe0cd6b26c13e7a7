/** Objectives beside {@link binary}: predictions, and their losses against labels and teachers. */
import { ShapeError } from "../errors.js";
import {
  add,
  constant,
  div,
  exp,
  expand,
  greater,
  log,
  mul,
  relu,
  sigmoid,
  softmax,
  sub,
  where,
} from "../graph/ops.js";
import type { Tensor } from "../graph/tensor.js";
import { scalar } from "../runtime/array.js";
import { asTwoClasses, binaryForm, type DistillLossName, distillLosses, leastValue } from "./distill-losses.js";
import {
  absoluteError,
  bestConstantLoss,
  checkedSmoothing,
  huberError,
  type LabelSmoothing,
  type SoftmaxCrossEntropyOptions,
  softmaxCrossEntropy,
  squaredError,
  weightedSigmoidCrossEntropy,
} from "./label-losses.js";
import { binaryExpectedLoss, meanLabel, meanOverRows, type Objective, safeLog } from "./losses.js";

export interface CategoricalOptions extends SoftmaxCrossEntropyOptions {
  readonly numClasses: number;
  /** psi; "softCrossEntropy" by default, the paper's. */
  readonly distillLoss?: DistillLossName | undefined;
}

/** One of several classes: logits [batch, classes], int32 labels [batch]. */
export function categorical({
  numClasses,
  distillLoss = "softCrossEntropy",
  ...options
}: CategoricalOptions): Objective {
  if (!(Number.isInteger(numClasses) && numClasses > 1)) {
    throw new ShapeError(`categorical: numClasses must be a whole number above 1, got ${numClasses}`);
  }
  const isWeighted = options.classWeights !== undefined || options.ignoreIndex !== undefined;
  return {
    labels: { shape: ["batch"], dtype: "int32" },
    probs: softmax,
    labelLoss: (logits, labels, weights) => softmaxCrossEntropy(logits, labels, options, weights),
    ...(isWeighted && { labelWeight: (labels, weights) => weightOfClasses(labels, options, weights) }),
    distillLoss: distillLosses[distillLoss],
    entropy: (targets, weights) => leastValue(distillLoss, targets, weights),
    priorLoss: (labels, weights) => bestConstantLoss(labels, numClasses, options, weights),
    numGuessed: numClasses - 1,
    expectedLoss: (logits, weights) => distillLosses.softCrossEntropy(logits, softmax(logits), weights),
  };
}

/** sum_i w_yi over the labels that count, times the weights of their rows. */
function weightOfClasses(
  labels: ArrayLike<number>,
  { classWeights, ignoreIndex }: SoftmaxCrossEntropyOptions,
  rowWeights?: ArrayLike<number>,
): number {
  let total = 0;
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i] as number;
    if (label !== ignoreIndex) total += (classWeights?.[label] ?? 1) * (rowWeights?.[i] ?? 1);
  }
  return total;
}

export interface WeightedBinaryOptions {
  /**
   * A weight on the positive label, that of the negative being 1; the mean is over the weights of the labels. 1 by
   * default.
   */
  readonly positiveWeight?: number | undefined;
  /** The prior is of the negative and the positive label. */
  readonly smoothing?: LabelSmoothing | undefined;
  /** psi; "softCrossEntropy" by default, the paper's. */
  readonly distillLoss?: DistillLossName | undefined;
}

/**
 * One logit [batch] and labels in [0, 1], as {@link binary}, with a positive weight q, label smoothing and any
 * distillation loss. With smoothing by an amount e and the prior u of the positive label, t = (1 - e) y + e u and
 *
 *     sum_i (-q t_i log p_i - (1 - t_i) log(1 - p_i)) / sum_i (1 + (q - 1) y_i):
 *
 * the label loss of {@link categorical} for two classes with the weights 1 and q. With weights of rows, row i counts as
 * that many rows in both sums, and with q = 1 the divisor is the number of rows.
 *
 * Throws {@link ShapeError} for a weight that is not positive, and for smoothing as `categorical` does.
 */
export function weightedBinary({
  positiveWeight = 1,
  smoothing = { amount: 0 },
  distillLoss = "softCrossEntropy",
}: WeightedBinaryOptions): Objective {
  const { amount, prior } = checkedSmoothing("weightedBinary", smoothing, 2);
  const smooth = (y: Tensor) => (amount === 0 ? y : add(mul(1 - amount, y), amount * (prior[1] ?? 0)));
  const labelLoss = (logits: Tensor, labels: Tensor, weights?: Tensor) => {
    const mean = weightedSigmoidCrossEntropy(logits, smooth(labels), positiveWeight, weights);
    if (positiveWeight === 1) return mean;
    const total = meanOverRows(add(1, mul(positiveWeight - 1, labels)), weights);
    // The weights of all rows of a batch may be 0.
    return div(mean, weights ? where(greater(total, 0), total, 1) : total);
  };
  return {
    probs: sigmoid,
    labelLoss,
    ...(positiveWeight !== 1 && {
      labelWeight: (labels, weights) =>
        Array.from(labels).reduce((total, y, i) => total + (1 + (positiveWeight - 1) * y) * (weights?.[i] ?? 1), 0),
    }),
    distillLoss: binaryForm(distillLosses[distillLoss]),
    entropy: (targets, weights) => leastValue(distillLoss, asTwoClasses.probs(targets), weights),
    priorLoss: (labels, weights) => {
      const rate = smooth(meanLabel(labels, weights));
      const odds = (p: Tensor, weight: number) => safeLog(mul(weight, p));
      return labelLoss(expand(sub(odds(rate, positiveWeight), odds(sub(1, rate), 1)), labels), labels, weights);
    },
    numGuessed: 1,
    expectedLoss: binaryExpectedLoss,
  };
}

export interface RegressionOptions {
  /** phi and psi: the mean of squared, absolute or Huber's errors. "squared" by default. */
  readonly loss?: "squared" | "absolute" | "huber" | undefined;
  /** Where Huber's error turns from a square to a line, in standard deviations. 1 by default. */
  readonly delta?: number | undefined;
  /** The model gives (label - mean) / std; both losses are of these standard numbers. 0 and 1 by default. */
  readonly mean?: number | undefined;
  readonly std?: number | undefined;
  /**
   * With it mean and standard deviation are of ln(1 + label / unit), for labels of 0 and more, and predictions are
   * never below 0.
   */
  readonly logUnit?: number | undefined;
  /** The least prediction; lower ones are raised to it. */
  readonly least?: number | undefined;
}

/**
 * A number [batch]: the model's output is the standardised prediction. Teachers teach by the mean of their predictions.
 * The prior loss is that of predicting the mean of the batch: with squared errors, the variance of the labels.
 *
 * Throws {@link ShapeError} for a mean that is not finite or a standard deviation that is not positive and finite.
 */
export function regression({
  loss = "squared",
  delta = 1,
  mean = 0,
  std = 1,
  logUnit,
  least = logUnit === undefined ? undefined : 0,
}: RegressionOptions = {}): Objective {
  if (!(Number.isFinite(mean) && std > 0 && Number.isFinite(std))) {
    throw new ShapeError(
      `regression: the mean must be finite and the standard deviation positive and finite, got ${mean} and ${std}`,
    );
  }
  const isStandard = mean === 0 && std === 1;
  const scaled = (y: Tensor) => (logUnit === undefined ? y : log(add(1, div(y, logUnit))));
  const unscaled = (x: Tensor) => (logUnit === undefined ? x : mul(sub(exp(x), 1), logUnit));
  const standard = (y: Tensor) => (isStandard ? scaled(y) : div(sub(scaled(y), mean), std));
  const atLeast = (x: Tensor) => (least === undefined ? x : add(relu(sub(x, least)), least));
  const errors = {
    squared: squaredError,
    absolute: absoluteError,
    huber: (x: Tensor, y: Tensor, weights?: Tensor) => huberError(x, y, delta, weights),
  } as const;
  return {
    probs: (prediction) => prediction,
    labelLoss: (prediction, labels, weights) => errors[loss](prediction, standard(labels), weights),
    distillLoss: errors[loss],
    entropy: () => constant(scalar(0)),
    priorLoss: (labels, weights) => errors[loss](meanLabel(standard(labels), weights), standard(labels), weights),
    numGuessed: 1,
    expectedLoss: () => constant(scalar(0)),
    fromLabelUnit: standard,
    inLabelUnit: (prediction) => atLeast(unscaled(isStandard ? prediction : add(mul(prediction, std), mean))),
  };
}
