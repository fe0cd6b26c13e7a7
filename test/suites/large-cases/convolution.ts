import * as ops from "../../../src/graph/ops.js";
import type { ConvolutionOps, Shape } from "../../../src/graph/tensor.js";
import { anyIds, type Cases, distinct, real } from "../op-case.js";

const images: Shape = ["batch", 16, 16, 16];
const half: Shape = ["batch", 16, 8, 8];
const numExamples = 16;

export const convolutionLargeCases = {
  conv: [
    {
      name: "16 channels, 3x3",
      operands: [real(images), real([16, 16, 3, 3])],
      build: (x, w) => ops.conv(x, w, { pads: 1 }),
      numExamples,
    },
    {
      name: "16 channels, 3x3, stride 2",
      operands: [real(images), real([16, 16, 3, 3])],
      build: (x, w) => ops.conv(x, w, { pads: 1, strides: 2 }),
      numExamples,
    },
    {
      name: "depthwise, 3x3",
      operands: [real(images), real([16, 1, 3, 3])],
      build: (x, w) => ops.conv(x, w, { pads: 1, groups: 16 }),
      numExamples,
    },
  ],
  convTranspose: [
    {
      name: "16 channels, 2x2, stride 2",
      operands: [real(half), real([16, 16, 2, 2])],
      build: (x, w) => ops.convTranspose(x, w, { strides: 2 }),
      numExamples,
    },
  ],
  convWeightGrad: [
    {
      name: "four groups, 3x3",
      operands: [real(images), real(images)],
      build: (x, g) => ops.convWeightGrad(x, g, { pads: 1, groups: 4, kernel: [3, 3] }),
      numExamples,
    },
  ],
  maxPool: [
    {
      name: "3x3, stride 2",
      operands: [distinct(images)],
      build: (x) => ops.maxPool(x, { kernel: 3, strides: 2, pads: 1 }),
      numExamples,
    },
  ],
  averagePool: [
    {
      name: "3x3, stride 2",
      operands: [real(images)],
      build: (x) => ops.averagePool(x, { kernel: 3, strides: 2, pads: 1 }),
      numExamples,
    },
  ],
  scatterWithin: [
    {
      name: "256 into 16, often the same",
      operands: [real(images), anyIds(images, 16)],
      build: (x, positions) => ops.scatterWithin(x, positions, [4, 4]),
      numExamples,
    },
  ],
  gatherWithin: [
    { name: "256 of 64", operands: [real(half), anyIds(images, 64)], build: ops.gatherWithin, numExamples },
  ],
} satisfies Cases<keyof ConvolutionOps>;
