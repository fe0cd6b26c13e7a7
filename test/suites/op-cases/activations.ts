import * as ops from "../../../src/graph/ops.js";
import type { ActivationOps } from "../../../src/graph/tensor.js";
import { type Cases, exactly } from "../op-case.js";
import { unary } from "./shared.js";

export const activationsCases = {
  gelu: [...unary(ops.gelu), { name: "far out", operands: [exactly([5], [-30, -5, 1, 5, 30])], build: ops.gelu }],
  quickGelu: [
    ...unary((x) => ops.quickGelu(x)),
    { name: "far out", operands: [exactly([5], [-30, -5, 1, 5, 30])], build: (x) => ops.quickGelu(x) },
    { name: "SiLU", operands: [exactly([5], [-30, -5, 1, 5, 30])], build: ops.silu },
  ],
} satisfies Cases<keyof ActivationOps>;
