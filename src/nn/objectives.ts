/** Objectives beside {@link binary}: what is predicted, and how it meets labels and teachers. */
import { ShapeError } from "../errors.js";
import {
  add,
  constant,
  div,
  equal,
  expand,
  mul,
  oneHot,
  reduceMean,
  reduceSum,
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
  bestConstant,
  huberError,
  type SoftmaxCrossEntropyOptions,
  softmaxCrossEntropy,
  squaredError,
  weightedSigmoidCrossEntropy,
} from "./label-losses.js";
import { LEAST, type Objective, safeLog } from "./losses.js";

export interface CategoricalOptions extends SoftmaxCrossEntropyOptions {
  readonly numClasses: number;
  /** psi; "softCrossEntropy" by default, the paper's. */
  readonly distillLoss?: DistillLossName;
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
  const labelLoss = (logits: Tensor, labels: Tensor) => softmaxCrossEntropy(logits, labels, options);
  return {
    labels: { shape: ["batch"], dtype: "int32" },
    probs: softmax,
    labelLoss,
    distillLoss: distillLosses[distillLoss],
    entropy: (targets) => leastValue(distillLoss, targets),
    chance: (labels) => {
      // What is no class has a row of zeros, so rows that do not count are counted as none.
      const { ignoreIndex } = options;
      const counts = oneHot(
        ignoreIndex === undefined ? labels : where(equal(labels, ignoreIndex), -1, labels),
        numClasses,
      );
      const total = reduceSum(counts, [0]);
      const frequencies = div(total, add(reduceSum(total), LEAST));
      const logits = safeLog(bestConstant(frequencies, options));
      return labelLoss(expand(logits, counts), labels);
    },
  };
}

export interface WeightedBinaryOptions {
  /** A weight on the positive label. 1 by default. */
  readonly positiveWeight?: number;
  /** psi; "softCrossEntropy" by default, the paper's. */
  readonly distillLoss?: DistillLossName;
}

/** One logit [batch] and labels in [0, 1], as {@link binary}, with a positive weight and any distillation loss. */
export function weightedBinary({
  positiveWeight = 1,
  distillLoss = "softCrossEntropy",
}: WeightedBinaryOptions): Objective {
  const labelLoss = (logits: Tensor, labels: Tensor) => weightedSigmoidCrossEntropy(logits, labels, positiveWeight);
  return {
    probs: sigmoid,
    labelLoss,
    distillLoss: binaryForm(distillLosses[distillLoss]),
    entropy: (targets) => leastValue(distillLoss, asTwoClasses.probs(targets)),
    chance: (labels) => {
      const rate = reduceMean(labels, [0], true);
      const odds = (p: Tensor, weight: number) => safeLog(mul(weight, p));
      return labelLoss(expand(sub(odds(rate, positiveWeight), odds(sub(1, rate), 1)), labels), labels);
    },
  };
}

export interface RegressionOptions {
  /** phi and psi: the mean of squared, absolute or Huber's errors. "squared" by default. */
  readonly loss?: "squared" | "absolute" | "huber";
  /** Where Huber's error turns from a square to a line. 1 by default. */
  readonly delta?: number;
}

/**
 * A number [batch]: what the model gives is the prediction itself. Teachers teach by the mean of their predictions. By
 * chance is who always says the mean of the batch: with squared errors, the variance of the labels.
 */
export function regression({ loss = "squared", delta = 1 }: RegressionOptions = {}): Objective {
  const errors = {
    squared: squaredError,
    absolute: absoluteError,
    huber: (x: Tensor, y: Tensor) => huberError(x, y, delta),
  } as const;
  return {
    probs: (prediction) => prediction,
    labelLoss: errors[loss],
    distillLoss: errors[loss],
    entropy: () => constant(scalar(0)),
    chance: (labels) => errors[loss](reduceMean(labels, [0], true), labels),
  };
}
