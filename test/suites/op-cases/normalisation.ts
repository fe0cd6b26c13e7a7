import * as ops from "../../../src/graph/ops.js";
import type { NormalisationOps, Shape, Tensor } from "../../../src/graph/tensor.js";
import { type Cases, real } from "../op-case.js";

/** Exact in float32, as the engine and the gradients have it. */
const EPSILON = 2 ** -10;

const SHAPES: readonly Shape[] = [
  ["batch", 3, 2, 2],
  ["batch", 2],
  [2, 2, 3],
  ["batch", 1, 1, 3],
];

const vectors = (x: Shape) => [real([x[1] as number], 0.5, 2), real([x[1] as number])];

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
} satisfies Cases<keyof NormalisationOps>;
