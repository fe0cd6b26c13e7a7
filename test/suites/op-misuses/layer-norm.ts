import * as ops from "../../../src/graph/ops.js";
import type { LayerNormOps } from "../../../src/graph/tensor.js";
import { batch, type Misuses, matrix, needsNumbers, other, vector } from "./shared.js";

export const layerNormMisuses = {
  layerNorm: [
    ...needsNumbers("layerNorm", (x) => ops.layerNorm(x, vector, vector)),
    {
      call: () => ops.layerNorm(batch, other, vector),
      message: /^layerNorm: gain and bias must be \[3\] for \[batch, 3\], got \[4\] and \[3\]/,
    },
    {
      call: () => ops.layerNorm(batch, vector, matrix),
      message: /^layerNorm: gain and bias must be \[3\] for \[batch, 3\], got \[3\] and \[2, 3\]/,
    },
    {
      call: () => ops.layerNorm(ops.input("x", []), vector, vector),
      message: /^layerNorm: needs at least one axis, got \[\]/,
    },
    {
      call: () => ops.layerNorm(batch, vector, vector, 0),
      message: /^layerNorm: epsilon must be finite and positive, got 0/,
    },
  ],
} satisfies Misuses<keyof LayerNormOps>;
