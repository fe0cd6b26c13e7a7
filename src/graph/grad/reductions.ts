import * as ops from "../ops.js";
import type { ReductionOps, Tensor } from "../tensor.js";
import { expandReduced, keptShape, known, NOT_DIFFERENTIABLE, type Rules } from "./rule.js";

export const reductionsGradients = {
  reduceSum: (g, { attributes: { axes } }, x) => [expandReduced(g, known(x), axes)],
  reduceMean: (g, { attributes: { axes } }, x) => [
    expandReduced(ops.div(g, ops.countAlong(known(x), [...axes])), known(x), axes),
  ],
  reduceMax: (g, y, x) => [shareOfTies(g, y, known(x))],
  reduceMin: (g, y, x) => [shareOfTies(g, y, known(x))],
  argMax: NOT_DIFFERENTIABLE,
  cumulativeSum: (g, { attributes: { axis, exclusive, reverse } }) => [
    ops.cumulativeSum(g, axis, { exclusive, reverse: !reverse }),
  ],
  countAlong: NOT_DIFFERENTIABLE,
} satisfies Rules<keyof ReductionOps>;

/** The cotangent of the largest or smallest element, shared evenly by all that are equal to it. */
function shareOfTies(g: Tensor, extreme: Tensor<"reduceMax" | "reduceMin">, x: Tensor): Tensor {
  const { axes } = extreme.attributes;
  const kept = keptShape(x, axes);
  const isTied = ops.cast(ops.equal(x, ops.reshape(extreme, kept)), "float32");
  return ops.mul(isTied, ops.div(ops.reshape(g, kept), ops.reduceSum(isTied, [...axes], true)));
}
