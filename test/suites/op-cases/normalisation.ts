import * as ops from "../../../src/graph/ops.js";
import type { NormalisationOps, Shape, Tensor } from "../../../src/graph/tensor.js";
import { type Case, type Cases, exactly, ids, real } from "../op-case.js";

/** Exact in float32, as the engine and the gradients have it. */
const EPSILON = 2 ** -10;

const SHAPES: readonly Shape[] = [
  ["batch", 3, 2, 2],
  ["batch", 2],
  [2, 2, 3],
  ["batch", 1, 1, 3],
];

const vectors = (x: Shape) => [real([x[1] as number], 0.5, 2), real([x[1] as number])];

const normalised =
  (epsilon?: number): Case["build"] =>
  (x, gain, bias) =>
    ops.layerNorm(x as Tensor, gain as Tensor, bias as Tensor, epsilon).normalised;

const of = (shape: Shape, width: number) => [real(shape), real([width], 0.5, 2), real([width])];

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

export const normalisationCases = {
  batchNorm: SHAPES.map((x) => ({
    name: `[${x.join(", ")}]`,
    operands: [real(x), ...vectors(x)],
    build: (a: Tensor, gain: Tensor, bias: Tensor) => ops.batchNorm(a, { gain, bias }, EPSILON),
  })),
  normalise: SHAPES.map((x) => ({
    name: `[${x.join(", ")}]`,
    operands: [real(x), ...vectors(x), real([x[1] as number]), real([x[1] as number], 0.5, 2)],
    build: (a: Tensor, gain: Tensor, bias: Tensor, mean: Tensor, variance: Tensor) =>
      ops.normalise(a, { gain, bias }, { mean, variance }, EPSILON),
  })),
  channelDots: [
    ...SHAPES.map((x) => ({ name: `[${x.join(", ")}]`, operands: [real(x), real(x)], build: ops.channelDots })),
    { name: "with itself", operands: [real(["batch", 2, 2])], build: (x) => ops.channelDots(x as Tensor, x as Tensor) },
  ],
  layerNorm: [
    { name: "[batch, 4]", operands: of(["batch", 4], 4), build: normalised() },
    { name: "three axes", operands: of(["batch", 2, 3], 3), build: normalised() },
    { name: "a vector", operands: of([5], 5), build: normalised() },
    { name: "a large epsilon", operands: of(["batch", 4], 4), build: normalised(0.5) },
    { name: "batch of 1", operands: of(["batch", 3], 3), build: normalised(), numExamples: 1 },
    {
      name: "a mean of 10 deviations",
      operands: [exactly([2, 4], [9, 10, 11, 10.5, -10, -9.5, -11, -12]), real([4]), real([4])],
      build: normalised(),
    },
  ],
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
} satisfies Cases<keyof NormalisationOps>;
