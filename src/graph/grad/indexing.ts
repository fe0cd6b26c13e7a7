import * as ops from "../ops.js";
import { type Axis, type IndexOps, part, type Tensor } from "../tensor.js";
import { known, NOT_DIFFERENTIABLE, type Rules } from "./rule.js";

export const indexingGradients = {
  gather: (g, _, table, indices) => [ops.scatterAdd(known(indices), g, known(table).shape[0] as Axis), null],
  scatterAdd: (g, _, indices) => [null, ops.gather(g, known(indices))],
  // Of rows written to one place only the first gets a gradient: they are equal, and the result holds one of them.
  setRows: (g, _, __, indices, rows) => [
    ops.setRows(g, known(indices), ops.expand(0, known(rows))),
    null,
    firstOnly(ops.gather(g, known(indices)), known(indices)),
  ],
  firstEqual: NOT_DIFFERENTIABLE,
  takeAlong: (g, { attributes: { axis } }, x, indices) => [
    ops.addAlong(zerosLike(known(x)), known(indices), g, axis),
    null,
  ],
  addAlong: (g, { attributes: { axis } }, _, indices) => [g, null, ops.takeAlong(g, known(indices), axis)],
  topK: (g, values, x) => [ops.addAlong(zerosLike(known(x)), part(values, 1), g, g.shape.length - 1)],
} satisfies Rules<keyof IndexOps>;

function firstOnly(rows: Tensor, indices: Tensor): Tensor {
  const extra = rows.shape.slice(indices.shape.length).map(() => 1);
  return ops.where(ops.reshape(ops.isFirst(indices), [...indices.shape, ...extra]), rows, 0);
}

function zerosLike(x: Tensor): Tensor {
  return ops.expand(0, x);
}
