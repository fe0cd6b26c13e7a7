import type { ProductOps } from "../tensor.js";
import { MICROSOFT, type Rules } from "./builder.js";

export const productsEmission = {
  matmul: (b, { attributes: { transposeA, transposeB, scale }, inputs: [x, y] }, ...inputs) => {
    const alpha = scale === 1 ? {} : { alpha: { float: scale } };
    const [transA, transB] = [Number(transposeA), Number(transposeB)];
    if (x?.shape.length === 2 && y?.shape.length === 2) return b.node("Gemm", inputs, { transA, transB, ...alpha });
    const isPlain = !transposeA && !transposeB && scale === 1;
    return isPlain ? b.node("MatMul", inputs) : b.node("FusedMatMul", inputs, { transA, transB, ...alpha }, MICROSOFT);
  },
} satisfies Rules<keyof ProductOps>;
