import * as ops from "../ops.js";
import { expandReduced, known, NOT_DIFFERENTIABLE, type Rules } from "./rule.js";

export const reductionsGradients = {
  reduceSum: (g, { attributes: { axes } }, x) => [expandReduced(g, known(x), axes)],
  reduceMean: (g, { attributes: { axes } }, x) => [
    expandReduced(ops.div(g, ops.countAlong(known(x), [...axes])), known(x), axes),
  ],
  countAlong: NOT_DIFFERENTIABLE,
} satisfies Rules<"reduceSum" | "reduceMean" | "countAlong">;
