import * as ops from "../../../src/graph/ops.js";
import type { ProductOps } from "../../../src/graph/tensor.js";
import { batch, type Misuses, matrix, needsNumbers, vector, wide } from "./shared.js";

export const productsMisuses = {
  matmul: [
    ...needsNumbers("matmul", (x) => ops.matmul(matrix, x)),
    {
      call: () => ops.matmul(vector, matrix),
      message: /^matmul: both operands must have at least 2 axes, got \[3\] and \[2, 3\]/,
    },
    {
      call: () => ops.matmul(ops.input("a", [2, 2, 3]), ops.input("b", [4, 3, 2])),
      message: /^matmul: shapes must broadcast, got \[2\] and \[4\]/,
    },
    {
      call: () => ops.matmul(matrix, matrix, { scale: Number.NaN }),
      message: /^matmul: the scale must be finite, got NaN/,
    },
    { call: () => ops.matmul(matrix, wide), message: /^matmul: inner sizes must agree, got \[2, 3\] and \[2, 5\]$/ },
    {
      call: () => ops.matmul(matrix, wide, { transposeB: true }),
      message: /^matmul: inner sizes must agree, got \[2, 3\] and \[2, 5\] \(transposeA=false, transposeB=true\)/,
    },
    {
      call: () => ops.matmul(batch, matrix, { transposeA: true }),
      message: /^matmul: inner sizes must agree, got \[batch, 3\] and \[2, 3\] \(transposeA=true/,
    },
    {
      call: () => ops.matmul(batch, batch, { transposeB: true }),
      message: /^matmul: "batch" must be the leading axis, the result would be \[batch, batch\]/,
    },
  ],
} satisfies Misuses<keyof ProductOps>;
