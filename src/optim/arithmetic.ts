/** Arithmetic of optimizers, out of the operations that there are. */
import { add, greater, mul, type Operand, reduceMean, reduceSum, relu, sqrt, sub, where } from "../graph/ops.js";
import type { Tensor } from "../graph/tensor.js";

/** |x|. */
export function abs(x: Tensor): Tensor {
  return add(relu(x), relu(sub(0, x)));
}

/** -1, 0 or 1. */
export function sign(x: Tensor): Tensor {
  return where(greater(x, 0), 1, where(greater(0, x), -1, 0));
}

/** The larger of each two. */
export function maximum(x: Operand, y: Operand): Tensor {
  return where(greater(x, y), x, y);
}

/** The smaller of each two. */
export function minimum(x: Operand, y: Operand): Tensor {
  return where(greater(x, y), y, x);
}

/** x, but at least `low` and at most `high`. */
export function clamp(x: Tensor, low: Operand, high: Operand): Tensor {
  return minimum(maximum(x, low), high);
}

/** x^2. */
export function square(x: Tensor): Tensor {
  return mul(x, x);
}

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
