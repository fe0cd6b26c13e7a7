import {
  add,
  div,
  greater,
  matmul,
  mul,
  reduceMean,
  reduceSum,
  reshape,
  sqrt,
  square,
  sub,
  where,
} from "../graph/ops.js";
import type { Axis, Tensor } from "../graph/tensor.js";

/** Added to squared norms, so that a layer that says the same of all rows has a loss of 1 and no gradient. */
const LEAST_NORM = 1e-12;

/**
 * How far two models are apart in which rows of a batch they see as alike: half the squared distance between their Gram matrices
 *
 *     1/2 || K_s / ||K_s||_F - K_t / ||K_t||_F ||_F^2,    K = H H^T,
 *
 * for the values H of a hidden layer, float32 [rows, width], whose columns are centred; the two widths may differ. It is 0 where they
 * are the same up to a rotation and a scale, and at most 1. Gram matrices as teachers are those of Tung and Mori 2019
 * ("Similarity-preserving knowledge distillation", arXiv 1907.09682), who do not centre and normalise each row; centred and normalised as
 * a whole the loss is 1 - CKA (Kornblith et al. 2019, arXiv 1905.00414), for which no matrix of rows by rows is needed:
 *
 *     <K_s, K_t>_F = ||H_s^T H_t||_F^2.
 *
 * Rows with weights [rows] count so often in the means and in the sums over pairs of rows. No gradient is stopped.
 */
export function gramLoss(student: Tensor, teacher: Tensor, weights?: Tensor): Tensor {
  const [own, other] = [centred(student, weights), centred(teacher, weights)];
  const together = sumOfSquares(matmul(own.raw, other.weighted, { transposeA: true }));
  const norms = [own, other].map(({ raw, weighted }) =>
    sqrt(add(sumOfSquares(matmul(raw, weighted, { transposeA: true })), LEAST_NORM)),
  );
  return sub(1, div(together, norms.reduce(mul)));
}

/** H less its mean over the rows, and the same times the weights of rows. */
function centred(rows: Tensor, weights?: Tensor): { readonly raw: Tensor; readonly weighted: Tensor } {
  if (!weights) {
    const raw = sub(rows, reduceMean(rows, [0], true));
    return { raw, weighted: raw };
  }
  const each = reshape(weights, [weights.shape[0] as Axis, 1]);
  const total = reduceSum(weights);
  // The weights of all rows of a batch may be 0.
  const mean = div(reduceSum(mul(rows, each), [0], true), where(greater(total, 0), total, 1));
  const raw = sub(rows, mean);
  return { raw, weighted: mul(raw, each) };
}

function sumOfSquares(x: Tensor): Tensor {
  return reduceSum(square(x));
}
