import { isSymbolic } from "../shape.js";
import { ELEMENT_TYPES, type Rules, reduction } from "./builder.js";

export const reductionsEmission = {
  reduceSum: reduction("ReduceSum"),
  reduceMean: reduction("ReduceMean"),
  countAlong: (b, { attributes: { axes }, inputs: [x] }, name = "") => {
    const sizes = axes.map((axis) => x?.shape[axis] ?? 1);
    const known = sizes.reduce<number>((size, axis) => (isSymbolic(axis) ? size : size * axis), 1);
    const count = b.constant({ dtype: "float32", shape: [], data: Float32Array.of(known) });
    if (!sizes.some(isSymbolic)) return count;
    const batch = b.node("Cast", [b.node("Shape", [name], { start: 0, end: 1 })], { to: ELEMENT_TYPES.float32 });
    return b.node("Mul", [b.node("Reshape", [batch, b.ints([])]), count]);
  },
} satisfies Rules<"reduceSum" | "reduceMean" | "countAlong">;
