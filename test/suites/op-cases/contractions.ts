import * as ops from "../../../src/graph/ops.js";
import type { ContractionOps, Shape, Tensor } from "../../../src/graph/tensor.js";
import { type Case, type Cases, exactly, ids, type Operand, real, smallInts } from "../op-case.js";
import { product, reduction } from "./shared.js";

const batched: Case[] = [
  product(["batch", 2, 3], ["batch", 3, 2], false, false),
  product(["batch", 3, 2], ["batch", 3, 4], true, false),
  product(["batch", 2, 3], ["batch", 4, 3], false, true),
  product(["batch", 3, 2], ["batch", 4, 3], true, true),
  product(["batch", 2, 3], [3, 4], false, false),
  product(["batch", 2, 3], [4, 3], false, true),
  product(["batch", 3, 2], [3, 4], true, false),
  product(["batch", 3, 2], [4, 3], true, true),
  product([2, 3], ["batch", 3, 2], false, false),
  product([3, 2], ["batch", 2, 3], true, true),
  product(["batch", 2, 2, 3], [1, 3, 2], false, false),
  product(["batch", 1, 2, 3], ["batch", 2, 3, 1], false, false),
  product([2, 1, 2, 3], [3, 3, 2], false, false),
  product([1, 2, 3], ["batch", 4, 3], false, true),
  product(["batch*2", 2, 3], ["batch*2", 3, 1], false, false),
  product(["batch", 2, 3], [3, 4], false, false, 1),
  ...[0.125, -3].flatMap((scale) => [
    scaled([2, 3], [3, 2], scale),
    scaled(["batch", 2, 3], [3, 2], scale),
    scaled(["batch", 2, 3], ["batch", 3, 2], scale),
  ]),
];

export const contractionsCases = {
  reduceSum: reduction(ops.reduceSum),
  reduceMean: reduction(ops.reduceMean),
  reduceMax: [...reduction(ops.reduceMax), tied((x) => ops.reduceMax(x, [1]))],
  reduceMin: [...reduction(ops.reduceMin), tied((x) => ops.reduceMin(x, [1]))],
  argMax: [
    { name: "the last axis", operands: [real(["batch", 4])], build: (x) => ops.argMax(x, 1) },
    { name: "the batch", operands: [real(["batch", 2])], build: (x) => ops.argMax(x, 0) },
    { name: "the middle of three axes", operands: [real(["batch", 3, 2])], build: (x) => ops.argMax(x, 1) },
    { name: "ties", operands: [exactly([2, 3], [1, 2, 2, 0, 0, -1])], build: (x) => ops.argMax(x, 1) },
    { name: "of a vector", operands: [real([5])], build: (x) => ops.argMax(x, 0) },
  ],
  cumulativeSum: [false, true].flatMap((exclusive) =>
    [false, true].flatMap((reverse) => {
      const how = { exclusive, reverse };
      const note = `${exclusive ? ", exclusive" : ""}${reverse ? ", reverse" : ""}`;
      return [
        {
          name: `the last axis${note}`,
          operands: [real(["batch", 4])],
          build: (x: Tensor) => ops.cumulativeSum(x, 1, how),
        },
        {
          name: `the batch${note}`,
          operands: [real(["batch", 2])],
          build: (x: Tensor) => ops.cumulativeSum(x, 0, how),
        },
        { name: `the middle${note}`, operands: [real([2, 3, 2])], build: (x: Tensor) => ops.cumulativeSum(x, 1, how) },
      ];
    }),
  ),
  countAlong: [
    { name: "all", operands: [real(["batch", 2])], build: (x) => ops.countAlong(x) },
    { name: "the batch", operands: [real(["batch", 2])], build: (x) => ops.countAlong(x, [0]) },
    { name: "another axis", operands: [real(["batch", 2])], build: (x) => ops.countAlong(x, [1]) },
    { name: "nothing", operands: [real(["batch", 2])], build: (x) => ops.countAlong(x, []) },
    { name: "a scalar", operands: [real([])], build: (x) => ops.countAlong(x) },
    { name: "whole numbers", operands: [ids(["batch"], [7, 8, 9])], build: (x) => ops.countAlong(x) },
    { name: "batch of 1", operands: [real(["batch"])], build: (x) => ops.countAlong(x), numExamples: 1 },
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
    ...batched,
    { name: "with itself", operands: [real([2, 2])], build: (x) => ops.matmul(x, x) },
    { name: "with itself, transposed", operands: [real([3, 2])], build: (x) => ops.matmul(x, x, { transposeB: true }) },
  ],
  quantisedMatmul: ([1, 2] as const).flatMap((pieces) => [
    eightBits("a batch", real(["batch", 3]), pieces),
    eightBits("batch of 1", real(["batch", 3]), pieces, 1),
    eightBits("three axes", real(["batch", 2, 3]), pieces),
    eightBits("known sizes", real([2, 3]), pieces),
    eightBits("positive numbers, whose range begins at 0", real([4, 3], 0.5, 2), pieces),
    eightBits("negative numbers, whose range ends at 0", real([4, 3], -2, -0.5), pieces),
    eightBits("zeros", exactly([2, 3], [0, 0, 0, 0, 0, 0]), pieces),
    // The range is 255 steps of 1, so 0.5 and 1.5 are ties, and 127.5 is one of the place of 0.
    eightBits("ties", exactly([1, 6], [-127.5, 127.5, 0.5, 1.5, -0.5, -2.5]), pieces),
  ]),
} satisfies Cases<keyof ContractionOps>;

/** Two elements of a row are the largest and two the smallest. */
function tied(build: Case["build"]): Case {
  return { name: "two ties", operands: [exactly([2, 4], [1, 3, 3, 1, -2, -2, 0, 0])], build };
}

function scaled(a: Shape, b: Shape, scale: number): Case {
  const { name, operands } = product(a, b, false, false);
  return {
    name: `${name}, times ${scale}`,
    operands,
    build: (x, y) => ops.matmul(x as Tensor, y as Tensor, { scale }),
  };
}

/** By weights of two columns, of which the second has other scales than the first. */
function eightBits(name: string, x: Operand, pieces: 1 | 2, numExamples?: number): Case {
  return {
    name: `${name}, in ${pieces}`,
    operands: [x, smallInts([x.shape.at(-1) as number, 2]), exactly([2], [1 / 64, 3 / 128])],
    build: (...inputs) => ops.quantisedMatmul(...(inputs as [Tensor, Tensor, Tensor]), pieces),
    ...(numExamples !== undefined && { numExamples }),
  };
}
