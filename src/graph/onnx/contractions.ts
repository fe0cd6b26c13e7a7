import type { ContractionOps } from "../tensor.js";
import { countOf, MICROSOFT, type Rules, reduction } from "./builder.js";
import { ELEMENT_TYPES } from "./element-types.js";

export const contractionsEmission = {
  reduceSum: reduction("ReduceSum"),
  reduceMean: reduction("ReduceMean"),
  reduceMax: reduction("ReduceMax"),
  reduceMin: reduction("ReduceMin"),
  argMax: (b, { attributes: { axis } }, x = "") =>
    b.node("Cast", [b.node("ArgMax", [x], { axis, keepdims: 0 })], { to: ELEMENT_TYPES.int32 }),
  cumulativeSum: (b, { attributes: { axis, exclusive, reverse } }, x = "") =>
    b.node("CumSum", [x, b.int64(axis)], { exclusive: Number(exclusive), reverse: Number(reverse) }),
  countAlong: (b, { attributes: { axes }, inputs: [x] }, name = "") => countOf(b, x, name, axes),
  matmul: (b, { attributes: { transposeA, transposeB, scale }, inputs: [x, y] }, ...inputs) => {
    const alpha = scale === 1 ? {} : { alpha: { float: scale } };
    const [transA, transB] = [Number(transposeA), Number(transposeB)];
    if (x?.shape.length === 2 && y?.shape.length === 2) return b.node("Gemm", inputs, { transA, transB, ...alpha });
    const isPlain = !transposeA && !transposeB && scale === 1;
    return isPlain ? b.node("MatMul", inputs) : b.node("FusedMatMul", inputs, { transA, transB, ...alpha }, MICROSOFT);
  },
  quantisedMatmul: (b, { attributes: { pieces } }, x = "", weight = "", scale = "") => {
    const product = (of: string) => b.node("DynamicQuantizeMatMul", [of, weight, scale], {}, MICROSOFT);
    if (pieces === 1) return product(x);
    const [whole = "", step = "", zero = ""] = b.nodeOf(3, "DynamicQuantizeLinear", [x]);
    const first = b.node("MatMulIntegerToFloat", [whole, weight, step, scale, zero], {}, MICROSOFT);
    const rest = b.node("Sub", [x, b.node("DequantizeLinear", [whole, step, zero])]);
    return b.node("Add", [first, product(rest)]);
  },
} satisfies Rules<keyof ContractionOps>;
