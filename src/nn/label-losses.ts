/** Losses on labels: means over the rows that count. */
import { ShapeError } from "../errors.js";
import {
  abs,
  add,
  cast,
  clamp,
  constant,
  div,
  equal,
  expand,
  gather,
  greater,
  knownSize,
  logSoftmax,
  logSoftmaxAt,
  mul,
  neg,
  not,
  reduceSum,
  scatterAdd,
  softplus,
  square,
  sub,
  where,
} from "../graph/ops.js";
import { formatShape, type Tensor } from "../graph/tensor.js";
import { float32 } from "../runtime/array.js";
import { FLOAT_MIN_NORMAL, meanOverRows, ofAllRows, safeLog } from "./losses.js";

export interface SoftmaxCrossEntropyOptions {
  /** A weight for each class; the mean is over the weights of the labels. 1 each by default. */
  readonly classWeights?: readonly number[] | undefined;
  /** Rows with this label do not count. */
  readonly ignoreIndex?: number | undefined;
  readonly smoothing?: LabelSmoothing | undefined;
}

/** A share of each label that goes to a prior instead (Szegedy et al. 2015; Pereyra et al. 2017 for other priors). */
export interface LabelSmoothing {
  readonly amount: number;
  /** Probabilities of the classes, as of the unigrams of a text; the same for all of them by default. */
  readonly prior?: readonly number[];
}

/**
 * Mean over the rows of -log p of the label, for logits [...rows, classes] and int32 labels [...rows]. With class weights
 * w, smoothing by an amount e and a prior u, over the rows i that count,
 *
 *     sum_i ((1 - e) w_yi (-log p_i,yi) + e sum_k w_k u_k (-log p_i,k)) / sum_i w_yi,
 *
 * and 0 where no row counts. Computed from logSoftmax, and never as the log of a probability. With weights v of rows, row i
 * counts as v_i rows in both sums; without class weights and rows that do not count, the divisor is the number of rows.
 *
 * Throws {@link ShapeError} for weights or a prior that are not one number >= 0 for each class, for a prior that does
 * not sum to 1, and for an amount that is not in [0, 1).
 */
export function softmaxCrossEntropy(
  logits: Tensor,
  labels: Tensor,
  options: SoftmaxCrossEntropyOptions = {},
  rowWeights?: Tensor,
): Tensor {
  const axis = logits.shape.length - 1;
  const { amount, classWeights, prior } = checkedOptions(options, knownSize("softmaxCrossEntropy", logits, axis));
  const { isCounted, classes } = countedOf(labels, options);
  const countedOr0 = (rows: Tensor) => (isCounted ? where(isCounted, rows, 0) : rows);
  const { at, all } = logSoftmaxAt(logits, classes);

  const ofClass = options.classWeights && gather(constant(float32(classWeights)), classes);
  const ofLabel = neg(ofClass ? mul(ofClass, at) : at);
  const pulls = classWeights.map((weight, k) => weight * (prior[k] ?? 0));
  const ofPrior = amount > 0 ? neg(reduceSum(mul(all, constant(float32(pulls))), [axis])) : undefined;
  const ofRow = ofPrior ? add(mul(1 - amount, ofLabel), mul(amount, ofPrior)) : ofLabel;
  if (!ofClass && !isCounted) return meanOverRows(ofRow, rowWeights);

  const weights = ofClass && rowWeights ? mul(ofClass, rowWeights) : (ofClass ?? rowWeights);
  const total = reduceSum(isCounted ? where(isCounted, weights ?? 1, 0) : (weights as Tensor));
  const sum = reduceSum(countedOr0(rowWeights ? mul(rowWeights, ofRow) : ofRow));
  return div(sum, where(greater(total, 0), total, 1));
}

/**
 * The least {@link softmaxCrossEntropy} of a prediction that is the same for all rows, made from the frequencies of the
 * classes in the batch: with the frequencies f of int32 labels [rows] that count, and q_k = w_k ((1 - e) f_k + e u_k),
 *
 *     sum_k q_k (-log (q_k / sum q)) / sum_k w_k f_k.
 *
 * With weights of rows, these are the frequencies, and the loss is that of rows with such weights.
 *
 * Throws {@link ShapeError} as `softmaxCrossEntropy` does.
 */
export function bestConstantLoss(
  labels: Tensor,
  numClasses: number,
  options: SoftmaxCrossEntropyOptions = {},
  rowWeights?: Tensor,
): Tensor {
  const { amount, classWeights, prior } = checkedOptions(options, numClasses);
  const { isCounted, classes } = countedOf(labels, options);
  const counted = isCounted ? cast(isCounted, "float32") : expand(1, labels);
  const counts = scatterAdd(classes, rowWeights ? mul(rowWeights, counted) : counted, numClasses);
  const frequencies = div(counts, add(reduceSum(counts), FLOAT_MIN_NORMAL));
  const weighted = (of: Tensor) => mul(of, constant(float32(classWeights)));
  const mixed =
    amount > 0 ? add(mul(1 - amount, frequencies), constant(float32(prior.map((u) => amount * u)))) : frequencies;
  const best = weighted(mixed);
  const loss = neg(reduceSum(mul(best, logSoftmax(safeLog(best)))));
  const mean = div(loss, add(reduceSum(weighted(frequencies)), FLOAT_MIN_NORMAL));
  return options.classWeights || isCounted ? mean : ofAllRows(mean, rowWeights);
}

/** Which rows count, undefined when all do, and labels that are a class in every row. */
function countedOf(labels: Tensor, { ignoreIndex }: SoftmaxCrossEntropyOptions) {
  if (ignoreIndex === undefined) return { classes: labels };
  const isCounted = not(equal(labels, ignoreIndex));
  return { isCounted, classes: where(isCounted, labels, 0) };
}

/**
 * As {@link sigmoidCrossEntropy}, with the positive term weighted: -q t log p - (1 - t) log(1 - p) for q = positiveWeight,
 * computed as (1 - t) z + (1 + (q - 1) t) softplus(-z).
 */
export function weightedSigmoidCrossEntropy(
  logits: Tensor,
  targets: Tensor,
  positiveWeight: number,
  rowWeights?: Tensor,
): Tensor {
  if (!(positiveWeight > 0)) {
    throw new ShapeError(`weightedSigmoidCrossEntropy: the weight must be positive, got ${positiveWeight}`);
  }
  const weights = add(1, mul(positiveWeight - 1, targets));
  return meanOverRows(add(mul(sub(1, targets), logits), mul(weights, softplus(neg(logits)))), rowWeights);
}

/** Mean of (x - y)^2. */
export function squaredError(x: Tensor, y: Tensor, rowWeights?: Tensor): Tensor {
  return meanOverRows(square(sub(x, y)), rowWeights);
}

/** Mean of |x - y|. */
export function absoluteError(x: Tensor, y: Tensor, rowWeights?: Tensor): Tensor {
  return meanOverRows(abs(sub(x, y)), rowWeights);
}

/** Mean of d^2 / 2 for d = x - y up to `delta`, and of delta (|d| - delta / 2) beyond (Huber 1964). */
export function huberError(x: Tensor, y: Tensor, delta = 1, rowWeights?: Tensor): Tensor {
  if (!(delta > 0 && Number.isFinite(delta))) {
    throw new ShapeError(`huberError: delta must be positive and finite, got ${delta}`);
  }
  const difference = sub(x, y);
  const clipped = clamp(difference, -delta, delta);
  return meanOverRows(mul(clipped, sub(difference, mul(0.5, clipped))), rowWeights);
}

function checkedOptions({ classWeights, smoothing }: SoftmaxCrossEntropyOptions, numClasses: number) {
  if (classWeights) checkEach("softmaxCrossEntropy", "class weights", classWeights, numClasses);
  const { amount, prior } = checkedSmoothing("softmaxCrossEntropy", smoothing, numClasses);
  return { amount, classWeights: classWeights ?? Array.from({ length: numClasses }, () => 1), prior };
}

/**
 * Smoothing with its prior, checked. Throws {@link ShapeError} as {@link softmaxCrossEntropy} does, in the name of
 * `who`.
 */
export function checkedSmoothing(who: string, { amount, prior }: LabelSmoothing = { amount: 0 }, numClasses: number) {
  if (!(amount >= 0 && amount < 1)) {
    throw new ShapeError(`${who}: the smoothing must be at least 0 and below 1, got ${amount}`);
  }
  if (prior) checkEach(who, "the prior", prior, numClasses);
  const sum = prior?.reduce((total, u) => total + u, 0) ?? 1;
  if (Math.abs(sum - 1) > 1e-6) throw new ShapeError(`${who}: the prior must sum to 1, got ${sum}`);
  return { amount, prior: prior ?? Array.from({ length: numClasses }, () => 1 / numClasses) };
}

function checkEach(who: string, what: string, numbers: readonly number[], numClasses: number): void {
  if (numbers.length === numClasses && numbers.every((number) => number >= 0)) return;
  throw new ShapeError(
    `${who}: ${what} must be one number >= 0 for each of ${numClasses} classes, got ${formatShape([numbers.length])}: ${numbers.slice(0, 4).join(", ")}`,
  );
}
