import * as ops from "../ops.js";
import { known, type Rules } from "./rule.js";

export const productsGradients = {
  matmul: (g, { attributes: { transposeA, transposeB } }, x, y) => {
    const [a, b] = [known(x), known(y)];
    return [
      transposeA
        ? ops.matmul(b, g, { transposeA: transposeB, transposeB: true })
        : ops.matmul(g, b, { transposeB: !transposeB }),
      transposeB
        ? ops.matmul(g, a, { transposeA: true, transposeB: transposeA })
        : ops.matmul(a, g, { transposeA: !transposeA }),
    ];
  },
} satisfies Rules<"matmul">;
