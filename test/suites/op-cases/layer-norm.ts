import * as ops from "../../../src/graph/ops.js";
import type { LayerNormOps, Shape, Tensor } from "../../../src/graph/tensor.js";
import { type Case, type Cases, exactly, real } from "../op-case.js";

const normalised =
  (epsilon?: number): Case["build"] =>
  (x, gain, bias) =>
    ops.layerNorm(x as Tensor, gain as Tensor, bias as Tensor, epsilon).normalised;

const of = (shape: Shape, width: number) => [real(shape), real([width], 0.5, 2), real([width])];

export const layerNormCases = {
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
} satisfies Cases<keyof LayerNormOps>;
