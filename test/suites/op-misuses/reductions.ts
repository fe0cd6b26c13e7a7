import * as ops from "../../../src/graph/ops.js";
import type { ReductionOps } from "../../../src/graph/tensor.js";
import { batch, type Misuses, needsNumbers, reductions } from "./shared.js";

export const reductionsMisuses = {
  reduceSum: reductions("reduceSum", ops.reduceSum),
  reduceMean: reductions("reduceMean", ops.reduceMean),
  reduceMax: reductions("reduceMax", ops.reduceMax),
  reduceMin: reductions("reduceMin", ops.reduceMin),
  argMax: [
    ...needsNumbers("argMax", (x) => ops.argMax(x, 0)),
    { call: () => ops.argMax(batch, 2), message: /^argMax: \[batch, 3\] has axes 0 to 1, got axis 2/ },
  ],
  cumulativeSum: [
    ...needsNumbers("cumulativeSum", (x) => ops.cumulativeSum(x, 0)),
    { call: () => ops.cumulativeSum(batch, 2), message: /^cumulativeSum: \[batch, 3\] has axes 0 to 1, got axis 2/ },
  ],
  countAlong: [
    { call: () => ops.countAlong(batch, [2]), message: /^countAlong: \[batch, 3\] has axes 0 to 1, got axis 2/ },
  ],
} satisfies Misuses<keyof ReductionOps>;
