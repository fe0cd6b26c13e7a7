import * as ops from "../ops.js";
import type { RowOps } from "../tensor.js";
import { known, NOT_DIFFERENTIABLE, type Rules } from "./rule.js";

export const rowsGradients = {
  gather: (g, _, table, indices) => [ops.scatterAdd(known(indices), g, ops.knownSize("gather", known(table), 0)), null],
  scatterAdd: (g, _, indices) => [null, ops.gather(g, known(indices))],
  lookup: NOT_DIFFERENTIABLE,
} satisfies Rules<keyof RowOps>;
