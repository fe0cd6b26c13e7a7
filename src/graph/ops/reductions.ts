import { node, type Tensor } from "../tensor.js";
import { allAxes, checkAxes, reducedShape, requireDtype } from "./checks.js";
import { add, clamp, exp, log, mul, sub } from "./elementwise.js";
import { stopGradient } from "./leaves.js";
import { reshape } from "./shapes.js";

/** The largest float32. */
const LARGEST = 2 ** 127 * (2 - 2 ** -23);

/** Sum over the axes (all by default); they stay as size 1 with `keepDims`. */
export function reduceSum(x: Tensor, axes = allAxes(x), keepDims = false): Tensor {
  return node("reduceSum", [x], { axes, keepDims }, reducedShape("reduceSum", x, axes, keepDims), "float32");
}

/** Mean over the axes (all by default); they stay as size 1 with `keepDims`. */
export function reduceMean(x: Tensor, axes = allAxes(x), keepDims = false): Tensor {
  return node("reduceMean", [x], { axes, keepDims }, reducedShape("reduceMean", x, axes, keepDims), "float32");
}

/** Largest over the axes (all by default), which stay as size 1 with `keepDims`; ties share the gradient evenly. */
export function reduceMax(x: Tensor, axes = allAxes(x), keepDims = false): Tensor {
  return node("reduceMax", [x], { axes, keepDims }, reducedShape("reduceMax", x, axes, keepDims), "float32");
}

/** Smallest over the axes (all by default), which stay as size 1 with `keepDims`; ties share the gradient evenly. */
export function reduceMin(x: Tensor, axes = allAxes(x), keepDims = false): Tensor {
  return node("reduceMin", [x], { axes, keepDims }, reducedShape("reduceMin", x, axes, keepDims), "float32");
}

/** Variance over the axes (all by default): the mean square of what is left without the mean. */
export function variance(x: Tensor, axes = allAxes(x), keepDims = false): Tensor {
  const centred = sub(x, reduceMean(x, axes, true));
  return reduceMean(mul(centred, centred), axes, keepDims);
}

/** log of the sum of e^x over the axes (all by default), without overflow; -infinity where all of them are. */
export function logSumExp(x: Tensor, axes = allAxes(x), keepDims = false): Tensor {
  // The peak changes nothing but the rounding, so no gradient need flow through it; an infinite one would make NaN.
  const peak = stopGradient(clamp(reduceMax(x, axes, true), -LARGEST, LARGEST));
  const sum = add(log(reduceSum(exp(sub(x, peak)), axes, true)), peak);
  return keepDims ? sum : reshape(sum, reducedShape("reduceSum", x, axes, false));
}

/** Where the largest element along an axis is, as int32 without that axis: the first of several. */
export function argMax(x: Tensor, axis: number): Tensor {
  return node("argMax", [x], { axis }, reducedShape("argMax", x, [axis], false), "int32");
}

/** Sums of the elements up to each along an axis, or from each on with `reverse`; without itself with `exclusive`. */
export function cumulativeSum(
  x: Tensor,
  axis: number,
  { exclusive = false, reverse = false }: { exclusive?: boolean; reverse?: boolean } = {},
): Tensor {
  requireDtype("cumulativeSum", x, "float32");
  checkAxes("cumulativeSum", x, [axis]);
  return node("cumulativeSum", [x], { axis, exclusive, reverse }, x.shape, "float32");
}

/** How many elements the axes of `x` span together, as a float32 scalar; known only when a run brings its batch. */
export function countAlong(x: Tensor, axes = allAxes(x)): Tensor {
  checkAxes("countAlong", x, axes);
  return node("countAlong", [x], { axes }, [], "float32");
}
