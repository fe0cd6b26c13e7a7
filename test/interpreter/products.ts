import { aligned, build, operand, type Rules } from "./values.js";

export const productsValues = {
  matmul: ({ attributes: { transposeA, transposeB }, inputs }) => {
    const [a, b] = [operand(inputs, 0), operand(inputs, 1)];
    const [rows = 0, inner = 0] = transposeA ? [a.shape[1], a.shape[0]] : a.shape;
    const columns = b.shape[transposeB ? 0 : 1] ?? 0;
    return build([rows, columns], ([i = 0, j = 0]) => {
      let sum = 0;
      for (let k = 0; k < inner; k++)
        sum += aligned(a, transposeA ? [k, i] : [i, k]) * aligned(b, transposeB ? [j, k] : [k, j]);
      return sum;
    });
  },
} satisfies Rules<"matmul">;
