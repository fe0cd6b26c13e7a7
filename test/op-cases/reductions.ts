import * as ops from "../../src/graph/ops.js";
import { type Case, real, texts } from "../op-case.js";
import { reduction } from "./shared.js";

export const reductionsCases = {
  reduceSum: reduction(ops.reduceSum),
  reduceMean: reduction(ops.reduceMean),
  countAlong: [
    { name: "all", operands: [real(["batch", 2])], build: (x) => ops.countAlong(x) },
    { name: "the batch", operands: [real(["batch", 2])], build: (x) => ops.countAlong(x, [0]) },
    { name: "another axis", operands: [real(["batch", 2])], build: (x) => ops.countAlong(x, [1]) },
    { name: "nothing", operands: [real(["batch", 2])], build: (x) => ops.countAlong(x, []) },
    { name: "a scalar", operands: [real([])], build: (x) => ops.countAlong(x) },
    { name: "strings", operands: [texts(["batch"], ["a", "b", "c"])], build: (x) => ops.countAlong(x) },
    { name: "batch of 1", operands: [real(["batch"])], build: (x) => ops.countAlong(x), numExamples: 1 },
  ],
} satisfies { readonly [O in "reduceSum" | "reduceMean" | "countAlong"]: readonly Case[] };
