import * as ops from "../ops.js";
import { joined } from "../shape.js";
import type { ProductOps, Tensor } from "../tensor.js";
import { known, type Rules, unbroadcast } from "./rule.js";

export const productsGradients = {
  matmul: (g, { attributes: { transposeA, transposeB, scale } }, x, y) => {
    const [a, b] = [known(x), known(y)];
    const toA = transposeA
      ? ops.matmul(b, g, { transposeA: transposeB, transposeB: true, scale })
      : ops.matmul(g, b, { transposeB: !transposeB, scale });
    // A matrix that meets every row of `a` gets one product over all rows, and not a sum of one for each batch.
    const isShared = b.shape.length === 2 && a.shape.length > 2 && !transposeA;
    const [rowsOfA, rowsOfG] = isShared ? [asRows(a), asRows(g)] : [a, g];
    const toB = transposeB
      ? ops.matmul(rowsOfG, rowsOfA, { transposeA: true, transposeB: transposeA, scale })
      : ops.matmul(rowsOfA, rowsOfG, { transposeA: !transposeA, scale });
    return [unbroadcast(toA, a), unbroadcast(toB, b)];
  },
} satisfies Rules<keyof ProductOps>;

/** [..., size] as [rows, size]. */
function asRows(x: Tensor): Tensor {
  return ops.reshape(x, [joined(x.shape.slice(0, -1)), ...x.shape.slice(-1)]);
}
