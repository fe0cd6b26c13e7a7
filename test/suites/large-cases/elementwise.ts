import * as ops from "../../../src/graph/ops.js";
import type { ElementwiseOps } from "../../../src/graph/tensor.js";
import { anyIds, type Cases, flags, pixels, real } from "../op-case.js";
import { binary, matrix, ROWS, unary } from "./shared.js";

const NAME = "131,072 elements each";

export const elementwiseLargeCases = {
  neg: unary(ops.neg),
  exp: unary(ops.exp),
  log: unary(ops.log, 1.5, 3),
  sqrt: unary(ops.sqrt, 0.25, 3),
  relu: unary(ops.relu),
  sigmoid: unary(ops.sigmoid),
  softplus: unary(ops.softplus),
  abs: unary(ops.abs),
  sign: unary(ops.sign),
  tanh: unary(ops.tanh),
  erf: unary(ops.erf),
  floor: unary(ops.floor),
  sin: unary(ops.sin),
  cos: unary(ops.cos),
  clamp: unary((x) => ops.clamp(x, -0.5, 1)),
  add: binary(ops.add),
  sub: binary(ops.sub),
  mul: binary(ops.mul),
  div: binary(ops.div),
  maximum: binary(ops.maximum),
  minimum: binary(ops.minimum),
  where: [
    {
      name: "131,072 elements each",
      operands: [flags(matrix), real(matrix), real(matrix)],
      build: ops.where,
      numExamples: ROWS,
    },
  ],
  cast: [
    { name: "bool", operands: [flags(matrix)], build: (x) => ops.cast(x, "float32"), numExamples: ROWS },
    { name: "int32", operands: [anyIds(matrix, 99)], build: (x) => ops.cast(x, "float32"), numExamples: ROWS },
    { name: "uint8", operands: [pixels(matrix)], build: (x) => ops.cast(x, "float32"), numExamples: ROWS },
  ],
  gelu: unary(ops.gelu),
  quickGelu: unary((x) => ops.quickGelu(x)),
  greater: binary(ops.greater),
  greaterOrEqual: binary(ops.greaterOrEqual),
  equal: binary(ops.equal),
  and: [{ name: NAME, operands: [flags(matrix), flags(matrix)], build: ops.and, numExamples: ROWS }],
  or: [{ name: NAME, operands: [flags(matrix), flags(matrix)], build: ops.or, numExamples: ROWS }],
  not: [{ name: NAME, operands: [flags(matrix)], build: ops.not, numExamples: ROWS }],
} satisfies Cases<keyof ElementwiseOps>;
