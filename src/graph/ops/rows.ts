import { ShapeError } from "../../errors.js";
import { formatShape } from "../shape.js";
import { node, type Tensor } from "../tensor.js";
import { knownSize, requireDtype, sameShape } from "./checks.js";

/** Rows of `table` [rows, ...rest] at int32 `indices` [...]: [...indices, ...rest]. */
export function gather(table: Tensor, indices: Tensor): Tensor {
  requireDtype("gather", table, "float32");
  requireDtype("gather", indices, "int32");
  knownSize("gather", table, 0);
  return node("gather", [table, indices], {}, [...indices.shape, ...table.shape.slice(1)], "float32");
}

/** Zeros [numRows, ...rest] to which each of `updates` [...indices, ...rest] is added at its row; rows may repeat. */
export function scatterAdd(indices: Tensor, updates: Tensor, numRows: number): Tensor {
  requireDtype("scatterAdd", indices, "int32");
  requireDtype("scatterAdd", updates, "float32");
  if (!(Number.isInteger(numRows) && numRows > 0)) {
    throw new ShapeError(`scatterAdd: numRows must be a positive whole number, got ${numRows}`);
  }
  const rank = indices.shape.length;
  if (!sameShape(updates.shape.slice(0, rank), indices.shape)) {
    throw new ShapeError(
      `scatterAdd: updates ${formatShape(updates.shape)} must begin with the shape of the indices ${formatShape(indices.shape)}`,
    );
  }
  return node("scatterAdd", [indices, updates], { numRows }, [numRows, ...updates.shape.slice(rank)], "float32");
}

/** The position of each string among `keys`, counted from 1; 0 for a string that is not there. */
export function lookup(x: Tensor, keys: readonly string[]): Tensor {
  requireDtype("lookup", x, "string");
  if (keys.length === 0) throw new ShapeError("lookup: needs at least one key, got none");
  return node("lookup", [x], { keys }, x.shape, "int32");
}
