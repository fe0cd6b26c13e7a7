import * as ops from "../../src/graph/ops.js";
import { batch, type Misuse, reductions } from "./shared.js";

export const reductionsMisuses = {
  reduceSum: reductions("reduceSum", ops.reduceSum),
  reduceMean: reductions("reduceMean", ops.reduceMean),
  countAlong: [
    { call: () => ops.countAlong(batch, [2]), message: /^countAlong: \[batch, 3\] has axes 0 to 1, got axis 2/ },
  ],
} satisfies { readonly [O in "reduceSum" | "reduceMean" | "countAlong"]: readonly Misuse[] };
