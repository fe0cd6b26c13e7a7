import * as ops from "../../../src/graph/ops.js";
import type { ComparisonOps } from "../../../src/graph/tensor.js";
import { type Cases, flags } from "../op-case.js";
import { binary, matrix, ROWS } from "./shared.js";

const NAME = "131,072 elements each";

export const comparisonsLargeCases = {
  greater: binary(ops.greater),
  greaterOrEqual: binary(ops.greaterOrEqual),
  equal: binary(ops.equal),
  and: [{ name: NAME, operands: [flags(matrix), flags(matrix)], build: ops.and, numExamples: ROWS }],
  or: [{ name: NAME, operands: [flags(matrix), flags(matrix)], build: ops.or, numExamples: ROWS }],
  not: [{ name: NAME, operands: [flags(matrix)], build: ops.not, numExamples: ROWS }],
} satisfies Cases<keyof ComparisonOps>;
