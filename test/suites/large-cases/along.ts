import * as ops from "../../../src/graph/ops.js";
import type { AlongOps } from "../../../src/graph/tensor.js";
import { anyIds, type Cases, real } from "../op-case.js";
import { matrix, ROWS, unary } from "./shared.js";

export const alongLargeCases = {
  takeAlong: [
    {
      name: "512 x 256, rows of 256 often repeated",
      operands: [real(matrix), anyIds(matrix, 16)],
      build: (x, indices) => ops.takeAlong(x, indices, 1),
      numExamples: ROWS,
    },
    {
      // Backward so many elements are scattered that ScatterND would divide them, which it does not do with 196,608.
      name: "4,096 x 64 from axis 0 of 256",
      operands: [real([256, 64]), anyIds([4096, 64], 256)],
      build: (x, indices) => ops.takeAlong(x, indices, 0),
    },
  ],
  addAlong: [
    {
      name: "512 x 256, rows of 256 often repeated",
      operands: [real(matrix), anyIds(matrix, 16), real(matrix)],
      build: (x, indices, updates) => ops.addAlong(x, indices, updates, 1),
      numExamples: ROWS,
    },
  ],
  topK: unary((x) => ops.topK(x, 5).values),
} satisfies Cases<keyof AlongOps>;
