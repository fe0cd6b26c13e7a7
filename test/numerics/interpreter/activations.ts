import type { ActivationOps } from "../../../src/graph/tensor.js";
import { erf } from "./elementwise.js";
import { operand, type Rules, unary } from "./values.js";

export const activationsValues = {
  gelu: unary((x) => (x * (1 + erf(x / Math.SQRT2))) / 2),
  quickGelu: ({ attributes: { alpha }, inputs }) => {
    const x = operand(inputs, 0);
    return { shape: x.shape, data: x.data.map((value) => value / (1 + Math.exp(-alpha * value))) };
  },
} satisfies Rules<keyof ActivationOps>;
