import * as ops from "../../../src/graph/ops.js";
import type { ContractionOps } from "../../../src/graph/tensor.js";
import { batch, type Misuses, matrix, needsNumbers, reductions, vector, wide } from "./shared.js";

const bytes = ops.input("bytes", [3, 2], "int8");
const scales = ops.input("scales", [2]);

export const contractionsMisuses = {
  reduceSum: reductions("reduceSum", ops.reduceSum),
  reduceMean: reductions("reduceMean", ops.reduceMean),
  reduceMax: reductions("reduceMax", ops.reduceMax),
  reduceMin: reductions("reduceMin", ops.reduceMin),
  argMax: [
    ...needsNumbers("argMax", (x) => ops.argMax(x, 0)),
    { call: () => ops.argMax(batch, 2), message: /^argMax: \[batch, 3\] has axes 0 to 1, got axis 2/ },
  ],
  cumulativeSum: [
    ...needsNumbers("cumulativeSum", (x) => ops.cumulativeSum(x, 0)),
    { call: () => ops.cumulativeSum(batch, 2), message: /^cumulativeSum: \[batch, 3\] has axes 0 to 1, got axis 2/ },
  ],
  countAlong: [
    { call: () => ops.countAlong(batch, [2]), message: /^countAlong: \[batch, 3\] has axes 0 to 1, got axis 2/ },
  ],
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
  quantisedMatmul: [
    ...needsNumbers("quantisedMatmul", (x) => ops.quantisedMatmul(x, bytes, scales)),
    ...needsNumbers("quantisedMatmul", (x) => ops.quantisedMatmul(batch, bytes, x)),
    {
      call: () => ops.quantisedMatmul(batch, matrix, scales),
      message: /^quantisedMatmul: needs int8, got float32\[2, 3\]/,
    },
    ...[
      [vector, bytes, scales] as const,
      [wide, bytes, scales] as const,
      [batch, bytes, vector] as const,
      [batch, ops.input("bytes", [3], "int8"), scales] as const,
    ].map(([x, weight, scale]) => ({
      call: () => ops.quantisedMatmul(x, weight, scale),
      message: /^quantisedMatmul: takes \[..., rows, inner\], \[inner, columns\] and \[columns\], got \[/,
    })),
  ],
} satisfies Misuses<keyof ContractionOps>;
