import * as ops from "../../../src/graph/ops.js";
import type { ComparisonOps, Tensor } from "../../../src/graph/tensor.js";
import { type Case, type Cases, exactly, flags, ids } from "../op-case.js";
import { binary } from "./shared.js";

const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;

function comparison(f: (x: ops.Operand, y: ops.Operand) => Tensor): Case[] {
  const pair = (name: string, x: number[], y: number[]): Case => ({
    name,
    operands: [exactly([x.length], x), exactly([y.length], y)],
    build: (a, b) => f(a as Tensor, b as Tensor),
  });
  return [
    ...binary(f),
    pair("ties", [0, 1, -1], [0, 1, -1]),
    pair("NaN and infinities", [nan, nan, 1, infinity, -infinity, -0], [nan, 1, nan, infinity, infinity, 0]),
    {
      name: "int32 beyond the whole numbers of float32",
      operands: [ids(["batch"], [16_777_216, -5, 16_777_217]), ids([1], [16_777_217])],
      build: (a, b) => f(a as Tensor, b as Tensor),
    },
    { name: "int32 and a number", operands: [ids([3], [-1, 2, 3])], build: (a) => f(a as Tensor, 2) },
  ];
}

function connective(f: (x: Tensor, y: Tensor) => Tensor): Case[] {
  return [
    {
      name: "equal shapes",
      operands: [flags(["batch", 4]), flags(["batch", 4])],
      build: (x, y) => f(x as Tensor, y as Tensor),
    },
    { name: "repeated", operands: [flags(["batch", 1]), flags([4])], build: (x, y) => f(x as Tensor, y as Tensor) },
    { name: "scalars", operands: [flags([]), flags([])], build: (x, y) => f(x as Tensor, y as Tensor) },
  ];
}

export const comparisonsCases = {
  greater: [...comparison(ops.greater), ...named("less", (x, y) => ops.less(x, y))],
  greaterOrEqual: [...comparison(ops.greaterOrEqual), ...named("lessOrEqual", (x, y) => ops.lessOrEqual(x, y))],
  equal: comparison(ops.equal),
  and: connective(ops.and),
  or: connective(ops.or),
  not: [
    { name: "a matrix", operands: [flags(["batch", 3])], build: ops.not },
    { name: "a scalar", operands: [flags([])], build: ops.not },
  ],
} satisfies Cases<keyof ComparisonOps>;

function named(name: string, f: (x: Tensor, y: Tensor) => Tensor): Case[] {
  const operands = [exactly([5], [1, 2, 3, nan, 1]), exactly([5], [2, 2, 2, 2, nan])];
  return [{ name, operands, build: (x, y) => f(x as Tensor, y as Tensor) }];
}
