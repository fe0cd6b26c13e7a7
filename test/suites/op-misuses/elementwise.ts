import * as ops from "../../../src/graph/ops.js";
import type { ElementwiseOps, Op, Tensor } from "../../../src/graph/tensor.js";
import {
  broadcasts,
  condition,
  flags,
  indices,
  type Misuse,
  type Misuses,
  matrix,
  needsNumbers,
  other,
  vector,
  wide,
} from "./shared.js";

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

export const elementwiseMisuses = {
  neg: needsNumbers("neg", ops.neg),
  exp: needsNumbers("exp", ops.exp),
  log: needsNumbers("log", ops.log),
  sqrt: needsNumbers("sqrt", ops.sqrt),
  relu: needsNumbers("relu", ops.relu),
  sigmoid: needsNumbers("sigmoid", ops.sigmoid),
  softplus: needsNumbers("softplus", ops.softplus),
  abs: needsNumbers("abs", ops.abs),
  sign: needsNumbers("sign", ops.sign),
  tanh: needsNumbers("tanh", ops.tanh),
  erf: needsNumbers("erf", ops.erf),
  floor: needsNumbers("floor", ops.floor),
  sin: needsNumbers("sin", ops.sin),
  cos: needsNumbers("cos", ops.cos),
  clamp: [
    ...needsNumbers("clamp", (x) => ops.clamp(x, 0, 1)),
    { call: () => ops.clamp(vector, 2, 1), message: /^clamp: needs min <= max, got min 2 and max 1/ },
    { call: () => ops.clamp(vector, Number.NaN, 1), message: /^clamp: needs min <= max, got min NaN and max 1/ },
  ],
  add: broadcasts("add", ops.add),
  sub: broadcasts("sub", ops.sub),
  mul: broadcasts("mul", ops.mul),
  div: broadcasts("div", ops.div),
  maximum: broadcasts("maximum", ops.maximum),
  minimum: broadcasts("minimum", ops.minimum),
  where: [
    { call: () => ops.where(vector, vector, vector), message: /^where: needs bool, got float32\[3\]/ },
    { call: () => ops.where(condition, indices, vector), message: /^where: needs int32, got float32\[3\]/ },
    { call: () => ops.where(condition, condition, 0), message: /^where: needs float32 or int32, got bool\[3\]/ },
    {
      call: () => ops.where(condition, indices, 0.5),
      message: /^where: beside int32 a number must be a whole one of 32 bits, got 0\.5/,
    },
    { call: () => ops.where(condition, vector, other), message: /^where: shapes must broadcast, got \[3\] and \[4\]/ },
    {
      call: () => ops.where(condition, ops.input("x", [2]), 0),
      message: /^where: shapes must broadcast, got \[3\] and \[2\]/,
    },
  ],
  // Takes any tensor to any dtype.
  cast: [],
  gelu: needsNumbers("gelu", ops.gelu),
  quickGelu: [
    ...needsNumbers("quickGelu", (x) => ops.quickGelu(x)),
    { call: () => ops.quickGelu(vector, Number.NaN), message: /^quickGelu: alpha must be finite, got NaN/ },
  ],
  greater: comparison("greater", ops.greater),
  greaterOrEqual: comparison("greaterOrEqual", ops.greaterOrEqual),
  equal: comparison("equal", ops.equal),
  and: connective("and", ops.and),
  or: connective("or", ops.or),
  not: [{ call: () => ops.not(vector), message: /^not: needs bool, got float32\[3\]/ }],
} satisfies Misuses<keyof ElementwiseOps>;
