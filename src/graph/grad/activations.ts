import * as ops from "../ops.js";
import type { ActivationOps } from "../tensor.js";
import { known, precise, type Rules } from "./rule.js";

export const activationsGradients = {
  // Phi(x) + x phi(x), of the distribution function and the density of the standard normal.
  gelu: (g, _, input) => {
    const x = known(input);
    const distribution = ops.mul(0.5, ops.add(1, ops.erf(ops.mul(x, precise(Math.SQRT1_2)))));
    const density = ops.mul(ops.exp(ops.mul(-0.5, ops.mul(x, x))), precise(1 / Math.sqrt(2 * Math.PI)));
    return [ops.mul(g, ops.add(distribution, ops.mul(x, density)))];
  },
  quickGelu: (g, { attributes: { alpha } }, input) => {
    const scaled = ops.mul(known(input), alpha);
    const gate = ops.sigmoid(scaled);
    return [ops.mul(g, ops.mul(gate, ops.add(1, ops.mul(scaled, ops.sub(1, gate)))))];
  },
} satisfies Rules<keyof ActivationOps>;
