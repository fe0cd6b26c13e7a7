/** Shapes and patterns of cases that several operations share. */
import * as ops from "../../../src/graph/ops.js";
import { joined } from "../../../src/graph/shape.js";
import { formatShape, type Shape, type Tensor } from "../../../src/graph/tensor.js";
import { type Case, exactly, real } from "../op-case.js";

export const SHAPES: readonly Shape[] = [[], [1], ["batch"], ["batch", 3], [2, 1, 3]];

/** An elementwise function of one tensor, at values between `from` and `to`. */
export function unary(f: (x: Tensor) => Tensor, from?: number, to?: number): Case[] {
  const cases = SHAPES.map((shape) => ({ name: formatShape(shape), operands: [real(shape, from, to)], build: f }));
  return [
    ...cases,
    { name: "batch of 1", operands: [real(["batch", 2], from, to)], build: f, numExamples: 1 },
    { name: "on itself", operands: [real([2], from, to)], build: (x) => f(f(x)) },
  ];
}

export const PAIRS: readonly [Shape, Shape][] = [
  [[], []],
  [[1], []],
  [["batch"], ["batch"]],
  [["batch"], [1]],
  [
    ["batch", 2],
    ["batch", 2],
  ],
  [["batch", 2], [2]],
  [[2], ["batch", 2]],
  [["batch", 1], [2]],
  [
    ["batch", 1],
    ["batch", 2],
  ],
  [
    [1, 2],
    ["batch", 2],
  ],
  [
    [2, 1],
    [1, 3],
  ],
  [
    [2, 1, 2],
    [3, 1],
  ],
  [
    ["batch", 2, 1],
    [1, 1, 2],
  ],
];

/** An elementwise function of two tensors; the values of the second, and their signs, are away from 0. */
export function binary(f: (x: ops.Operand, y: ops.Operand) => Tensor): Case[] {
  const cases = PAIRS.map(([a, b]) => ({
    name: `${formatShape(a)} and ${formatShape(b)}`,
    operands: [real(a), real(b, 0.5, 2)],
    build: f,
  }));
  return [
    ...cases,
    { name: "batch of 1", operands: [real(["batch", 2]), real([1, 2], -2, -0.5)], build: f, numExamples: 1 },
    { name: "with itself", operands: [real(["batch", 2])], build: (x) => f(x as Tensor, x as Tensor) },
    { name: "number on the right", operands: [real(["batch", 2])], build: (x) => f(x as Tensor, 0.75) },
    { name: "number on the left", operands: [real(["batch", 2])], build: (x) => f(-1.5, x as Tensor) },
  ];
}

/** The larger or the smaller of two, ties included. */
export function extremum(f: (x: ops.Operand, y: ops.Operand) => Tensor): Case[] {
  const ties = { name: "ties", operands: [exactly([4], [0, 1, -1, 2]), exactly([4], [0, 1, -1, 1])] };
  const repeated = { name: "ties, repeated", operands: [exactly([2, 2], [0, 1, -1, 0]), exactly([2], [0, 0])] };
  return [
    ...binary(f),
    { ...ties, build: (x, y) => f(x as Tensor, y as Tensor) },
    { ...repeated, build: (x, y) => f(x as Tensor, y as Tensor) },
  ];
}

export function reduction(f: (x: Tensor, axes?: number[], keepDims?: boolean) => Tensor): Case[] {
  const x = real(["batch", 2, 2]);
  const over: readonly [name: string, axes: number[], keepDims: boolean][] = [
    ["over the batch", [0], false],
    ["over the batch, kept", [0], true],
    ["over a middle axis", [1], false],
    ["over the last axis, kept", [2], true],
    ["over the batch and the last axis", [0, 2], false],
    ["over two axes out of order, kept", [2, 1], true],
    ["over no axis", [], false],
  ];
  return [
    { name: "over all", operands: [x], build: (x) => f(x as Tensor) },
    { name: "over all, kept", operands: [x], build: (x) => f(x as Tensor, [0, 1, 2], true) },
    ...over.map(([name, axes, keepDims]) => ({ name, operands: [x], build: (x: Tensor) => f(x, axes, keepDims) })),
    { name: "of a scalar", operands: [real([])], build: (x) => f(x as Tensor) },
    { name: "of a vector", operands: [real(["batch"])], build: (x) => f(x as Tensor) },
    { name: "over an axis of size 1", operands: [real([2, 1])], build: (x) => f(x as Tensor, [1]) },
    { name: "of a batch of 1", operands: [real(["batch", 2])], build: (x) => f(x as Tensor, [0]), numExamples: 1 },
  ];
}

export function product(a: Shape, b: Shape, transposeA: boolean, transposeB: boolean, numExamples?: number): Case {
  return {
    name: `${formatShape(a)}${transposeA ? "^T" : ""} ${formatShape(b)}${transposeB ? "^T" : ""} of ${numExamples ?? 3}`,
    operands: [real(a), real(b)],
    build: (x, y) => ops.matmul(x as Tensor, y as Tensor, { transposeA, transposeB }),
    ...(numExamples !== undefined && { numExamples }),
  };
}

export function into(numRows: number): Case["build"] {
  return (indices, updates) => ops.scatterAdd(indices as Tensor, updates as Tensor, numRows);
}

export const intoAsMany: Case["build"] = (indices, updates) =>
  ops.scatterAdd(indices as Tensor, updates as Tensor, joined((indices as Tensor).shape));
