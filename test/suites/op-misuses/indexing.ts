import * as ops from "../../../src/graph/ops.js";
import type { IndexOps } from "../../../src/graph/tensor.js";
import { batch, condition, indices, type Misuses, matrix, needsNumbers, vector, wide } from "./shared.js";

const positions = ops.input("positions", [2, 3], "int32");

export const indexingMisuses = {
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
  takeAlong: [
    ...needsNumbers("takeAlong", (x) => ops.takeAlong(x, indices, 0)),
    { call: () => ops.takeAlong(matrix, matrix, 1), message: /^takeAlong: needs int32, got float32\[2, 3\]/ },
    {
      call: () => ops.takeAlong(batch, positions, 1),
      message: /^takeAlong: indices must have the shape of x but for axis 1, got \[2, 3\] for \[batch, 3\]/,
    },
    {
      call: () => ops.takeAlong(batch, positions, 0),
      message: /^takeAlong: axis 0 of \[batch, 3\] must have a known size/,
    },
    { call: () => ops.pick(ops.input("x", []), indices), message: /^takeAlong: needs at least one axis, got \[\]/ },
  ],
  addAlong: [
    ...needsNumbers("addAlong", (x) => ops.addAlong(matrix, positions, x, 1)),
    {
      call: () => ops.addAlong(matrix, indices, vector, 1),
      message: /^addAlong: indices must have the shape of x but for axis 1, got \[batch\] for \[2, 3\]/,
    },
    {
      call: () => ops.addAlong(matrix, positions, vector, 1),
      message: /^addAlong: needs one index for each update, got \[2, 3\] and \[3\]/,
    },
  ],
  topK: [
    ...needsNumbers("topK", (x) => ops.topK(x, 1)),
    { call: () => ops.topK(matrix, 4), message: /^topK: k must be a whole number from 1 to 3, got 4/ },
    { call: () => ops.topK(matrix, 0), message: /^topK: k must be a whole number from 1 to 3, got 0/ },
    {
      call: () => ops.topK(ops.input("x", ["batch"]), 1),
      message: /^topK: axis 0 of \[batch\] must have a known size/,
    },
  ],
} satisfies Misuses<keyof IndexOps>;
