import type { ComparisonOps } from "../tensor.js";
import { NOT_DIFFERENTIABLE, type Rules } from "./rule.js";

export const comparisonsGradients = {
  greater: NOT_DIFFERENTIABLE,
  greaterOrEqual: NOT_DIFFERENTIABLE,
  equal: NOT_DIFFERENTIABLE,
  and: NOT_DIFFERENTIABLE,
  or: NOT_DIFFERENTIABLE,
  not: NOT_DIFFERENTIABLE,
} satisfies Rules<keyof ComparisonOps>;
