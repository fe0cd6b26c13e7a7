import { ShapeError } from "../../errors.js";
import { int32 } from "../../runtime/array.js";
import { type Axis, formatShape, isSymbolic, joined } from "../shape.js";
import { node, part, type Tensor } from "../tensor.js";
import { knownSize, lastAxis, requireDtype, sameShape, withAxis } from "./checks.js";
import { cumulativeSum } from "./contractions.js";
import { cast, equal } from "./elementwise.js";
import { constant } from "./leaves.js";
import { expand, reshape } from "./shapes.js";

/**
 * Rows of `table` [rows, ...rest] at int32 `indices` [...]: [...indices, ...rest]. Where only a run knows the number of
 * rows, it must be that of the indices.
 */
export function gather(table: Tensor, indices: Tensor): Tensor {
  requireDtype("gather", table, "float32");
  requireDtype("gather", indices, "int32");
  const [numRows] = table.shape;
  if (!isSymbolic(numRows)) knownSize("gather", table, 0);
  else checkNumRows("gather", numRows, indices);
  return node("gather", [table, indices], {}, [...indices.shape, ...table.shape.slice(1)], "float32");
}

/**
 * Zeros [numRows, ...rest] to which each of `updates` [...indices, ...rest] is added at its row; rows may repeat. Where
 * only a run knows the number of rows, it must be that of the indices.
 */
export function scatterAdd(indices: Tensor, updates: Tensor, numRows: Axis): Tensor {
  requireDtype("scatterAdd", indices, "int32");
  requireDtype("scatterAdd", updates, "float32");
  if (isSymbolic(numRows)) checkNumRows("scatterAdd", numRows, indices);
  else if (!(Number.isInteger(numRows) && numRows > 0)) {
    throw new ShapeError(`scatterAdd: numRows must be a positive whole number, got ${numRows}`);
  }
  checkUpdates("scatterAdd", indices, updates);
  const rest = updates.shape.slice(indices.shape.length);
  return node("scatterAdd", [indices, updates], { numRows }, [numRows, ...rest], "float32");
}

/**
 * `table` [rows, ...rest] with `rows` [...indices, ...rest] in the place of those at int32 `indices` [...]. Where an
 * index repeats, its rows must be equal: which of them is written last is undefined.
 */
export function setRows(table: Tensor, indices: Tensor, rows: Tensor): Tensor {
  requireDtype("setRows", table, "float32");
  requireDtype("setRows", indices, "int32");
  requireDtype("setRows", rows, "float32");
  knownSize("setRows", table, 0);
  checkUpdates("setRows", indices, rows);
  const [rest, given] = [table.shape.slice(1), rows.shape.slice(indices.shape.length)];
  if (!sameShape(rest, given)) {
    throw new ShapeError(
      `setRows: rows must be ${formatShape(rest)} each as those of the table, got ${formatShape(given)}`,
    );
  }
  return node("setRows", [table, indices, rows], {}, table.shape, "float32");
}

/** For each int32 element the position of the first that equals it, counted through all elements; int32 of that shape. */
export function firstEqual(x: Tensor): Tensor {
  requireDtype("firstEqual", x, "int32");
  return node("firstEqual", [x], {}, x.shape, "int32");
}

/** Whether each int32 element is the first of its value, as bool of that shape; exact for up to 2^24 elements. */
export function isFirst(x: Tensor): Tensor {
  const flat = reshape(x, [joined(x.shape)]);
  const positions = cumulativeSum(expand(1, flat), 0, { exclusive: true });
  return reshape(equal(firstEqual(flat), cast(positions, "int32")), x.shape);
}

function checkNumRows(op: "gather" | "scatterAdd", numRows: Axis, indices: Tensor): void {
  if (numRows === joined(indices.shape)) return;
  throw new ShapeError(
    `${op}: the number of rows must be known or that of the indices ${formatShape(indices.shape)}, got ${numRows}`,
  );
}

function checkUpdates(op: "scatterAdd" | "setRows", indices: Tensor, updates: Tensor): void {
  if (sameShape(updates.shape.slice(0, indices.shape.length), indices.shape)) return;
  const what = op === "setRows" ? "rows" : "updates";
  throw new ShapeError(
    `${op}: ${what} ${formatShape(updates.shape)} must begin with the shape of the indices ${formatShape(indices.shape)}`,
  );
}

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

/** One element for each row: of `x` [...rows, size] the element of the last axis at int32 `indices` [...rows]. */
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
