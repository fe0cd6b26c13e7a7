import * as ops from "../../../src/graph/ops.js";
import type { ElementwiseOps } from "../../../src/graph/tensor.js";
import { broadcasts, condition, indices, type Misuses, needsNumbers, other, vector } from "./shared.js";

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
} satisfies Misuses<keyof ElementwiseOps>;
