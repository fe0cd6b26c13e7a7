import type { SoftmaxOps } from "../tensor.js";
import type { Rules } from "./builder.js";

export const softmaxEmission = {
  softmax: (b, _, x = "") => b.node("Softmax", [x], { axis: -1 }),
  logSoftmax: (b, _, x = "") => b.node("LogSoftmax", [x], { axis: -1 }),
  logSoftmaxAt: (b, _, x = "", classes = "") => {
    const last = b.ints([-1]);
    const all = b.node("LogSoftmax", [x], { axis: -1 });
    const at = b.node("GatherElements", [all, b.node("Unsqueeze", [classes, last])], { axis: -1 });
    return [b.node("Squeeze", [at, last]), all];
  },
} satisfies Rules<keyof SoftmaxOps>;
