import * as ops from "../ops.js";
import { part, type SoftmaxOps, type Tensor } from "../tensor.js";
import { known, type Rules } from "./rule.js";

export const softmaxGradients = {
  softmax: (g, y) => [ops.mul(y, ops.sub(g, sumOfRows(ops.mul(g, y))))],
  logSoftmax: (g, y) => [fromLogProbs(g, ops.exp(y))],
  logSoftmaxAt: {
    ofParts: ([byAt, byAll], node, _, __, classes) => {
      const probs = ops.exp(part(node, 1));
      const axis = probs.shape.length - 1;
      // The gradient of one log probability is 1 at its class less the probabilities.
      const at = byAt && column(byAt);
      const fromAt = at && ops.addAlong(ops.mul(probs, ops.neg(at)), column(known(classes)), at, axis);
      const fromAll = byAll && fromLogProbs(byAll, probs);
      return [fromAt && fromAll ? ops.add(fromAt, fromAll) : (fromAt ?? fromAll ?? null), null];
    },
  },
} satisfies Rules<keyof SoftmaxOps>;

function fromLogProbs(g: Tensor, probs: Tensor): Tensor {
  return ops.sub(g, ops.mul(probs, sumOfRows(g)));
}

function sumOfRows(x: Tensor): Tensor {
  return ops.reduceSum(x, [x.shape.length - 1], true);
}

function column(x: Tensor): Tensor {
  return ops.reshape(x, [...x.shape, 1]);
}
