import * as ops from "../../../src/graph/ops.js";
import type { SoftmaxOps, Tensor } from "../../../src/graph/tensor.js";
import { type Case, type Cases, exactly, ids, real } from "../op-case.js";

function rows(f: (x: Tensor) => Tensor): Case[] {
  return [
    { name: "[batch, 4]", operands: [real(["batch", 4])], build: f },
    { name: "three axes", operands: [real(["batch", 2, 3])], build: f },
    { name: "a vector", operands: [real([5])], build: f },
    { name: "one class", operands: [real(["batch", 1])], build: f },
    { name: "far apart", operands: [exactly([2, 3], [80, -80, 0, -120, -121, -122])], build: f },
    { name: "batch of 1", operands: [real(["batch", 3])], build: f, numExamples: 1 },
  ];
}

export const softmaxCases = {
  softmax: rows(ops.softmax),
  logSoftmax: rows(ops.logSoftmax),
  logSoftmaxAt: [
    {
      name: "[batch, 4]",
      operands: [real(["batch", 4]), ids(["batch"], [3, 0, 3])],
      build: (x, classes) => ops.logSoftmaxAt(x, classes).at,
    },
    {
      name: "three axes",
      operands: [real(["batch", 2, 3]), ids(["batch", 2], [0, 1, 2, 2, 1, 0])],
      build: (x, classes) => ops.logSoftmaxAt(x, classes).at,
    },
    { name: "a vector", operands: [real([3]), ids([], [1])], build: (x, classes) => ops.logSoftmaxAt(x, classes).at },
    {
      name: "far apart",
      operands: [exactly([2, 3], [80, -80, 0, -120, -121, -122]), ids([2], [1, 1])],
      build: (x, classes) => ops.logSoftmaxAt(x, classes).at,
    },
  ],
} satisfies Cases<keyof SoftmaxOps>;
