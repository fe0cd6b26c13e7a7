/** Arithmetic of optimizers, beside the operations. */
import { mul, reduceMean, reduceSum, sqrt, square } from "../graph/ops.js";
import type { Tensor } from "../graph/tensor.js";

/** The Euclidean norm, []. */
export function norm(x: Tensor): Tensor {
  return sqrt(reduceSum(square(x)));
}

/** The root of the mean square, []. */
export function rootMeanSquare(x: Tensor): Tensor {
  return sqrt(reduceMean(square(x)));
}

/**
 * x times a scalar. Scalars gather: when x is a product with a scalar itself, the two scalars are multiplied, so that a
 * chain of factors costs one pass over memory and not one for each.
 */
export function scale(x: Tensor, factor: Tensor): Tensor {
  const [y, before] = x.inputs;
  return x.op === "mul" && y && before?.shape.length === 0 ? mul(y, mul(before, factor)) : mul(x, factor);
}
