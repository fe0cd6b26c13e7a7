import { add, div, log, mul, neg, reduceMean, sigmoid, softplus, sub } from "../graph/ops.js";
import type { Tensor } from "../graph/tensor.js";
import type { InputSpec } from "./model.js";

/**
 * The losses of logits against labels and teachers: the terms phi and psi of Anil et al. 2018, Algorithm 1. The weights
 * [batch] of examples, 1 each by default, multiply what each adds to a mean: sum_i w_i loss_i / batch. Their mean over all
 * training rows is 1, so that they leave the size of losses and gradients as it is.
 */
export interface Objective {
  /** The shape and dtype of labels: float32 [batch] by default. */
  readonly labels?: InputSpec;
  /** Predictions from logits: probabilities, or numbers. Teachers are averaged over these. */
  readonly probs: (logits: Tensor) => Tensor;
  /** phi: the mean loss on labels, in nats per example. */
  readonly labelLoss: (logits: Tensor, labels: Tensor, weights?: Tensor) => Tensor;
  /**
   * The total weight of some labels, by which phi divides its sum; left out where it is their number. The phi of two
   * batches together is the mean of their label losses, weighted by this.
   */
  readonly labelWeight?: (labels: ArrayLike<number>, weights?: ArrayLike<number>) => number;
  /** psi: the mean loss against target probabilities, in nats per example. */
  readonly distillLoss: (logits: Tensor, targets: Tensor, weights?: Tensor) => Tensor;
  /** The least value that psi can take for target probabilities: their mean entropy, or 0 where psi is a divergence. */
  readonly entropy: (targets: Tensor, weights?: Tensor) => Tensor;
  /** The label loss of one prediction for all rows: by the frequencies of the labels in the batch, or by their mean. */
  readonly priorLoss: (labels: Tensor, weights?: Tensor) => Tensor;
  /** How many numbers that prediction takes from the batch: K - 1 frequencies of K classes, or one mean. */
  readonly numGuessed: number;
  /** The label loss that a model expects of itself: the mean entropy of its predictions; 0 for numbers. */
  readonly expectedLoss: (logits: Tensor, weights?: Tensor) => Tensor;
  /** The predictions that are reported and shipped, from `probs`: the same by default; numbers in the labels' unit. */
  readonly inLabelUnit?: (probs: Tensor) => Tensor;
  /** The inverse of `inLabelUnit`: what others predict in the labels' unit, as psi takes targets. The same by default. */
  readonly fromLabelUnit?: (predictions: Tensor) => Tensor;
}

/** The predictions that are reported and shipped, from logits. */
export function predict({ probs, inLabelUnit = (p) => p }: Objective, logits: Tensor): Tensor {
  return inLabelUnit(probs(logits));
}

/** sum_i w_i x_i / batch for the losses [batch] of examples and their weights. */
export function meanOverRows(losses: Tensor, weights?: Tensor): Tensor {
  return reduceMean(weights ? mul(weights, losses) : losses);
}

/** sum_i w_i y_i / sum_i w_i for numeric labels [batch]: shape [1], and 0 where no label has a weight. */
export function meanLabel(labels: Tensor, weights?: Tensor): Tensor {
  if (!weights) return reduceMean(labels, [0], true);
  return div(reduceMean(mul(weights, labels), [0], true), add(reduceMean(weights, [0], true), FLOAT_MIN_NORMAL));
}

/** A loss of one prediction for all rows, whose rows have these weights. */
export function ofAllRows(loss: Tensor, weights?: Tensor): Tensor {
  return weights ? mul(reduceMean(weights), loss) : loss;
}

/**
 * Mean over the batch of -t log p - (1 - t) log(1 - p) for p = sigmoid(logits) and targets t in [0, 1], hard or soft.
 *
 * Computed as softplus(z) - t z, which no logit overflows. Its gradient by a logit is (p - t) / batch: that of
 * KL(targets || predictions), since the entropy of the targets is a constant.
 */
export function sigmoidCrossEntropy(logits: Tensor, targets: Tensor, weights?: Tensor): Tensor {
  return meanOverRows(sub(softplus(logits), mul(targets, logits)), weights);
}

/** The least normal float32: added to values that may be 0 before a logarithm of them or a division by them. */
export const FLOAT_MIN_NORMAL = 2 ** -126;

/** log p, finite at 0. */
export function safeLog(p: Tensor): Tensor {
  return log(add(p, FLOAT_MIN_NORMAL));
}

/** Mean over the batch of the entropy of Bernoulli probabilities. Its 0 log 0 is 0. */
export function bernoulliEntropy(probs: Tensor, weights?: Tensor): Tensor {
  const plogp = (p: Tensor) => mul(p, safeLog(p));
  return neg(meanOverRows(add(plogp(probs), plogp(sub(1, probs))), weights));
}

/** Mean over the batch of the entropy of sigmoid(logits). */
export function binaryExpectedLoss(logits: Tensor, weights?: Tensor): Tensor {
  return sigmoidCrossEntropy(logits, sigmoid(logits), weights);
}

/**
 * An objective whose label loss is phi - weight H(F): it also rewards the mean entropy of the predictions, in nats, as a penalty on
 * confidence (Pereyra et al. 2017). Its gradient by the logits is that of phi + weight KL(F || uniform).
 */
export function withConfidencePenalty(objective: Objective, weight: number): Objective {
  const { labelLoss, expectedLoss } = objective;
  return {
    ...objective,
    labelLoss: (logits, labels, weights) =>
      sub(labelLoss(logits, labels, weights), mul(weight, expectedLoss(logits, weights))),
  };
}

/** One logit [batch], labels and targets in [0, 1]. */
export const binary: Objective = {
  probs: sigmoid,
  labelLoss: sigmoidCrossEntropy,
  distillLoss: sigmoidCrossEntropy,
  entropy: bernoulliEntropy,
  priorLoss: (labels, weights) => ofAllRows(bernoulliEntropy(meanLabel(labels, weights)), weights),
  numGuessed: 1,
  expectedLoss: binaryExpectedLoss,
};
