import { isSymbolic } from "../shape.js";
import type { ReductionOps } from "../tensor.js";
import { ELEMENT_TYPES, type Rules, reduction } from "./builder.js";

export const reductionsEmission = {
  reduceSum: reduction("ReduceSum"),
  reduceMean: reduction("ReduceMean"),
  reduceMax: reduction("ReduceMax"),
  reduceMin: reduction("ReduceMin"),
  argMax: (b, { attributes: { axis } }, x = "") =>
    b.node("Cast", [b.node("ArgMax", [x], { axis, keepdims: 0 })], { to: ELEMENT_TYPES.int32 }),
  cumulativeSum: (b, { attributes: { axis, exclusive, reverse } }, x = "") =>
    b.node("CumSum", [x, b.int64(axis)], { exclusive: Number(exclusive), reverse: Number(reverse) }),
  countAlong: (b, { attributes: { axes }, inputs: [x] }, name = "") => {
    const sizes = axes.map((axis) => x?.shape[axis] ?? 1);
    const known = sizes.reduce<number>((size, axis) => (isSymbolic(axis) ? size : size * axis), 1);
    const count = b.constant({ dtype: "float32", shape: [], data: Float32Array.of(known) });
    if (!sizes.some(isSymbolic)) return count;
    const batch = b.node("Cast", [b.node("Shape", [name], { start: 0, end: 1 })], { to: ELEMENT_TYPES.float32 });
    return b.node("Mul", [b.node("Reshape", [batch, b.ints([])]), count]);
  },
} satisfies Rules<keyof ReductionOps>;
