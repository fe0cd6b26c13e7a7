import type { Rules } from "./builder.js";

export const productsEmission = {
  matmul: (b, { attributes: { transposeA, transposeB } }, ...inputs) =>
    b.node("Gemm", inputs, { transA: Number(transposeA), transB: Number(transposeB) }),
} satisfies Rules<"matmul">;
