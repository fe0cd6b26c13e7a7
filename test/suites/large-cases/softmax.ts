import * as ops from "../../../src/graph/ops.js";
import type { SoftmaxOps } from "../../../src/graph/tensor.js";
import { anyIds, type Cases, real } from "../op-case.js";
import { matrix, ROWS, unary } from "./shared.js";

export const softmaxLargeCases = {
  softmax: unary(ops.softmax),
  logSoftmax: unary(ops.logSoftmax),
  logSoftmaxAt: [
    {
      name: "512 rows of 256 classes",
      operands: [real(matrix), anyIds(["batch"], 256)],
      build: (x, classes) => ops.logSoftmaxAt(x, classes).at,
      numExamples: ROWS,
    },
  ],
} satisfies Cases<keyof SoftmaxOps>;
