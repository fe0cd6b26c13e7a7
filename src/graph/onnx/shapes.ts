import type { ShapeOps } from "../tensor.js";
import { onnxAxis, type Rules, shapeLike } from "./builder.js";

export const shapesEmission = {
  expand: (b, { shape }, x = "", like = "") => b.node("Expand", [x, shapeLike(b, shape, like)]),
  reshape: (b, { attributes: { shape } }, x = "") => b.node("Reshape", [x, b.ints(shape.map(onnxAxis))]),
  transpose: (b, { attributes: { permutation } }, x = "") => b.node("Transpose", [x], { perm: permutation }),
  concat: (b, { attributes: { axis } }, ...inputs) => b.node("Concat", inputs, { axis }),
  slice: (b, { attributes: { axis, start, end } }, x = "") =>
    b.node("Slice", [x, b.ints([start]), b.ints([end]), b.ints([axis])]),
  split: (b, { attributes: { axis, sizes } }, x = "") => b.nodeOf(sizes.length, "Split", [x, b.ints(sizes)], { axis }),
  // Backwards from the last element; the end lies before the first.
  flip: (b, { attributes: { axis } }, x = "") =>
    b.node("Slice", [x, b.ints([-1]), b.ints([-(2 ** 31)]), b.ints([axis]), b.ints([-1])]),
  pad: (b, { attributes: { axis, before, after }, shape }, x = "") => {
    const widths = (width: number) => shape.map((_, i) => (i === axis ? width : 0));
    return b.node("Pad", [x, b.ints([...widths(before), ...widths(after)])]);
  },
} satisfies Rules<keyof ShapeOps>;
