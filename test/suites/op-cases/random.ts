import * as ops from "../../../src/graph/ops.js";
import type { RandomOps } from "../../../src/graph/tensor.js";
import { type Cases, ids, real } from "../op-case.js";

export const randomCases = {
  randomUniform: [
    { name: "a given shape", operands: [ids([2], [1, 2])], build: (key) => ops.randomUniform(key, [3, 4]) },
    { name: "a scalar", operands: [ids([2], [0, 0])], build: (key) => ops.randomUniform(key, []) },
    {
      name: "like a batch",
      operands: [ids([2], [-1, 2 ** 31 - 1]), real(["batch", 5])],
      build: (key, like) => ops.randomUniform(key, like),
    },
    {
      name: "like a known shape",
      operands: [ids([2], [-(2 ** 31), 77]), real([2, 3])],
      build: (key, like) => ops.randomUniform(key, like),
    },
    {
      name: "another stream",
      operands: [ids([2], [1, 2])],
      build: (key) => ops.randomUniform(key, [3, 4], 2 ** 31 - 1),
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
} satisfies Cases<keyof RandomOps>;
