import * as ops from "../ops.js";
import type { Axis, RowOps, Tensor } from "../tensor.js";
import { known, NOT_DIFFERENTIABLE, type Rules } from "./rule.js";

export const rowsGradients = {
  gather: (g, _, table, indices) => [ops.scatterAdd(known(indices), g, known(table).shape[0] as Axis), null],
  scatterAdd: (g, _, indices) => [null, ops.gather(g, known(indices))],
  // Of rows that are written to one place only the first counts: they are equal, and one of them is there.
  setRows: (g, _, __, indices, rows) => [
    ops.setRows(g, known(indices), ops.expand(0, known(rows))),
    null,
    firstOnly(ops.gather(g, known(indices)), known(indices)),
  ],
  firstEqual: NOT_DIFFERENTIABLE,
  hash: NOT_DIFFERENTIABLE,
} satisfies Rules<keyof RowOps>;

function firstOnly(rows: Tensor, indices: Tensor): Tensor {
  const extra = rows.shape.slice(indices.shape.length).map(() => 1);
  return ops.where(ops.reshape(ops.isFirst(indices), [...indices.shape, ...extra]), rows, 0);
}
