import * as ops from "../../../src/graph/ops.js";
import type { ConvolutionOps } from "../../../src/graph/tensor.js";
import { batch, flags, type Misuses } from "./shared.js";

const images = ops.input("images", ["batch", 4, 5, 6]);
const rows = ops.input("rows", ["batch", 4, 5]);
const kernels = ops.input("kernels", [6, 4, 3, 3]);
const halves = ops.input("halves", [6, 2, 3, 3]);
const ids = ops.input("ids", ["batch", 4, 5, 6], "int32");

export const convolutionMisuses = {
  conv: [
    { call: () => ops.conv(flags, kernels), message: /^conv: needs float32, got bool\[batch\]/ },
    {
      call: () => ops.conv(batch, kernels),
      message: /^conv: needs \[batch, channels, and 1 or 2 spatial axes\], got \[batch, 3\]/,
    },
    {
      call: () => ops.conv(rows, kernels),
      message: /^conv: the weight must have as many axes as x, got \[6, 4, 3, 3\] and \[batch, 4, 5\]/,
    },
    {
      call: () => ops.conv(images, halves),
      message: /^conv: x must have 1 groups of 2 channels, as the weight \[6, 2, 3, 3\] has; got \[batch, 4, 5, 6\]/,
    },
    {
      call: () => ops.conv(images, halves, { groups: 4 }),
      message: /^conv: channels must divide into the groups, got 6 channels and 4 groups/,
    },
    {
      call: () => ops.conv(images, kernels, { groups: 0 }),
      message: /^conv: groups must be positive whole numbers, got 0/,
    },
    {
      call: () => ops.conv(images, kernels, { strides: [1, 0.5] }),
      message: /^conv: strides must be positive whole numbers, got 1, 0\.5/,
    },
    {
      call: () => ops.conv(images, kernels, { strides: [1] }),
      message: /^conv: strides must be given for each spatial axis, got 1 for 2/,
    },
    {
      call: () => ops.conv(images, kernels, { pads: -1 }),
      message: /^conv: pads must be whole and not negative, got -1, -1, -1, -1/,
    },
    {
      call: () => ops.conv(images, kernels, { pads: [[1, 1]] }),
      message: /^conv: pads must be given for each spatial axis, got 1 for 2/,
    },
    {
      call: () => ops.conv(images, kernels, { dilations: [1, 3] }),
      message:
        /^conv: a window must fit into the padded input, got kernel \[3, 3\] with dilations \[1, 3\] over \[5, 6\] with pads 0\+0, 0\+0/,
    },
  ],
  convTranspose: [
    {
      call: () => ops.convTranspose(images, kernels),
      message: /^convTranspose: x must have 6 channels, as the weight \[6, 4, 3, 3\] has; got \[batch, 4, 5, 6\]/,
    },
    {
      call: () => ops.convTranspose(images, ops.input("w", [4, 2, 3, 3]), { outputPadding: 1 }),
      message:
        /^convTranspose: outputPadding must be from 0 to less than the stride of each spatial axis, got 1, 1 for/,
    },
    {
      call: () => ops.convTranspose(images, ops.input("w", [4, 2, 3, 3]), { pads: 4 }),
      message: /^convTranspose: pads must leave something of the output, got sizes \[-1, 0\]/,
    },
    {
      call: () => ops.convTranspose(images, ops.input("w", [4, 2, 3, 3]), { groups: 3 }),
      message: /^convTranspose: channels must divide into the groups, got 4 channels and 3 groups/,
    },
  ],
  convWeightGrad: [
    {
      call: () => ops.convWeightGrad(images, images, { kernel: [3, 3] }),
      message:
        /^convWeightGrad: g must have the shape of the convolution's result \[batch, 4, 3, 4\], got \[batch, 4, 5, 6\]/,
    },
    {
      call: () => ops.convWeightGrad(images, images, { kernel: [1, 1], groups: 3 }),
      message: /^convWeightGrad: channels must divide into the groups, got 4 channels and 3 groups/,
    },
    {
      call: () => ops.convWeightGrad(images, images, { kernel: [3] }),
      message: /^convWeightGrad: kernel must be given for each spatial axis, got 1 for 2/,
    },
    {
      call: () => ops.convWeightGrad(images, ids, { kernel: [1, 1] }),
      message: /^convWeightGrad: needs float32, got int32\[batch, 4, 5, 6\]/,
    },
  ],
  maxPool: [
    {
      call: () => ops.maxPool(images, { kernel: 2, pads: 2 }),
      message: /^maxPool: pads must be smaller than the kernel, got 2\+2 for 2 along spatial axis 0/,
    },
    {
      call: () => ops.maxPool(ops.input("x", [1, 1, 1]), { kernel: 2, dilations: 2, pads: [[1, 1]] }),
      message:
        /^maxPool: every window must hold an element of the input, window 0 of spatial axis 0 has positions -1, 1 of 1; use smaller pads/,
    },
    {
      call: () => ops.maxPool(images, { kernel: 7 }),
      message: /^maxPool: a window must fit into the padded input, got kernel \[7, 7\]/,
    },
    {
      call: () => ops.maxPool(ids, { kernel: 2 }),
      message: /^maxPool: needs float32, got int32\[batch, 4, 5, 6\]/,
    },
  ],
  averagePool: [
    {
      call: () =>
        ops.averagePool(images, {
          kernel: [1, 2],
          pads: [
            [0, 1],
            [0, 0],
          ],
        }),
      message: /^averagePool: pads must be smaller than the kernel, got 0\+1 for 1 along spatial axis 0/,
    },
    {
      call: () => ops.averagePool(images, { kernel: [2, 0] }),
      message: /^averagePool: kernel must be positive whole numbers, got 2, 0/,
    },
    {
      call: () => ops.globalAveragePool(batch),
      message: /^averagePool: needs \[batch, channels, and 1 or 2 spatial axes\], got \[batch, 3\]/,
    },
  ],
  scatterWithin: [
    {
      call: () => ops.scatterWithin(images, rows, [2, 2]),
      message: /^scatterWithin: needs int32, got float32\[batch, 4, 5\]/,
    },
    {
      call: () => ops.scatterWithin(ops.input("x", ["batch", 4, 5, 5]), ids, [2, 2]),
      message:
        /^scatterWithin: updates and positions must have one shape, got \[batch, 4, 5, 5\] and \[batch, 4, 5, 6\]/,
    },
    {
      call: () => ops.scatterWithin(images, ids, [0, 2]),
      message: /^scatterWithin: sizes must be positive whole numbers, got 0, 2/,
    },
  ],
  gatherWithin: [
    {
      call: () => ops.gatherWithin(images, rows),
      message: /^gatherWithin: needs int32, got float32\[batch, 4, 5\]/,
    },
    {
      call: () => ops.gatherWithin(rows, ids),
      message:
        /^gatherWithin: positions must have the batch, the channels and the number of axes of x \[batch, 4, 5\], got \[batch, 4, 5, 6\]/,
    },
  ],
} satisfies Misuses<keyof ConvolutionOps>;
