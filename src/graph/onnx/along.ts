import type { AlongOps } from "../tensor.js";
import type { Rules } from "./builder.js";
import { ELEMENT_TYPES } from "./element-types.js";

export const alongEmission = {
  takeAlong: (b, { attributes: { axis } }, ...inputs) => b.node("GatherElements", inputs, { axis }),
  addAlong: (b, { attributes: { axis } }, ...inputs) => b.node("ScatterElements", inputs, { axis, reduction: "add" }),
  topK: (b, { attributes: { k } }, x = "") => {
    const [values = "", indices = ""] = b.nodeOf(2, "TopK", [x, b.ints([k])], { axis: -1 });
    return [values, b.node("Cast", [indices], { to: ELEMENT_TYPES.int32 })];
  },
} satisfies Rules<keyof AlongOps>;
