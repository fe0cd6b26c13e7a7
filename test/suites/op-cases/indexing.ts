import * as ops from "../../../src/graph/ops.js";
import { type IndexOps, part } from "../../../src/graph/tensor.js";
import { type Case, type Cases, exactly, ids, real } from "../op-case.js";
import { into, intoAsMany } from "./shared.js";

export const indexingCases = {
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
  takeAlong: [
    {
      name: "the last axis, repeated",
      operands: [real(["batch", 3]), ids(["batch", 2], [2, 2, 0, 1, 1, 1])],
      build: (x, i) => ops.takeAlong(x, i, 1),
    },
    {
      name: "axis 0",
      operands: [real([3, 2]), ids([4, 2], [0, 1, 2, 1, 2, 0, 2, 0])],
      build: (x, i) => ops.takeAlong(x, i, 0),
    },
    {
      name: "the middle of three axes",
      operands: [real(["batch", 2, 2]), ids(["batch", 1, 2], [0, 1, 1, 1, 1, 0])],
      build: (x, i) => ops.takeAlong(x, i, 1),
    },
    { name: "of a vector", operands: [real([3]), ids([2], [1, 1])], build: (x, i) => ops.takeAlong(x, i, 0) },
  ],
  addAlong: [
    {
      name: "the last axis, repeated",
      operands: [real(["batch", 3]), ids(["batch", 2], [2, 2, 0, 1, 1, 1]), real(["batch", 2])],
      build: (x, i, u) => ops.addAlong(x, i, u, 1),
    },
    {
      name: "axis 0",
      operands: [real([3, 2]), ids([4, 2], [0, 1, 2, 1, 2, 0, 2, 0]), real([4, 2])],
      build: (x, i, u) => ops.addAlong(x, i, u, 0),
    },
    {
      name: "the middle of three axes",
      operands: [real(["batch", 2, 2]), ids(["batch", 1, 2], [0, 1, 1, 1, 1, 0]), real(["batch", 1, 2])],
      build: (x, i, u) => ops.addAlong(x, i, u, 1),
    },
  ],
  topK: [
    { name: "2 of 4", operands: [real(["batch", 4])], build: (x) => ops.topK(x, 2).values },
    { name: "all of three axes", operands: [real([2, 2, 3])], build: (x) => ops.topK(x, 3).values },
    { name: "of a vector", operands: [exactly([4], [3, -1, 4, 1.5])], build: (x) => ops.topK(x, 1).values },
    { name: "batch of 1", operands: [real(["batch", 3])], build: (x) => ops.topK(x, 2).values, numExamples: 1 },
  ],
} satisfies Cases<keyof IndexOps>;

/** Further results of the operations above and of others. */
export const partCases: readonly Case[] = [
  {
    name: "where the largest are",
    operands: [exactly([2, 4], [3, 1, 3, 2, 0, 5, 5, 5])],
    build: (x) => ops.topK(x, 3).indices,
  },
  {
    name: "the mean of layerNorm",
    operands: [real(["batch", 4]), real([4]), real([4])],
    build: (...x) => ops.layerNorm(...(x as [never, never, never])).mean,
    held: [1, 2],
  },
  {
    name: "the inverse deviation of layerNorm",
    operands: [real(["batch", 4]), real([4]), real([4])],
    build: (...x) => ops.layerNorm(...(x as [never, never, never])).inverseStd,
    held: [1, 2],
  },
  {
    name: "all of logSoftmaxAt",
    operands: [real(["batch", 3]), ids(["batch"], [2, 0, 2])],
    build: (x, classes) => part(ops.logSoftmaxAt(x, classes).at, 1),
  },
];
