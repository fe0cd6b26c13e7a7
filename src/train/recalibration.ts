/**
 * Recalibration of the probabilities of two classes. A log loss parts into what the best recalibration takes away, the
 * calibration loss, and what it leaves, the refinement loss (Bröcker 2009; Berta et al. 2025, arXiv 2501.19195): how well the
 * predictions tell rows apart, whatever they say of them.
 */
import { DataError } from "../errors.js";
import type { Predictions } from "./evaluate.js";
import { LEAST_PROB } from "./metrics.js";

/** Another probability q for each p: logit q = logit p / T + b (Platt 1999). It keeps the order of rows where T > 0. */
export interface Scaling {
  readonly temperature: number;
  readonly bias: number;
}

const MOST_ROUNDS = 50;
const MOST_HALVINGS = 30;
/** A move of 1 / T and b at which Newton's method has ended: the loss is then right to about its square. */
const TOLERANCE = 1e-9;
/** What a loss may rise by rounding alone. */
const ROUNDING = 1e-12;

/**
 * The temperature and bias of the least log loss on rows, probs and labels [numRows], by Newton's method for 1 / T and b, in
 * which the loss is convex.
 *
 * Throws {@link DataError} when all labels are the same or the probabilities part them without error: then no scaling is the best.
 */
export function scalingOf({ probs, labels }: Predictions): Scaling {
  const logits = Float64Array.from(probs, logitOf);
  let [slope, bias] = [1, 0];
  let loss = lossAt(logits, labels, slope, bias);
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const { gradient, hessian } = derivativesAt(logits, labels, slope, bias);
    const determinant = hessian.slopes * hessian.biases - hessian.both ** 2;
    const bySlope = (gradient.slope * hessian.biases - gradient.bias * hessian.both) / determinant;
    const byBias = (gradient.bias * hessian.slopes - gradient.slope * hessian.both) / determinant;
    if (!Number.isFinite(bySlope) || !Number.isFinite(byBias)) break;
    if (Math.abs(bySlope) + Math.abs(byBias) < TOLERANCE) return { temperature: 1 / slope, bias };
    let share = 1;
    let next = lossAt(logits, labels, slope - bySlope, bias - byBias);
    for (let halving = 0; halving < MOST_HALVINGS && !(next <= loss + ROUNDING); halving++) {
      share /= 2;
      next = lossAt(logits, labels, slope - share * bySlope, bias - share * byBias);
    }
    [slope, bias, loss] = [slope - share * bySlope, bias - share * byBias, next];
  }
  throw new DataError(
    `a temperature and a bias need rows of both labels that the probabilities do not part without error, got ${labels.length} ` +
      `rows on which none is the best; take more rows`,
  );
}

/** The probabilities [numRows] after a scaling. */
export function scaled(probs: ArrayLike<number>, { temperature, bias }: Scaling): Float64Array {
  return Float64Array.from(probs, (p) => sigmoidOf(logitOf(p) / temperature + bias));
}

/**
 * Isotonic regression of labels on probabilities, both [numRows], by pooling adjacent violators (Ayer et al. 1955): of all
 * functions of p that never fall, the one of the least log loss, which is that of the least squared error too; [numRows], in the
 * order of the rows. Rows of equal p get equal values.
 */
export function isotonic({ probs, labels }: Predictions): Float64Array {
  const order = Uint32Array.from(probs, (_, i) => i).sort((a, b) => (probs[a] as number) - (probs[b] as number));
  // Of each pool the sum of its labels and where it ends, in the order of the probabilities.
  const sums: number[] = [];
  const ends: number[] = [];
  const meanOfPool = (i: number) => (sums[i] as number) / ((ends[i] as number) - (ends[i - 1] ?? 0));
  for (let start = 0, end = 0; start < order.length; start = end) {
    const p = probs[order[start] as number] as number;
    let sum = 0;
    do {
      sum += labels[order[end] as number] as number;
      end++;
    } while (end < order.length && probs[order[end] as number] === p);
    sums.push(sum);
    ends.push(end);
    while (sums.length > 1 && meanOfPool(sums.length - 2) >= meanOfPool(sums.length - 1)) {
      sums.splice(-2, 2, (sums.at(-2) as number) + (sums.at(-1) as number));
      ends.splice(-2, 1);
    }
  }
  const fitted = new Float64Array(order.length);
  sums.forEach((_, pool) => {
    const value = meanOfPool(pool);
    for (let at = ends[pool - 1] ?? 0; at < (ends[pool] as number); at++) fitted[order[at] as number] = value;
  });
  return fitted;
}

/** log p - log(1 - p), of a p that is kept away from 0 and 1 as in the metrics. */
function logitOf(p: number): number {
  const inside = Math.min(1 - LEAST_PROB, Math.max(LEAST_PROB, p));
  return Math.log(inside) - Math.log1p(-inside);
}

function sigmoidOf(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}

/** The mean of log(1 + exp l) - y l, for l = slope logit + bias. */
function lossAt(logits: Float64Array, labels: ArrayLike<number>, slope: number, bias: number): number {
  let sum = 0;
  for (let i = 0; i < logits.length; i++) {
    const logit = slope * (logits[i] as number) + bias;
    sum += Math.max(0, logit) + Math.log1p(Math.exp(-Math.abs(logit))) - (labels[i] as number) * logit;
  }
  return sum / logits.length;
}

function derivativesAt(logits: Float64Array, labels: ArrayLike<number>, slope: number, bias: number) {
  const gradient = { slope: 0, bias: 0 };
  const hessian = { slopes: 0, both: 0, biases: 0 };
  for (let i = 0; i < logits.length; i++) {
    const logit = logits[i] as number;
    const p = sigmoidOf(slope * logit + bias);
    const [error, variance] = [p - (labels[i] as number), p * (1 - p)];
    gradient.slope += error * logit;
    gradient.bias += error;
    hessian.slopes += variance * logit ** 2;
    hessian.both += variance * logit;
    hessian.biases += variance;
  }
  return { gradient, hessian };
}
