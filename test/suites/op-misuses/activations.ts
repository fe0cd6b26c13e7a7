import * as ops from "../../../src/graph/ops.js";
import type { ActivationOps } from "../../../src/graph/tensor.js";
import { type Misuses, needsNumbers, vector } from "./shared.js";

export const activationsMisuses = {
  gelu: needsNumbers("gelu", ops.gelu),
  quickGelu: [
    ...needsNumbers("quickGelu", (x) => ops.quickGelu(x)),
    { call: () => ops.quickGelu(vector, Number.NaN), message: /^quickGelu: alpha must be finite, got NaN/ },
  ],
} satisfies Misuses<keyof ActivationOps>;
