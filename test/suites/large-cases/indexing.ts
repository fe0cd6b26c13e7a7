import * as ops from "../../../src/graph/ops.js";
import type { IndexOps } from "../../../src/graph/tensor.js";
import { anyIds, type Cases, real } from "../op-case.js";
import { matrix, ROWS, unary } from "./shared.js";

export const indexingLargeCases = {
  gather: [
    {
      name: "4,096 rows of 64 from 256",
      operands: [real([256, 64]), anyIds(["batch"], 256)],
      build: ops.gather,
      numExamples: 4096,
    },
  ],
  scatterAdd: [
    {
      name: "4,096 rows of 64 into 256",
      operands: [anyIds(["batch"], 256), real(["batch", 64])],
      build: (indices, updates) => ops.scatterAdd(indices, updates, 256),
      held: [1], // Its gradient is a gather, which has a case of its own.
      numExamples: 4096,
    },
    {
      name: "65,536 numbers into 16",
      operands: [anyIds(["batch"], 16), real(["batch"])],
      build: (indices, updates) => ops.scatterAdd(indices, updates, 16),
      numExamples: 65_536,
    },
  ],
  setRows: [
    {
      name: "4,096 rows of 64 of 300, of which many are equal",
      operands: [real([300, 64]), anyIds(["batch"], 256), real([300, 64])],
      build: (table, indices, rows) => ops.setRows(table, indices, ops.gather(rows, indices)),
      held: [2], // Its gradient is a scatterAdd, which has a case of its own.
      numExamples: 4096,
    },
  ],
  firstEqual: [{ name: "4,096 of 256", operands: [anyIds(["batch"], 256)], build: ops.firstEqual, numExamples: 4096 }],
  takeAlong: [
    {
      name: "512 x 256, rows of 256 often repeated",
      operands: [real(matrix), anyIds(matrix, 16)],
      build: (x, indices) => ops.takeAlong(x, indices, 1),
      numExamples: ROWS,
    },
    {
      // Backward so many elements are scattered that ScatterND would divide them, which it does not do with 196,608.
      name: "4,096 x 64 from axis 0 of 256",
      operands: [real([256, 64]), anyIds([4096, 64], 256)],
      build: (x, indices) => ops.takeAlong(x, indices, 0),
    },
  ],
  addAlong: [
    {
      name: "512 x 256, rows of 256 often repeated",
      operands: [real(matrix), anyIds(matrix, 16), real(matrix)],
      build: (x, indices, updates) => ops.addAlong(x, indices, updates, 1),
      numExamples: ROWS,
    },
  ],
  topK: unary((x) => ops.topK(x, 5).values),
} satisfies Cases<keyof IndexOps>;
