import { add, log, mul, neg, reduceMean, sigmoid, softplus, sub } from "../graph/ops.js";
import type { Tensor } from "../graph/tensor.js";
import type { InputSpec } from "./model.js";

/** How logits meet labels and teachers: the loss terms phi and psi of Anil et al. 2018, Algorithm 1. */
export interface Objective {
  /** What labels are: float32 [batch] by default. */
  readonly labels?: InputSpec;
  /** Probabilities of logits, or whatever else is predicted: what teachers are averaged over. */
  readonly probs: (logits: Tensor) => Tensor;
  /** phi: the mean loss on labels, in nats per example. */
  readonly labelLoss: (logits: Tensor, labels: Tensor) => Tensor;
  /**
   * The weight of some labels, over whose sum phi is a mean; left out where it is their number. The mean of two batches is the
   * mean of their label losses by these weights.
   */
  readonly labelWeight?: (labels: ArrayLike<number>) => number;
  /** psi: the mean loss against target probabilities, in nats per example. */
  readonly distillLoss: (logits: Tensor, targets: Tensor) => Tensor;
  /** The least value that psi can take for target probabilities: their mean entropy, or 0 where psi is a divergence. */
  readonly entropy: (targets: Tensor) => Tensor;
  /** The label loss of who knows nothing but how frequent each label is in the batch (or what their mean is). */
  readonly priorLoss: (labels: Tensor) => Tensor;
  /** How many numbers such a guess takes from the batch: K - 1 frequencies of K classes, or one mean. */
  readonly numGuessed: number;
  /** The label loss that a model expects of itself: the mean entropy of what it predicts; 0 of numbers, which have none. */
  readonly expectedLoss: (logits: Tensor) => Tensor;
  /** What is reported and shipped of `probs`: as they are by default; numbers in the unit of the labels. */
  readonly inLabelUnit?: (probs: Tensor) => Tensor;
}

/** What is reported and shipped, of logits. */
export function predict({ probs, inLabelUnit = (p) => p }: Objective, logits: Tensor): Tensor {
  return inLabelUnit(probs(logits));
}

/**
 * Mean over the batch of -t log p - (1 - t) log(1 - p) for p = sigmoid(logits) and targets t in [0, 1], hard or soft.
 *
 * Computed as softplus(z) - t z, which no logit overflows. Its gradient by a logit is (p - t) / batch: that of
 * KL(targets || predictions), since the entropy of the targets is a constant.
 */
export function sigmoidCrossEntropy(logits: Tensor, targets: Tensor): Tensor {
  return reduceMean(sub(softplus(logits), mul(targets, logits)));
}

/** The least normal float32: added to what may be 0 before its logarithm is taken, or it is divided by. */
export const FLOAT_MIN_NORMAL = 2 ** -126;

/** log p, finite at 0. */
export function safeLog(p: Tensor): Tensor {
  return log(add(p, FLOAT_MIN_NORMAL));
}

/** Mean over the batch of the entropy of Bernoulli probabilities. Its 0 log 0 is 0. */
export function bernoulliEntropy(probs: Tensor): Tensor {
  const plogp = (p: Tensor) => mul(p, safeLog(p));
  return neg(reduceMean(add(plogp(probs), plogp(sub(1, probs)))));
}

/** Mean over the batch of the entropy of sigmoid(logits). */
export function binaryExpectedLoss(logits: Tensor): Tensor {
  return sigmoidCrossEntropy(logits, sigmoid(logits));
}

/** One logit [batch], labels and targets in [0, 1]. */
export const binary: Objective = {
  probs: sigmoid,
  labelLoss: sigmoidCrossEntropy,
  distillLoss: sigmoidCrossEntropy,
  entropy: bernoulliEntropy,
  priorLoss: (labels) => bernoulliEntropy(reduceMean(labels, [0], true)),
  numGuessed: 1,
  expectedLoss: binaryExpectedLoss,
};
