import * as ops from "../../../src/graph/ops.js";
import type { ContractionOps, Tensor } from "../../../src/graph/tensor.js";
import { type Cases, real, smallInts } from "../op-case.js";
import { reduction, unary } from "./shared.js";

export const contractionsLargeCases = {
  reduceSum: reduction(ops.reduceSum),
  reduceMean: reduction(ops.reduceMean),
  reduceMax: reduction(ops.reduceMax),
  reduceMin: reduction(ops.reduceMin),
  argMax: unary((x) => ops.argMax(x, 1)),
  cumulativeSum: unary((x) => ops.cumulativeSum(x, 1)),
  countAlong: unary(ops.countAlong),
  matmul: [
    {
      name: "1,024 x 128 by 128 x 64",
      operands: [real(["batch", 128]), real([128, 64])],
      build: (x, y) => ops.matmul(x, y),
      numExamples: 1024,
    },
    {
      name: "1,024 x 128 by 1,024 x 64, transposed",
      operands: [real(["batch", 128]), real(["batch", 64])],
      build: (x, y) => ops.matmul(x, y, { transposeA: true }),
      numExamples: 1024,
    },
    {
      name: "16 of 64 x 32 by 32 x 64, scaled",
      operands: [real(["batch", 64, 32]), real(["batch", 32, 64])],
      build: (x, y) => ops.matmul(x, y, { scale: 0.125 }),
      numExamples: 16,
    },
    {
      name: "64 x 16 x 128 by 128 x 64",
      operands: [real(["batch", 16, 128]), real([128, 64])],
      build: (x, y) => ops.matmul(x, y),
      numExamples: 64,
    },
    {
      name: "16,384 x 64 by 64 x 1",
      operands: [real(["batch", 64]), real([64, 1])],
      build: (x, y) => ops.matmul(x, y),
      numExamples: 16_384,
    },
  ],
  quantisedMatmul: ([1, 2] as const).map((pieces) => ({
    name: `1,024 x 128 by 128 x 64, in ${pieces}`,
    operands: [real(["batch", 128]), smallInts([128, 64]), real([64], 0.5, 1)],
    build: (...inputs: Tensor[]) => ops.quantisedMatmul(...(inputs as [Tensor, Tensor, Tensor]), pieces),
    numExamples: 1024,
  })),
} satisfies Cases<keyof ContractionOps>;
