import * as ops from "../../../src/graph/ops.js";
import type { ReductionOps } from "../../../src/graph/tensor.js";
import type { Cases } from "../op-case.js";
import { reduction, unary } from "./shared.js";

export const reductionsLargeCases = {
  reduceSum: reduction(ops.reduceSum),
  reduceMean: reduction(ops.reduceMean),
  reduceMax: reduction(ops.reduceMax),
  reduceMin: reduction(ops.reduceMin),
  argMax: unary((x) => ops.argMax(x, 1)),
  cumulativeSum: unary((x) => ops.cumulativeSum(x, 1)),
  countAlong: unary(ops.countAlong),
} satisfies Cases<keyof ReductionOps>;
