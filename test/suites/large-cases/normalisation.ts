import * as ops from "../../../src/graph/ops.js";
import type { NormalisationOps, Shape } from "../../../src/graph/tensor.js";
import { anyIds, type Cases, real } from "../op-case.js";
import { matrix, ROWS, unary } from "./shared.js";

const images: Shape = ["batch", 16, 16, 16];
const vector = real([16], 0.5, 2);
const numExamples = 32;

export const normalisationLargeCases = {
  batchNorm: [
    {
      name: "16 channels of 8,192",
      operands: [real(images), vector, vector],
      build: (x, gain, bias) => ops.batchNorm(x, { gain, bias }, 1e-5),
      numExamples,
    },
    {
      name: "256 channels of 512",
      operands: [real(["batch", 256]), real([256], 0.5, 2), real([256])],
      build: (x, gain, bias) => ops.batchNorm(x, { gain, bias }, 1e-5),
      numExamples: 512,
    },
  ],
  normalise: [
    {
      name: "16 channels of 8,192",
      operands: [real(images), vector, vector, vector, vector],
      build: (x, gain, bias, mean, variance) => ops.normalise(x, { gain, bias }, { mean, variance }, 1e-5),
      numExamples,
    },
  ],
  channelDots: [
    {
      name: "64 channels of 2,048, in rows of 64",
      operands: [real(["batch", 64, 8, 8]), real(["batch", 64, 8, 8])],
      build: ops.channelDots,
      numExamples,
    },
    { name: "16 channels of 8,192", operands: [real(images), real(images)], build: ops.channelDots, numExamples },
  ],
  layerNorm: [
    {
      name: "512 rows of 256",
      operands: [real(matrix), real([256]), real([256])],
      build: (x, gain, bias) => ops.layerNorm(x, gain, bias).normalised,
      numExamples: ROWS,
    },
  ],
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
} satisfies Cases<keyof NormalisationOps>;
