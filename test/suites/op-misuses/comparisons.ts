import * as ops from "../../../src/graph/ops.js";
import type { ComparisonOps, Op, Tensor } from "../../../src/graph/tensor.js";
import { condition, flags, indices, type Misuse, type Misuses, matrix, other, vector, wide } from "./shared.js";

const comparison = (op: Op, f: (x: ops.Operand, y: ops.Operand) => Tensor): Misuse[] => [
  { call: () => f(vector, other), message: new RegExp(`^${op}: shapes must broadcast, got \\[3\\] and \\[4\\]`) },
  { call: () => f(vector, indices), message: new RegExp(`^${op}: needs float32, got int32\\[batch\\]`) },
  { call: () => f(condition, condition), message: new RegExp(`^${op}: needs float32 or int32, got bool\\[3\\]`) },
  { call: () => f(1, flags), message: new RegExp(`^${op}: needs float32 or int32, got bool`) },
  {
    call: () => f(indices, 2 ** 31),
    message: new RegExp(`^${op}: beside int32 a number must be a whole one of 32 bits`),
  },
];

const connective = (op: Op, f: (x: Tensor, y: Tensor) => Tensor): Misuse[] => [
  { call: () => f(vector, condition), message: new RegExp(`^${op}: needs bool, got float32\\[3\\]`) },
  { call: () => f(condition, indices), message: new RegExp(`^${op}: needs bool, got int32\\[batch\\]`) },
  {
    call: () => f(ops.equal(matrix, 0), ops.equal(wide, 0)),
    message: new RegExp(`^${op}: shapes must broadcast, got \\[2, 3\\] and \\[2, 5\\]`),
  },
];

export const comparisonsMisuses = {
  greater: comparison("greater", ops.greater),
  greaterOrEqual: comparison("greaterOrEqual", ops.greaterOrEqual),
  equal: comparison("equal", ops.equal),
  and: connective("and", ops.and),
  or: connective("or", ops.or),
  not: [{ call: () => ops.not(vector), message: /^not: needs bool, got float32\[3\]/ }],
} satisfies Misuses<keyof ComparisonOps>;
