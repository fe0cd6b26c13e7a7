/**
 * Distillation losses by name, of a student's logits [...rows, classes] against target probabilities of the same shape:
 * means over the rows, in nats. t are the targets and p = softmax(logits). Targets may be 0: the least normal float32,
 * added to them, keeps their log finite.
 */
import {
  add,
  constant,
  exp,
  expand,
  logSoftmax,
  mul,
  neg,
  reduceMean,
  reduceSum,
  square,
  stack,
  sub,
} from "../graph/ops.js";
import type { Tensor } from "../graph/tensor.js";
import { scalar } from "../runtime/array.js";
import { meanOverRows, safeLog } from "./losses.js";

/** A loss of logits against target probabilities; of rows with weights, sum_i w_i loss_i / rows. */
export type DistillLoss = (logits: Tensor, targets: Tensor, weights?: Tensor) => Tensor;

/** The names under which a configuration asks for a distillation loss. */
export type DistillLossName =
  | "softCrossEntropy"
  | "klTeacherStudent"
  | "klStudentTeacher"
  | "symmetricKl"
  | "jensenShannon"
  | "centredLogitSquaredError";

/** -sum t log p: the gradient is that of KL(t || p), (p - t) / rows, and the least value the entropy of t. */
export const softCrossEntropy: DistillLoss = (logits, targets, weights) => {
  return neg(meanOfRows(mul(targets, logSoftmax(logits)), weights));
};

/** KL(t || p) = sum t (log t - log p), which is 0 where the student agrees. */
export const klTeacherStudent: DistillLoss = (logits, targets, weights) => {
  return meanOfRows(mul(targets, sub(safeLog(targets), logSoftmax(logits))), weights);
};

/**
 * KL(p || t) = sum p (log p - log t): it draws the student to classes where t is large, and not to all of t. With
 * several teachers t is the mean of their probabilities, while the mean of the single losses would take the geometric
 * mean.
 */
export const klStudentTeacher: DistillLoss = (logits, targets, weights) => {
  const logProbs = logSoftmax(logits);
  return meanOfRows(mul(exp(logProbs), sub(logProbs, safeLog(targets))), weights);
};

/** The mean of KL(t || p) and KL(p || t): half of what Jeffreys (1946) has. */
export const symmetricKl: DistillLoss = (logits, targets, weights) => {
  const logProbs = logSoftmax(logits);
  return mul(0.5, meanOfRows(mul(sub(targets, exp(logProbs)), sub(safeLog(targets), logProbs)), weights));
};

/** The mean of KL(t || m) and KL(p || m) for m = (t + p) / 2 (Lin 1991): at most log 2. */
export const jensenShannon: DistillLoss = (logits, targets, weights) => {
  const logProbs = logSoftmax(logits);
  const probs = exp(logProbs);
  const logMiddle = safeLog(mul(0.5, add(targets, probs)));
  const ofTargets = mul(targets, sub(safeLog(targets), logMiddle));
  const ofProbs = mul(probs, sub(logProbs, logMiddle));
  return mul(0.5, meanOfRows(add(ofTargets, ofProbs), weights));
};

/**
 * Half of the mean over classes of ((z - mean z) - (v - mean v))^2 for logits z and v = log t. Centring takes out the
 * shift of all logits, which changes no prediction. At high temperatures T the gradient of T^2 {@link softCrossEntropy}
 * becomes that of this loss (Hinton et al. 2015, section 2.1).
 */
export const centredLogitSquaredError: DistillLoss = (logits, targets, weights) => {
  const squares = square(sub(centred(logits), centred(safeLog(targets))));
  const mean = weights ? meanOverRows(reduceMean(squares, [squares.shape.length - 1]), weights) : reduceMean(squares);
  return mul(0.5, mean);
};

/** All of them by name. */
export const distillLosses: { readonly [N in DistillLossName]: DistillLoss } = {
  softCrossEntropy,
  klTeacherStudent,
  klStudentTeacher,
  symmetricKl,
  jensenShannon,
  centredLogitSquaredError,
};

/** The mean entropy of probabilities [...rows, classes]. */
export function meanEntropy(probs: Tensor, weights?: Tensor): Tensor {
  return neg(meanOfRows(mul(probs, safeLog(probs)), weights));
}

/** The least value of a distillation loss for target probabilities. */
export function leastValue(name: DistillLossName, targets: Tensor, weights?: Tensor): Tensor {
  return name === "softCrossEntropy" ? meanEntropy(targets, weights) : constant(scalar(0));
}

/** One logit [batch] as two [batch, 2], and the probability of the second of two classes as both. */
export const asTwoClasses = {
  logits: (logits: Tensor): Tensor => stack([expand(0, logits), logits], logits.shape.length),
  probs: (probs: Tensor): Tensor => stack([sub(1, probs), probs], probs.shape.length),
} as const;

/** A distillation loss for one logit [batch] against the probability [batch] of the second of two classes. */
export function binaryForm(loss: DistillLoss): DistillLoss {
  return (logits, targets, weights) => loss(asTwoClasses.logits(logits), asTwoClasses.probs(targets), weights);
}

function meanOfRows(terms: Tensor, weights?: Tensor): Tensor {
  return meanOverRows(reduceSum(terms, [terms.shape.length - 1]), weights);
}

function centred(x: Tensor): Tensor {
  return sub(x, reduceMean(x, [x.shape.length - 1], true));
}
