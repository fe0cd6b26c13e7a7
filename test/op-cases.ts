/** Cases of every operation. The table is keyed by `Op`: an operation without cases does not compile. */
import * as ops from "../src/graph/ops.js";
import { formatShape, type Op, type Shape, type Tensor } from "../src/graph/tensor.js";
import { float32, int32, scalar } from "../src/runtime/array.js";
import { type Case, exactly, flags, ids, real, texts } from "./op-case.js";

const SHAPES: readonly Shape[] = [[], [1], ["batch"], ["batch", 3], [2, 1, 3]];

/** An elementwise function of one tensor, at values between `from` and `to`. */
function unary(f: (x: Tensor) => Tensor, from?: number, to?: number): Case[] {
  const cases = SHAPES.map((shape) => ({ name: formatShape(shape), operands: [real(shape, from, to)], build: f }));
  return [
    ...cases,
    { name: "batch of 1", operands: [real(["batch", 2], from, to)], build: f, numExamples: 1 },
    { name: "on itself", operands: [real([2], from, to)], build: (x) => f(f(x)) },
  ];
}

const PAIRS: readonly [Shape, Shape][] = [
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
function binary(f: (x: ops.Operand, y: ops.Operand) => Tensor): Case[] {
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

function reduction(f: (x: Tensor, axes?: number[], keepDims?: boolean) => Tensor): Case[] {
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

function product(a: Shape, b: Shape, transposeA: boolean, transposeB: boolean, numExamples?: number): Case {
  return {
    name: `${formatShape(a)}${transposeA ? "^T" : ""} ${formatShape(b)}${transposeB ? "^T" : ""} of ${numExamples ?? 3}`,
    operands: [real(a), real(b)],
    build: (x, y) => ops.matmul(x as Tensor, y as Tensor, { transposeA, transposeB }),
    ...(numExamples !== undefined && { numExamples }),
  };
}

export const opCases: { readonly [O in Op]: readonly Case[] } = {
  input: SHAPES.map((shape) => ({ name: formatShape(shape), operands: [real(shape)], build: (x) => x as Tensor })),
  constant: [
    { name: "scalar", operands: [], build: () => ops.constant(scalar(1.5)) },
    { name: "matrix", operands: [], build: () => ops.constant(float32([1, -2, 3, -4, 5, -6], [2, 3])) },
    { name: "beyond what is stored once", operands: [], build: () => ops.constant(float32(Array(40).fill(0.25))) },
    { name: "int32", operands: [], build: () => ops.constant(int32([3, -7])) },
  ],
  stopGradient: unary(ops.stopGradient),
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
  add: binary(ops.add),
  sub: binary(ops.sub),
  mul: binary(ops.mul),
  div: binary(ops.div),
  greater: [
    ...binary(ops.greater),
    { name: "ties", operands: [exactly([3], [0, 1, -1]), exactly([3], [0, 1, -1])], build: ops.greater },
  ],
  where: [
    { name: "equal shapes", operands: [flags(["batch", 2]), real(["batch", 2]), real(["batch", 2])], build: ops.where },
    { name: "scalars", operands: [flags([]), real([]), real([])], build: ops.where },
    { name: "condition repeated", operands: [flags(["batch", 1]), real(["batch", 2]), real([2])], build: ops.where },
    { name: "values repeated", operands: [flags(["batch", 2]), real([]), real([1, 2])], build: ops.where },
    { name: "all repeated", operands: [flags([2, 1, 1]), real([3, 1]), real([2])], build: ops.where },
    { name: "batch of 1", operands: [flags(["batch"]), real(["batch"]), real([1])], build: ops.where, numExamples: 1 },
    { name: "number on the right", operands: [flags(["batch"]), real(["batch"])], build: (c, x) => ops.where(c, x, 0) },
    { name: "number on the left", operands: [flags(["batch"]), real(["batch"])], build: (c, x) => ops.where(c, 0, x) },
    { name: "the same twice", operands: [flags([2]), real([2])], build: (c, x) => ops.where(c, x, x) },
  ],
  cast: [
    { name: "int32 to float32", operands: [ids(["batch"], [-2, 0, 70000])], build: (x) => ops.cast(x, "float32") },
    { name: "bool to float32", operands: [flags(["batch", 2])], build: (x) => ops.cast(x, "float32") },
    { name: "bool to int32", operands: [flags([4])], build: (x) => ops.cast(x, "int32") },
    { name: "float32 to itself", operands: [real(["batch", 2])], build: (x) => ops.cast(x, "float32") },
    { name: "float32 to int32", operands: [real(["batch", 2])], build: (x) => ops.cast(x, "int32") },
    { name: "float32 to bool", operands: [exactly([3], [0, -0.5, 2])], build: (x) => ops.cast(x, "bool") },
  ],
  matmul: [
    product([2, 3], [3, 2], false, false),
    product([3, 2], [3, 2], true, false),
    product([2, 3], [2, 3], false, true),
    product([3, 2], [2, 3], true, true),
    product(["batch", 2], [2, 3], false, false),
    product(["batch", 2], [3, 2], false, true),
    product(["batch", 2], ["batch", 2], true, false),
    product(["batch", 2], [2, 1], false, false, 1),
    product([1, 1], [1, 1], false, false),
    product([1, 4], [4, 1], false, false),
    product([3, 1], [1, 2], false, false),
    { name: "with itself", operands: [real([2, 2])], build: (x) => ops.matmul(x, x) },
    { name: "with itself, transposed", operands: [real([3, 2])], build: (x) => ops.matmul(x, x, { transposeB: true }) },
  ],
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
  expand: (
    [
      [[], ["batch", 2]],
      [[], []],
      [[2], ["batch", 2]],
      [
        ["batch", 1],
        ["batch", 2],
      ],
      [
        [2, 1],
        [2, 3],
      ],
      [
        ["batch", 2],
        ["batch", 2],
      ],
    ] as const
  ).map(([from, to]) => ({
    name: `${formatShape(from)} to ${formatShape(to)}`,
    operands: [real(from), real(to)],
    build: ops.expand,
    held: [1],
  })),
  reshape: (
    [
      [[2, 3], [6]],
      [[6], [3, 1, 2]],
      [["batch", 1], ["batch"]],
      [["batch"], ["batch", 1]],
      [
        ["batch", 4],
        ["batch", 2, 2],
      ],
      [[], [1, 1]],
      [[1], []],
    ] as const
  ).map(([from, to]) => ({
    name: `${formatShape(from)} to ${formatShape(to)}`,
    operands: [real(from)],
    build: (x: Tensor) => ops.reshape(x, to),
  })),
  transpose: [
    { name: "a matrix", operands: [real([2, 3])], build: (x) => ops.transpose(x) },
    { name: "three axes in a circle", operands: [real([2, 1, 3])], build: (x) => ops.transpose(x, [1, 2, 0]) },
    { name: "behind the batch", operands: [real(["batch", 2, 3])], build: (x) => ops.transpose(x, [0, 2, 1]) },
    { name: "a vector", operands: [real(["batch"])], build: (x) => ops.transpose(x) },
    { name: "a scalar", operands: [real([])], build: (x) => ops.transpose(x) },
  ],
  concat: [
    {
      name: "axis 1 of a batch",
      operands: [real(["batch", 2]), real(["batch", 1])],
      build: (...x) => ops.concat(x, 1),
    },
    { name: "axis 0", operands: [real([1, 2]), real([3, 2]), real([1, 2])], build: (...x) => ops.concat(x, 0) },
    { name: "the last of three axes", operands: [real([2, 1, 2]), real([2, 1, 1])], build: (...x) => ops.concat(x, 2) },
    { name: "one tensor", operands: [real(["batch", 2])], build: (...x) => ops.concat(x, 1) },
    { name: "a tensor twice", operands: [real(["batch", 2])], build: (x) => ops.concat([x, x], 1) },
    { name: "int32", operands: [ids([2], [1, 2]), ids([1], [3])], build: (...x) => ops.concat(x, 0) },
  ],
  slice: [
    { name: "from the start", operands: [real(["batch", 4])], build: (x) => ops.slice(x, 1, 0, 2) },
    { name: "to the end", operands: [real(["batch", 4])], build: (x) => ops.slice(x, 1, 3, 4) },
    { name: "the middle of axis 0", operands: [real([4, 2])], build: (x) => ops.slice(x, 0, 1, 3) },
    { name: "everything", operands: [real([2, 2])], build: (x) => ops.slice(x, 1, 0, 2) },
    { name: "int32", operands: [ids([3], [7, 8, 9])], build: (x) => ops.slice(x, 0, 1, 3) },
  ],
  pad: [
    { name: "before", operands: [real(["batch", 2])], build: (x) => ops.pad(x, 1, 2, 0) },
    { name: "after", operands: [real(["batch", 2])], build: (x) => ops.pad(x, 1, 0, 1) },
    { name: "both sides of axis 0", operands: [real([2, 2])], build: (x) => ops.pad(x, 0, 1, 1) },
    { name: "by nothing", operands: [real([2])], build: (x) => ops.pad(x, 0, 0, 0) },
  ],
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
};

function into(numRows: number): Case["build"] {
  return (indices, updates) => ops.scatterAdd(indices as Tensor, updates as Tensor, numRows);
}

function keyed(...keys: string[]): Case["build"] {
  return (x) => ops.lookup(x as Tensor, keys);
}
