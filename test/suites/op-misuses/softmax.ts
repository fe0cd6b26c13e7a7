import * as ops from "../../../src/graph/ops.js";
import type { Op, SoftmaxOps, Tensor } from "../../../src/graph/tensor.js";
import { batch, indices, type Misuse, type Misuses, matrix, needsNumbers } from "./shared.js";

const rows = (op: Op, f: (x: Tensor) => unknown): Misuse[] => [
  ...needsNumbers(op, f),
  { call: () => f(ops.input("x", [])), message: new RegExp(`^${op}: needs at least one axis, got \\[\\]`) },
  {
    call: () => f(ops.input("x", ["batch"])),
    message: new RegExp(`^${op}: axis 0 of \\[batch\\] must have a known size`),
  },
];

export const softmaxMisuses = {
  softmax: rows("softmax", ops.softmax),
  logSoftmax: rows("logSoftmax", ops.logSoftmax),
  logSoftmaxAt: [
    ...rows("logSoftmaxAt", (x) => ops.logSoftmaxAt(x, indices)),
    { call: () => ops.logSoftmaxAt(batch, batch), message: /^logSoftmaxAt: needs int32, got float32\[batch, 3\]/ },
    {
      call: () => ops.logSoftmaxAt(matrix, indices),
      message: /^logSoftmaxAt: needs one class a row, got classes \[batch\] for logits \[2, 3\]/,
    },
  ],
} satisfies Misuses<keyof SoftmaxOps>;
