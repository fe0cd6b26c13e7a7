import { sizeOf } from "../../runtime/array.js";
import { isSymbolic } from "../shape.js";
import type { IndexOps } from "../tensor.js";
import { onnxAxis, type Rules, shapeLike } from "./builder.js";
import { ELEMENT_TYPES } from "./element-types.js";

export const indexingEmission = {
  gather: (b, _, ...inputs) => b.node("Gather", inputs, { axis: 0 }),
  // ScatterElements and not ScatterND: with repeated rows the latter loses updates when it runs on several threads.
  scatterAdd: (b, { shape }, indices = "", updates = "") => {
    const [numRows = 0, ...rest] = shape;
    const width = sizeOf(rest as number[]);
    const rows = b.node("Reshape", [updates, b.ints([-1, width])]);
    const positions = b.node("Expand", [b.node("Reshape", [indices, b.ints([-1, 1])]), b.node("Shape", [rows])]);
    // As many rows as updates, where only a run knows the number.
    const size = isSymbolic(numRows) ? b.node("Shape", [rows]) : b.ints([numRows, width]);
    const zeros = b.node("ConstantOfShape", [size]);
    const sum = b.node("ScatterElements", [zeros, positions, rows], { axis: 0, reduction: "add" });
    return b.node("Reshape", [sum, b.ints(shape.map(onnxAxis))]);
  },
  // Rows that are written to one place are equal, so that it does not matter which thread is the last.
  setRows: (b, { inputs: [, positions] }, table = "", indices = "", rows = "") => {
    const shape = [...(positions?.shape ?? []), 1].map(onnxAxis);
    const places = b.node("Reshape", [b.node("Cast", [indices], { to: ELEMENT_TYPES.int64 }), b.ints(shape)]);
    return b.node("ScatterND", [table, places, rows]);
  },
  firstEqual: (b, { shape }, x = "") => {
    const values = b.node("Cast", [x], { to: ELEMENT_TYPES.int64 });
    const [, first = "", inverse = ""] = b.nodeOf(3, "Unique", [values], { sorted: 1 });
    const positions = b.node("Cast", [b.node("Gather", [first, inverse])], { to: ELEMENT_TYPES.int32 });
    return b.node("Reshape", [positions, shapeLike(b, shape, x)]);
  },
  takeAlong: (b, { attributes: { axis } }, ...inputs) => b.node("GatherElements", inputs, { axis }),
  addAlong: (b, { attributes: { axis } }, ...inputs) => b.node("ScatterElements", inputs, { axis, reduction: "add" }),
  topK: (b, { attributes: { k } }, x = "") => {
    const [values = "", indices = ""] = b.nodeOf(2, "TopK", [x, b.ints([k])], { axis: -1 });
    return [values, b.node("Cast", [indices], { to: ELEMENT_TYPES.int32 })];
  },
} satisfies Rules<keyof IndexOps>;
