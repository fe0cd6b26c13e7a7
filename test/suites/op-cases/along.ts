import * as ops from "../../../src/graph/ops.js";
import { type AlongOps, part } from "../../../src/graph/tensor.js";
import { type Case, type Cases, exactly, ids, real } from "../op-case.js";

export const alongCases = {
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
} satisfies Cases<keyof AlongOps>;

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
