import type { ReductionOps } from "../tensor.js";
import { countOf, type Rules, reduction } from "./builder.js";
import { ELEMENT_TYPES } from "./element-types.js";

export const reductionsEmission = {
  reduceSum: reduction("ReduceSum"),
  reduceMean: reduction("ReduceMean"),
  reduceMax: reduction("ReduceMax"),
  reduceMin: reduction("ReduceMin"),
  argMax: (b, { attributes: { axis } }, x = "") =>
    b.node("Cast", [b.node("ArgMax", [x], { axis, keepdims: 0 })], { to: ELEMENT_TYPES.int32 }),
  cumulativeSum: (b, { attributes: { axis, exclusive, reverse } }, x = "") =>
    b.node("CumSum", [x, b.int64(axis)], { exclusive: Number(exclusive), reverse: Number(reverse) }),
  countAlong: (b, { attributes: { axes }, inputs: [x] }, name = "") => countOf(b, x, name, axes),
} satisfies Rules<keyof ReductionOps>;
