import { ShapeError } from "../errors.js";
import { globalAveragePool, maxPool, relu } from "../graph/ops.js";
import { convolution, convolutionParams } from "./conv.js";
import { type ImageNetworkOptions, imageHead, imageInputs, normalisedImages } from "./image-input.js";
import { linear, linearParams } from "./layers.js";
import type { Model } from "./model.js";
import { batchNormBuffers, batchNormModel, normParams } from "./norm.js";

export interface SmallCnnOptions extends ImageNetworkOptions {
  /** The channels of each block; [32, 64, 128] by default. */
  readonly widths?: readonly number[] | undefined;
  /** Share of the values before the last layer that are dropped in training, 0 by default. */
  readonly dropout?: number | undefined;
}

/**
 * A small convolutional network: for each width a block, then the mean over space, and a linear layer to logits [batch, classes]. A
 * block is a 3x3 convolution, the maximum of each 2x2 window, batch normalisation and ReLU, in this order, in which the
 * last two read a quarter of the values (Jordan 2024, "94% on CIFAR-10 in 3.29 seconds on a single GPU").
 *
 * Throws {@link ShapeError} when the images cannot be halved as often as there are blocks.
 */
export function smallCnn({ widths = [32, 64, 128], dropout = 0, ...options }: SmallCnnOptions): Model {
  const inputs = imageInputs(options);
  const shortest = Math.min(...options.imageSize);
  if (shortest < 2 ** widths.length) {
    throw new ShapeError(
      `smallCnn: ${widths.length} blocks halve images of at least ${2 ** widths.length} pixels, got ${options.imageSize.join(" x ")}; use fewer widths or larger images`,
    );
  }
  const blocks = widths.map((outputs, i) => ({
    path: `blocks.${i}`,
    inputs: widths[i - 1] ?? options.channels,
    outputs,
  }));
  return batchNormModel({
    params: Object.assign(
      {},
      ...blocks.map(({ path, inputs, outputs }) => ({
        ...convolutionParams(`${path}.conv`, { inputs, outputs, kernel: [3, 3], hasBias: false }),
        ...normParams(`${path}.norm`, outputs),
      })),
      linearParams(imageHead, widths.at(-1) ?? options.channels, options.numClasses),
    ),
    buffers: Object.assign({}, ...blocks.map(({ path, outputs }) => batchNormBuffers(`${path}.norm`, outputs))),
    inputs,
    dropout,
    logits(weights, values, norm, drop) {
      let x = normalisedImages(values, options);
      for (const { path } of blocks) {
        const y = maxPool(convolution(weights, `${path}.conv`, x, { pads: 1 }), { kernel: 2, strides: 2 });
        x = relu(norm(`${path}.norm`, y));
      }
      const rows = drop(globalAveragePool(x), 0);
      return { logits: linear(weights, imageHead, rows), rows };
    },
  });
}
