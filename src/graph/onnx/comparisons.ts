import type { ComparisonOps } from "../tensor.js";
import { elementwise, type Rules } from "./builder.js";

export const comparisonsEmission = {
  greater: elementwise("Greater"),
  greaterOrEqual: elementwise("GreaterOrEqual"),
  equal: elementwise("Equal"),
  and: elementwise("And"),
  or: elementwise("Or"),
  not: elementwise("Not"),
} satisfies Rules<keyof ComparisonOps>;
