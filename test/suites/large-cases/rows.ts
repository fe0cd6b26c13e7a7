import * as ops from "../../../src/graph/ops.js";
import type { RowOps } from "../../../src/graph/tensor.js";
import { anyIds, type Cases, real } from "../op-case.js";

export const rowsLargeCases = {
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
  hash: [
    {
      name: "131,072 into 100,000",
      operands: [anyIds(["batch"], 2 ** 30)],
      build: (x) => ops.hash(x, 100_000, 1),
      numExamples: 131_072,
    },
  ],
} satisfies Cases<keyof RowOps>;
