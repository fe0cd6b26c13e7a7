import * as ops from "../../../src/graph/ops.js";
import type { LayerNormOps } from "../../../src/graph/tensor.js";
import { type Cases, real } from "../op-case.js";
import { matrix, ROWS } from "./shared.js";

export const layerNormLargeCases = {
  layerNorm: [
    {
      name: "512 rows of 256",
      operands: [real(matrix), real([256]), real([256])],
      build: (x, gain, bias) => ops.layerNorm(x, gain, bias).normalised,
      numExamples: ROWS,
    },
  ],
} satisfies Cases<keyof LayerNormOps>;
