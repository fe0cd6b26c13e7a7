import * as ops from "../../src/graph/ops.js";
import type { Case } from "../op-case.js";
import { reduction, unary } from "./shared.js";

export const reductionsLargeCases = {
  reduceSum: reduction(ops.reduceSum),
  reduceMean: reduction(ops.reduceMean),
  countAlong: unary(ops.countAlong),
} satisfies { readonly [O in "reduceSum" | "reduceMean" | "countAlong"]: readonly Case[] };
