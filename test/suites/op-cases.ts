/** Cases of every operation. The table is keyed by `Op`: an operation without cases does not compile. */
import * as ops from "../../src/graph/ops.js";
import { formatShape, type Op, part, type Tensor } from "../../src/graph/tensor.js";
import { float32, int32, scalar } from "../../src/runtime/array.js";
import { type Cases, distinct, exactly, real } from "./op-case.js";
import { contractionsCases } from "./op-cases/contractions.js";
import { convolutionCases } from "./op-cases/convolution.js";
import { elementwiseCases } from "./op-cases/elementwise.js";
import { indexingCases, partCases } from "./op-cases/indexing.js";
import { normalisationCases } from "./op-cases/normalisation.js";
import { randomCases } from "./op-cases/random.js";
import { scanCases, scanPartCases } from "./op-cases/scan.js";
import { shapesCases } from "./op-cases/shapes.js";
import { SHAPES, unary } from "./op-cases/shared.js";

export const opCases: Cases<Op> = {
  input: SHAPES.map((shape) => ({ name: formatShape(shape), operands: [real(shape)], build: (x) => x as Tensor })),
  constant: [
    { name: "scalar", operands: [], build: () => ops.constant(scalar(1.5)) },
    { name: "matrix", operands: [], build: () => ops.constant(float32([1, -2, 3, -4, 5, -6], [2, 3])) },
    { name: "beyond what is stored once", operands: [], build: () => ops.constant(float32(Array(40).fill(0.25))) },
    { name: "int32", operands: [], build: () => ops.constant(int32([3, -7])) },
  ],
  stopGradient: unary(ops.stopGradient),
  part: [
    {
      name: "where maxPool found its elements",
      operands: [distinct(["batch", 2, 3, 4])],
      build: (x) => part(ops.maxPool(x as Tensor, { kernel: 2, pads: 1 }), 1),
    },
    {
      name: "the first of equal elements",
      operands: [exactly([1, 1, 3, 3], [2, 2, 1, 2, 2, 2, 0, 2, 2])],
      build: (x) => part(ops.maxPool(x as Tensor, { kernel: 2, pads: 1 }), 1),
    },
    ...[1, 2].map((index) => ({
      name: `${index} of batchNorm`,
      operands: [real(["batch", 2, 3]), real([2]), real([2])],
      build: (x: Tensor, gain: Tensor, bias: Tensor) => part(ops.batchNorm(x, { gain, bias }, 0.5), index),
      held: [1, 2], // They have no part in the statistics.
    })),
    ...[1, 2].map((index) => ({
      name: `${index} of split`,
      operands: [real(["batch", 4, 2])],
      build: (x: Tensor) => ops.split(x, 1, [1, 2, 1])[index] as Tensor,
    })),
    ...scanPartCases,
    ...partCases,
  ],
  ...elementwiseCases,
  ...contractionsCases,
  ...normalisationCases,
  ...convolutionCases,
  ...shapesCases,
  ...indexingCases,
  ...randomCases,
  ...scanCases,
};
