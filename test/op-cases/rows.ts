import * as ops from "../../src/graph/ops.js";
import type { RowOps } from "../../src/graph/tensor.js";
import { type Cases, ids, real, texts } from "../op-case.js";
import { into, keyed } from "./shared.js";

export const rowsCases = {
  gather: [
    { name: "repeated rows", operands: [real([4, 2]), ids(["batch"], [3, 0, 3])], build: ops.gather },
    { name: "rank-2 indices", operands: [real([4, 2]), ids(["batch", 2], [0, 1, 1, 3, 3, 3])], build: ops.gather },
    { name: "one row by a scalar", operands: [real([4, 2]), ids([], [2])], build: ops.gather },
    { name: "of a vector", operands: [real([3]), ids(["batch"], [2, 2, 1])], build: ops.gather },
    { name: "of three axes", operands: [real([2, 1, 2]), ids([3], [1, 1, 0])], build: ops.gather },
    { name: "of one row", operands: [real([1, 2]), ids(["batch"], [0])], build: ops.gather, numExamples: 1 },
  ],
  scatterAdd: [
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
  lookup: [
    { name: "known and unknown", operands: [texts(["batch"], ["b", "?", "a"])], build: keyed("a", "b", "c") },
    { name: "rank 2", operands: [texts(["batch", 2], ["c", "b", "", "a", "A", "aa"])], build: keyed("a", "b", "c") },
    {
      name: "beyond ASCII",
      operands: [texts(["batch"], ["Zürich", "東京", "Zurich"])],
      build: keyed("東京", "Zürich"),
    },
    { name: "the empty string", operands: [texts([2], ["", "x"])], build: keyed("") },
    { name: "batch of 1", operands: [texts(["batch"], ["b"])], build: keyed("a", "b"), numExamples: 1 },
  ],
} satisfies Cases<keyof RowOps>;
