import type { ComparisonOps } from "../../../src/graph/tensor.js";
import { binary, type Rules, unary } from "./values.js";

export const comparisonsValues = {
  greater: binary((x, y) => Number(x > y)),
  greaterOrEqual: binary((x, y) => Number(x >= y)),
  equal: binary((x, y) => Number(x === y)),
  and: binary((x, y) => Number(x !== 0 && y !== 0)),
  or: binary((x, y) => Number(x !== 0 || y !== 0)),
  not: unary((x) => Number(x === 0)),
} satisfies Rules<keyof ComparisonOps>;
