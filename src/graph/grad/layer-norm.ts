import * as ops from "../ops.js";
import { type LayerNormOps, part, type Tensor } from "../tensor.js";
import { known, type Rules, unbroadcast } from "./rule.js";

export const layerNormGradients = {
  // Of u = (x - mean) / std: (h - mean h - u mean(h u)) / std for h = g gain (Ba et al. 2016, appendix).
  layerNorm: {
    ofParts: ([g, byMean, byInverse], node, _, input, gain, bias) => {
      const x = known(input);
      const axis = x.shape.length - 1;
      const width = ops.knownSize("layerNorm", x, axis);
      const inverse = part(node, 2);
      const u = ops.mul(ops.sub(x, part(node, 1)), inverse);
      const meanOf = (rows: Tensor) => ops.reduceMean(rows, [axis], true);
      const contributions: Tensor[] = [];
      if (g) {
        const h = ops.mul(g, known(gain));
        const centred = ops.sub(ops.sub(h, meanOf(h)), ops.mul(u, meanOf(ops.mul(h, u))));
        contributions.push(ops.mul(centred, inverse));
      }
      if (byMean) contributions.push(ops.expand(ops.div(byMean, width), x));
      // d inverse / dx = -inverse^2 u / width.
      if (byInverse)
        contributions.push(ops.mul(u, ops.div(ops.mul(byInverse, ops.neg(ops.mul(inverse, inverse))), width)));
      return [
        contributions.length > 0 ? contributions.reduce(ops.add) : null,
        g ? unbroadcast(ops.mul(g, u), gain) : null,
        g ? unbroadcast(g, bias) : null,
      ];
    },
  },
} satisfies Rules<keyof LayerNormOps>;
