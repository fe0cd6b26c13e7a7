import * as ops from "../../../src/graph/ops.js";
import type { ActivationOps } from "../../../src/graph/tensor.js";
import type { Cases } from "../op-case.js";
import { unary } from "./shared.js";

export const activationsLargeCases = {
  gelu: unary(ops.gelu),
  quickGelu: unary((x) => ops.quickGelu(x)),
} satisfies Cases<keyof ActivationOps>;
