import * as ops from "../../../src/graph/ops.js";
import type { RowOps } from "../../../src/graph/tensor.js";
import { type Cases, ids, real } from "../op-case.js";
import { into, intoAsMany } from "./shared.js";

export const rowsCases = {
  gather: [
    { name: "repeated rows", operands: [real([4, 2]), ids(["batch"], [3, 0, 3])], build: ops.gather },
    { name: "rank-2 indices", operands: [real([4, 2]), ids(["batch", 2], [0, 1, 1, 3, 3, 3])], build: ops.gather },
    { name: "one row by a scalar", operands: [real([4, 2]), ids([], [2])], build: ops.gather },
    { name: "of a vector", operands: [real([3]), ids(["batch"], [2, 2, 1])], build: ops.gather },
    { name: "of three axes", operands: [real([2, 1, 2]), ids([3], [1, 1, 0])], build: ops.gather },
    { name: "of one row", operands: [real([1, 2]), ids(["batch"], [0])], build: ops.gather, numExamples: 1 },
    {
      name: "of as many rows as indices",
      operands: [real(["batch", 2]), ids(["batch"], [2, 0, 2])],
      build: ops.gather,
    },
  ],
  scatterAdd: [
    { name: "as many rows as updates", operands: [ids(["batch"], [2, 0, 2]), real(["batch", 2])], build: intoAsMany },
    {
      name: "as many rows as updates, rank-2 indices",
      operands: [ids(["batch", 2], [5, 0, 0, 3, 0, 5]), real(["batch", 2, 2])],
      build: intoAsMany,
    },
    { name: "repeated rows", operands: [ids(["batch"], [3, 0, 3]), real(["batch", 2])], build: into(4) },
    {
      name: "rank-2 indices",
      operands: [ids(["batch", 2], [0, 1, 1, 3, 3, 3]), real(["batch", 2, 2])],
      build: into(4),
    },
    { name: "a scalar index", operands: [ids([], [1]), real([2])], build: into(3) },
    { name: "into a vector", operands: [ids(["batch"], [2, 2, 1]), real(["batch"])], build: into(3) },
    { name: "of three axes", operands: [ids([3], [1, 1, 0]), real([3, 1, 2])], build: into(2) },
    { name: "all into one row", operands: [ids([4], [0, 0, 0, 0]), real([4, 2])], build: into(1) },
  ],
  setRows: [
    { name: "two rows", operands: [real([4, 2]), ids([2], [3, 0]), real([2, 2])], build: ops.setRows },
    {
      name: "a batch of rows",
      operands: [real([4, 2]), ids(["batch"], [2, 3, 0]), real(["batch", 2])],
      build: ops.setRows,
    },
    {
      name: "rank-2 indices",
      operands: [real([7, 2]), ids(["batch", 2], [6, 0, 1, 4, 3, 5]), real(["batch", 2, 2])],
      build: ops.setRows,
    },
    {
      name: "of a vector",
      operands: [real([3]), ids(["batch"], [2, 0]), real(["batch"])],
      build: ops.setRows,
      numExamples: 2,
    },
    { name: "of three axes", operands: [real([3, 1, 2]), ids([2], [1, 0]), real([2, 1, 2])], build: ops.setRows },
    { name: "one row by a scalar", operands: [real([4, 2]), ids([], [2]), real([2])], build: ops.setRows },
    {
      name: "equal rows in one place",
      operands: [real([4, 2]), ids(["batch"], [3, 0, 3]), real([4, 2])],
      build: (table, indices, rows) => ops.setRows(table, indices, ops.gather(rows, indices)),
    },
  ],
  firstEqual: [
    { name: "repeated", operands: [ids(["batch"], [7, 0, 7, 7, 0])], build: ops.firstEqual, numExamples: 5 },
    { name: "all different", operands: [ids([4], [3, 2, 1, 0])], build: ops.firstEqual },
    { name: "all equal", operands: [ids([3], [-5, -5, -5])], build: ops.firstEqual },
    { name: "rank 2", operands: [ids(["batch", 2], [1, 2, 2, 3, 1, 1])], build: ops.firstEqual },
    { name: "a scalar", operands: [ids([], [9])], build: ops.firstEqual },
    {
      name: "of 32 bits",
      operands: [ids([4], [2147483647, -2147483648, 2147483647, 2147483646])],
      build: ops.firstEqual,
    },
  ],
  hash: [
    { name: "small numbers", operands: [ids(["batch"], [0, 1, 2])], build: (x) => ops.hash(x, 1000) },
    {
      name: "another stream, rank 2",
      operands: [ids(["batch", 2], [0, 1, 2, 3, 4, 5])],
      build: (x) => ops.hash(x, 7, 3),
    },
    {
      name: "of 32 bits, into as many as there are",
      operands: [ids([4], [-1, -(2 ** 31), 2 ** 31 - 1, 0])],
      build: (x) => ops.hash(x, 2 ** 31 - 1, 2 ** 31 - 1),
    },
    { name: "a scalar into one", operands: [ids([], [9])], build: (x) => ops.hash(x, 1) },
  ],
} satisfies Cases<keyof RowOps>;
