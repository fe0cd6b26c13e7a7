import { node, type Tensor } from "../tensor.js";
import { allAxes, checkAxes, reducedShape } from "./checks.js";

/** Sum over the axes (all by default); they stay as size 1 with `keepDims`. */
export function reduceSum(x: Tensor, axes = allAxes(x), keepDims = false): Tensor {
  return node("reduceSum", [x], { axes, keepDims }, reducedShape("reduceSum", x, axes, keepDims), "float32");
}

/** Mean over the axes (all by default); they stay as size 1 with `keepDims`. */
export function reduceMean(x: Tensor, axes = allAxes(x), keepDims = false): Tensor {
  return node("reduceMean", [x], { axes, keepDims }, reducedShape("reduceMean", x, axes, keepDims), "float32");
}

/** How many elements the axes of `x` span together, as a float32 scalar; known only when a run brings its batch. */
export function countAlong(x: Tensor, axes = allAxes(x)): Tensor {
  checkAxes("countAlong", x, axes);
  return node("countAlong", [x], { axes }, [], "float32");
}
