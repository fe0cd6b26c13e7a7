import * as ops from "../../src/graph/ops.js";
import { type Misuse, needsNumbers, vector } from "./shared.js";

export const activationsMisuses = {
  gelu: needsNumbers("gelu", ops.gelu),
  quickGelu: [
    ...needsNumbers("quickGelu", (x) => ops.quickGelu(x)),
    { call: () => ops.quickGelu(vector, Number.NaN), message: /^quickGelu: alpha must be finite, got NaN/ },
  ],
} satisfies { readonly [O in "gelu" | "quickGelu"]: readonly Misuse[] };
