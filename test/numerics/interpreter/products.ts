import type { ProductOps } from "../../../src/graph/tensor.js";
import { aligned, broadcast, build, operand, type Rules } from "./values.js";

export const productsValues = {
  matmul: ({ attributes: { transposeA, transposeB, scale }, inputs }) => {
    const [a, b] = [operand(inputs, 0), operand(inputs, 1)];
    const [rows = 0, inner = 0] = transposeA ? a.shape.slice(-2).reverse() : a.shape.slice(-2);
    const columns = b.shape.at(transposeB ? -2 : -1) ?? 0;
    const leading = broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2));
    return build([...leading, rows, columns], (at) => {
      const [i = 0, j = 0] = at.slice(-2);
      const [ofA, ofB] = [a, b].map(({ shape }) => at.slice(at.length - shape.length, -2)) as [number[], number[]];
      let sum = 0;
      for (let k = 0; k < inner; k++) {
        const left = aligned(a, [...ofA, ...(transposeA ? [k, i] : [i, k])]);
        sum += left * aligned(b, [...ofB, ...(transposeB ? [j, k] : [k, j])]);
      }
      return scale * sum;
    });
  },
} satisfies Rules<keyof ProductOps>;
