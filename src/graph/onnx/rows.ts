import { sizeOf } from "../../runtime/array.js";
import type { RowOps } from "../tensor.js";
import type { Rules } from "./builder.js";
import { ELEMENT_TYPES } from "./builder.js";

export const rowsEmission = {
  gather: (b, _, ...inputs) => b.node("Gather", inputs, { axis: 0 }),
  // ScatterElements and not ScatterND: with repeated rows the latter loses updates when it runs on several threads.
  scatterAdd: (b, { shape }, indices = "", updates = "") => {
    const [numRows = 0, ...rest] = shape as number[];
    const width = sizeOf(rest);
    const rows = b.node("Reshape", [updates, b.ints([-1, width])]);
    const positions = b.node("Expand", [b.node("Reshape", [indices, b.ints([-1, 1])]), b.node("Shape", [rows])]);
    const zeros = b.node("ConstantOfShape", [b.ints([numRows, width])]);
    const sum = b.node("ScatterElements", [zeros, positions, rows], { axis: 0, reduction: "add" });
    return b.node("Reshape", [sum, b.ints([numRows, ...rest])]);
  },
  lookup: (b, { attributes: { keys } }, x = "") => {
    const attributes = { keys_strings: keys, values_int64s: keys.map((_, i) => i + 1), default_int64: 0 };
    return b.node("Cast", [b.node("LabelEncoder", [x], attributes, "ai.onnx.ml")], { to: ELEMENT_TYPES.int32 });
  },
} satisfies Rules<keyof RowOps>;
