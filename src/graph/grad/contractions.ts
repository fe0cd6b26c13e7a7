import * as ops from "../ops.js";
import { joined } from "../shape.js";
import type { ContractionOps, Tensor } from "../tensor.js";
import { expandReduced, keptShape, known, NOT_DIFFERENTIABLE, type Rules, unbroadcast } from "./rule.js";

export const contractionsGradients = {
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
  quantisedMatmul: NOT_DIFFERENTIABLE,
  matmul: (g, { attributes: { transposeA, transposeB, scale } }, x, y) => {
    const [a, b] = [known(x), known(y)];
    const toA = transposeA
      ? ops.matmul(b, g, { transposeA: transposeB, transposeB: true, scale })
      : ops.matmul(g, b, { transposeB: !transposeB, scale });
    // When all matrices of `a` share one `b`, its gradient is one product over all rows, not a sum of many.
    const isShared = b.shape.length === 2 && a.shape.length > 2 && !transposeA;
    const [rowsOfA, rowsOfG] = isShared ? [asRows(a), asRows(g)] : [a, g];
    const toB = transposeB
      ? ops.matmul(rowsOfG, rowsOfA, { transposeA: true, transposeB: transposeA, scale })
      : ops.matmul(rowsOfA, rowsOfG, { transposeA: !transposeA, scale });
    return [unbroadcast(toA, a), unbroadcast(toB, b)];
  },
} satisfies Rules<keyof ContractionOps>;

/** The cotangent of the largest or smallest element, shared evenly by all that are equal to it. */
function shareOfTies(g: Tensor, extreme: Tensor<"reduceMax" | "reduceMin">, x: Tensor): Tensor {
  const { axes } = extreme.attributes;
  const kept = keptShape(x, axes);
  const isTied = ops.cast(ops.equal(x, ops.reshape(extreme, kept)), "float32");
  return ops.mul(isTied, ops.div(ops.reshape(g, kept), ops.reduceSum(isTied, [...axes], true)));
}

/** [..., size] as [rows, size]. */
function asRows(x: Tensor): Tensor {
  return ops.reshape(x, [joined(x.shape.slice(0, -1)), ...x.shape.slice(-1)]);
}
