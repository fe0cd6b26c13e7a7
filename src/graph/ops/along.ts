import { ShapeError } from "../../errors.js";
import { int32 } from "../../runtime/array.js";
import { formatShape } from "../shape.js";
import { node, part, type Tensor } from "../tensor.js";
import { constant, knownSize, lastAxis, requireDtype, sameShape, withAxis } from "./checks.js";
import { equal } from "./comparisons.js";
import { cast } from "./elementwise.js";
import { reshape } from "./shapes.js";

/** Elements of `x` at int32 positions along an axis of known size; `indices` has the shape of `x` but for that axis. */
export function takeAlong(x: Tensor, indices: Tensor, axis: number): Tensor {
  requireDtype("takeAlong", x, "float32");
  checkIndices("takeAlong", x, indices, axis);
  return node("takeAlong", [x, indices], { axis }, indices.shape, "float32");
}

/** `x` with each of `updates` added at its int32 position along an axis of known size; positions may repeat. */
export function addAlong(x: Tensor, indices: Tensor, updates: Tensor, axis: number): Tensor {
  requireDtype("addAlong", x, "float32");
  requireDtype("addAlong", updates, "float32");
  checkIndices("addAlong", x, indices, axis);
  if (!sameShape(updates.shape, indices.shape)) {
    throw new ShapeError(
      `addAlong: needs one index for each update, got ${formatShape(indices.shape)} and ${formatShape(updates.shape)}`,
    );
  }
  return node("addAlong", [x, indices, updates], { axis }, x.shape, "float32");
}

/** One element of the last axis a row: of `x` [...rows, size] that at int32 `indices` [...rows]. */
export function pick(x: Tensor, indices: Tensor): Tensor {
  const axis = lastAxis("takeAlong", x);
  return reshape(takeAlong(x, reshape(indices, [...indices.shape, 1]), axis), indices.shape);
}

/** The `k` largest elements of the last axis, in falling order, and their int32 positions; the first of equal ones first. */
export function topK(x: Tensor, k: number): { readonly values: Tensor; readonly indices: Tensor } {
  requireDtype("topK", x, "float32");
  const axis = lastAxis("topK", x);
  const size = knownSize("topK", x, axis);
  if (!(Number.isInteger(k) && k > 0 && k <= size)) {
    throw new ShapeError(`topK: k must be a whole number from 1 to ${size}, got ${k}`);
  }
  const shape = withAxis(x.shape, axis, k);
  const values = node("topK", [x], { k }, shape, "float32", [{ shape, dtype: "int32" }]);
  return { values, indices: part(values, 1) };
}

/** 1 at the int32 index and 0 elsewhere along a new last axis; all 0 for an index that is not in 0 to depth - 1. */
export function oneHot(indices: Tensor, depth: number): Tensor {
  if (!(Number.isInteger(depth) && depth > 0)) {
    throw new ShapeError(`oneHot: depth must be a positive whole number, got ${depth}`);
  }
  const classes = constant(int32(Int32Array.from({ length: depth }, (_, i) => i)));
  return cast(equal(reshape(indices, [...indices.shape, 1]), classes), "float32");
}

function checkIndices(op: "takeAlong" | "addAlong", x: Tensor, indices: Tensor, axis: number): void {
  requireDtype(op, indices, "int32");
  knownSize(op, x, axis);
  if (!sameShape(withAxis(x.shape, axis, 0), withAxis(indices.shape, axis, 0))) {
    throw new ShapeError(
      `${op}: indices must have the shape of x but for axis ${axis}, got ${formatShape(indices.shape)} for ${formatShape(x.shape)}`,
    );
  }
}
