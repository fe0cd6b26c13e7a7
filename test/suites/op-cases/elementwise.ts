import * as ops from "../../../src/graph/ops.js";
import type { ElementwiseOps, Tensor } from "../../../src/graph/tensor.js";
import { type Case, type Cases, exactly, flags, ids, pixels, real } from "../op-case.js";
import { binary, extremum, unary } from "./shared.js";

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

export const elementwiseCases = {
  neg: unary(ops.neg),
  exp: unary(ops.exp),
  log: unary(ops.log, 1.5, 3),
  sqrt: unary(ops.sqrt, 0.25, 3),
  relu: unary(ops.relu),
  sigmoid: [
    ...unary(ops.sigmoid),
    { name: "far out", operands: [exactly([4], [-30, -12, 12, 30])], build: ops.sigmoid },
  ],
  softplus: [
    ...unary(ops.softplus),
    { name: "far out", operands: [exactly([4], [-30, -12, 12, 30])], build: ops.softplus },
  ],
  abs: [...unary(ops.abs), { name: "at 0", operands: [exactly([3], [-1, 0, 1])], build: ops.abs }],
  sign: [...unary(ops.sign), { name: "at 0", operands: [exactly([3], [-1, 0, 1])], build: ops.sign }],
  tanh: [...unary(ops.tanh), { name: "far out", operands: [exactly([5], [-30, -5, 1, 5, 30])], build: ops.tanh }],
  erf: [...unary(ops.erf), { name: "far out", operands: [exactly([6], [-30, -5, -3, 3, 5, 30])], build: ops.erf }],
  floor: [...unary(ops.floor), { name: "whole", operands: [exactly([3], [-1, 0, 2])], build: ops.floor }],
  sin: unary(ops.sin),
  cos: unary(ops.cos),
  clamp: [
    ...unary((x) => ops.clamp(x, -0.5, 1.25)),
    { name: "from above only", operands: [real(["batch", 3])], build: (x) => ops.clamp(x, -1e9, 0.5) },
    { name: "to one value", operands: [real([3])], build: (x) => ops.clamp(x, 0.5, 0.5) },
  ],
  add: binary(ops.add),
  sub: binary(ops.sub),
  mul: binary(ops.mul),
  div: binary(ops.div),
  maximum: extremum(ops.maximum),
  minimum: extremum(ops.minimum),
  where: [
    { name: "equal shapes", operands: [flags(["batch", 2]), real(["batch", 2]), real(["batch", 2])], build: ops.where },
    { name: "scalars", operands: [flags([]), real([]), real([])], build: ops.where },
    { name: "condition repeated", operands: [flags(["batch", 1]), real(["batch", 2]), real([2])], build: ops.where },
    { name: "values repeated", operands: [flags(["batch", 2]), real([]), real([1, 2])], build: ops.where },
    { name: "all repeated", operands: [flags([2, 1, 1]), real([3, 1]), real([2])], build: ops.where },
    { name: "batch of 1", operands: [flags(["batch"]), real(["batch"]), real([1])], build: ops.where, numExamples: 1 },
    { name: "number on the right", operands: [flags(["batch"]), real(["batch"])], build: (c, x) => ops.where(c, x, 0) },
    { name: "number on the left", operands: [flags(["batch"]), real(["batch"])], build: (c, x) => ops.where(c, 0, x) },
    { name: "int32", operands: [flags([3]), ids([3], [1, 2, 3])], build: (c, x) => ops.where(c, x, -7) },
    { name: "the same twice", operands: [flags([2]), real([2])], build: (c, x) => ops.where(c, x, x) },
  ],
  cast: [
    { name: "int32 to float32", operands: [ids(["batch"], [-2, 0, 70000])], build: (x) => ops.cast(x, "float32") },
    { name: "uint8 to float32", operands: [pixels(["batch", 5])], build: (x) => ops.cast(x, "float32") },
    {
      name: "uint8 with channels first",
      operands: [pixels(["batch", 2, 3, 3])],
      build: (x) => ops.cast(ops.transpose(x, [0, 3, 1, 2]), "float32"),
    },
    { name: "bool to float32", operands: [flags(["batch", 2])], build: (x) => ops.cast(x, "float32") },
    { name: "bool to int32", operands: [flags([4])], build: (x) => ops.cast(x, "int32") },
    { name: "float32 to itself", operands: [real(["batch", 2])], build: (x) => ops.cast(x, "float32") },
    { name: "float32 to int32", operands: [real(["batch", 2])], build: (x) => ops.cast(x, "int32") },
    { name: "float32 to bool", operands: [exactly([3], [0, -0.5, 2])], build: (x) => ops.cast(x, "bool") },
  ],
  gelu: [...unary(ops.gelu), { name: "far out", operands: [exactly([5], [-30, -5, 1, 5, 30])], build: ops.gelu }],
  quickGelu: [
    ...unary((x) => ops.quickGelu(x)),
    { name: "far out", operands: [exactly([5], [-30, -5, 1, 5, 30])], build: (x) => ops.quickGelu(x) },
    { name: "SiLU", operands: [exactly([5], [-30, -5, 1, 5, 30])], build: ops.silu },
  ],
  greater: [...comparison(ops.greater), ...named("less", (x, y) => ops.less(x, y))],
  greaterOrEqual: [...comparison(ops.greaterOrEqual), ...named("lessOrEqual", (x, y) => ops.lessOrEqual(x, y))],
  equal: comparison(ops.equal),
  and: connective(ops.and),
  or: connective(ops.or),
  not: [
    { name: "a matrix", operands: [flags(["batch", 3])], build: ops.not },
    { name: "a scalar", operands: [flags([])], build: ops.not },
  ],
} satisfies Cases<keyof ElementwiseOps>;

function named(name: string, f: (x: Tensor, y: Tensor) => Tensor): Case[] {
  const operands = [exactly([5], [1, 2, 3, nan, 1]), exactly([5], [2, 2, 2, 2, nan])];
  return [{ name, operands, build: (x, y) => f(x as Tensor, y as Tensor) }];
}
