import * as ops from "../../../src/graph/ops.js";
import type { RowOps } from "../../../src/graph/tensor.js";
import { batch, condition, indices, type Misuses, matrix, vector, wide } from "./shared.js";

export const rowsMisuses = {
  gather: [
    { call: () => ops.gather(matrix, vector), message: /^gather: needs int32, got float32\[3\]/ },
    {
      call: () => ops.gather(batch, ops.input("ids", [2], "int32")),
      message: /^gather: the number of rows must be known or that of the indices \[2\], got batch/,
    },
    {
      call: () => ops.gather(ops.input("scalar", []), indices),
      message: /^gather: \[\] has axes 0 to -1, got axis 0/,
    },
  ],
  scatterAdd: [
    { call: () => ops.scatterAdd(vector, batch, 4), message: /^scatterAdd: needs int32, got float32\[3\]/ },
    {
      call: () => ops.scatterAdd(indices, batch, 0),
      message: /^scatterAdd: numRows must be a positive whole number, got 0/,
    },
    {
      call: () => ops.scatterAdd(indices, batch, "batch*2"),
      message: /^scatterAdd: the number of rows must be known or that of the indices \[batch\], got batch\*2/,
    },
    { call: () => ops.scatterAdd(indices, condition, 4), message: /^scatterAdd: needs float32, got bool\[3\]/ },
    {
      call: () => ops.scatterAdd(indices, matrix, 4),
      message: /^scatterAdd: updates \[2, 3\] must begin with the shape of the indices \[batch\]/,
    },
  ],
  setRows: [
    { call: () => ops.setRows(condition, indices, batch), message: /^setRows: needs float32, got bool\[3\]/ },
    { call: () => ops.setRows(matrix, vector, batch), message: /^setRows: needs int32, got float32\[3\]/ },
    { call: () => ops.setRows(matrix, indices, condition), message: /^setRows: needs float32, got bool\[3\]/ },
    {
      call: () => ops.setRows(batch, indices, batch),
      message: /^setRows: axis 0 of \[batch, 3\] must have a known size/,
    },
    {
      call: () => ops.setRows(matrix, indices, matrix),
      message: /^setRows: rows \[2, 3\] must begin with the shape of the indices \[batch\]/,
    },
    {
      call: () => ops.setRows(wide, indices, batch),
      message: /^setRows: rows must be \[5\] each as those of the table, got \[3\]/,
    },
  ],
  firstEqual: [{ call: () => ops.firstEqual(vector), message: /^firstEqual: needs int32, got float32\[3\]/ }],
  hash: [
    { call: () => ops.hash(vector, 4), message: /^hash: needs int32, got float32\[3\]/ },
    {
      call: () => ops.hash(indices, 0),
      message: /^hash: numBuckets must be a whole number from 1 to 2\^31 - 1, got 0/,
    },
    { call: () => ops.hash(indices, 2 ** 31), message: /^hash: numBuckets must be .*, got 2147483648/ },
    { call: () => ops.hash(indices, 4, -1), message: /^hash: the stream must be a whole number from 0 .*, got -1/ },
    { call: () => ops.hash(indices, 4, 0.5), message: /^hash: the stream must be .*, got 0\.5/ },
  ],
} satisfies Misuses<keyof RowOps>;
