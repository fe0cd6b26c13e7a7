import * as ops from "../ops.js";
import { type AlongOps, part, type Tensor } from "../tensor.js";
import { known, type Rules } from "./rule.js";

export const alongGradients = {
  takeAlong: (g, { attributes: { axis } }, x, indices) => [
    ops.addAlong(zerosLike(known(x)), known(indices), g, axis),
    null,
  ],
  addAlong: (g, { attributes: { axis } }, _, indices) => [g, null, ops.takeAlong(g, known(indices), axis)],
  topK: (g, values, x) => [ops.addAlong(zerosLike(known(x)), part(values, 1), g, g.shape.length - 1)],
} satisfies Rules<keyof AlongOps>;

function zerosLike(x: Tensor): Tensor {
  return ops.expand(0, x);
}
