import { ShapeError } from "../../errors.js";
import { type Axis, formatShape, isSymbolic, joined } from "../shape.js";
import { node, type Tensor } from "../tensor.js";
import { knownSize, requireDtype, sameShape } from "./checks.js";
import { equal } from "./comparisons.js";
import { cast } from "./elementwise.js";
import { cumulativeSum } from "./reductions.js";
import { expand, reshape } from "./shapes.js";

/**
 * Rows of `table` [rows, ...rest] at int32 `indices` [...]: [...indices, ...rest]. Where only a run tells how many rows
 * there are, there must be as many as indices.
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
 * Zeros [numRows, ...rest] to which each of `updates` [...indices, ...rest] is added at its row; rows may repeat. There
 * are as many rows as indices where only a run tells how many.
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
 * index repeats, its rows must be equal: which of them is written last is not said.
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

/** Whether no element before it equals an int32 element, as bool of that shape; exact for up to 2^24 elements. */
export function isFirst(x: Tensor): Tensor {
  const flat = reshape(x, [joined(x.shape)]);
  const positions = cumulativeSum(expand(1, flat), 0, { exclusive: true });
  return reshape(equal(firstEqual(flat), cast(positions, "int32")), x.shape);
}

/**
 * A bucket for each int32 element, from 0 to numBuckets - 1: with the mixing of {@link randomUniform} and k1, k2 of the
 * number of the stream, mix(mix(x xor k1) xor k2) modulo numBuckets. Streams are as hash functions drawn independently.
 */
export function hash(x: Tensor, numBuckets: number, stream = 0): Tensor {
  requireDtype("hash", x, "int32");
  for (const [name, value, least] of [["numBuckets", numBuckets, 1] as const, ["the stream", stream, 0] as const]) {
    if ((value | 0) === value && value >= least) continue;
    throw new ShapeError(`hash: ${name} must be a whole number from ${least} to 2^31 - 1, got ${value}`);
  }
  return node("hash", [x], { numBuckets, stream }, x.shape, "int32");
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
