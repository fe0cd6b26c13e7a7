import { globalAveragePool, relu } from "../graph/ops.js";
import type { Tensors } from "../graph/tensor.js";
import { convolution, convolutionParams } from "./conv.js";
import { type ImageNetworkOptions, imageHead, imageInputs, normalisedImages } from "./image-input.js";
import { linear, linearParams } from "./layers.js";
import type { BufferSpec, Model, ParamSpec } from "./model.js";
import { type BatchNorm, batchNormBuffers, batchNormModel, normParams } from "./norm.js";

export interface MobileNetOptions extends ImageNetworkOptions {
  /** The channels of all layers are multiplied by it, to whole multiples of 8; 1 by default. */
  readonly widthMultiplier?: number | undefined;
}

/** The channels and the stride of each block (Howard et al. 2017, table 1). */
const BLOCKS = [
  [64, 1],
  [128, 2],
  [128, 1],
  [256, 2],
  [256, 1],
  [512, 2],
  ...Array.from({ length: 5 }, () => [512, 1] as const),
  [1024, 2],
  [1024, 1],
] as const;
const STEM = 32;
/** Images with fewer pixels on their shorter side keep their size in the first layer, of which little would be left. */
const LARGE = 64;

/**
 * A network of depthwise separable convolutions (Howard et al. 2017, "MobileNets"): uint8 images to logits [batch,
 * classes]. After a 3x3 convolution each of 13 blocks has a 3x3 convolution of each channel by itself and a 1x1
 * convolution across channels, each with batch normalisation and ReLU. Images of fewer than 64 pixels on their shorter
 * side keep their size in the first convolution, which halves larger ones.
 */
export function mobileNet({ widthMultiplier = 1, ...options }: MobileNetOptions): Model {
  const scaled = (width: number) => Math.max(8, 8 * Math.round((width * widthMultiplier) / 8));
  const stem = {
    conv: "stem.conv",
    norm: "stem.norm",
    inputs: options.channels,
    outputs: scaled(STEM),
    size: 3,
    strides: Math.min(...options.imageSize) < LARGE ? 1 : 2,
    groups: 1,
  };
  const blocks = BLOCKS.flatMap(([width, strides], i) => {
    const inputs = scaled(BLOCKS[i - 1]?.[0] ?? STEM);
    const at = (name: string) => ({ conv: `blocks.${i}.${name}`, norm: `blocks.${i}.${name}Norm` });
    return [
      { ...at("depthwise"), inputs, outputs: inputs, size: 3, strides, groups: inputs },
      { ...at("pointwise"), inputs, outputs: scaled(width), size: 1, strides: 1, groups: 1 },
    ];
  });
  const layers = [stem, ...blocks];
  return batchNormModel({
    params: Object.assign(
      {},
      ...layers.map(({ conv, norm, inputs, outputs, size, groups }): Record<string, ParamSpec> => {
        const kernel = [size, size];
        return {
          ...convolutionParams(conv, { inputs, outputs, kernel, groups, hasBias: false }),
          ...normParams(norm, outputs),
        };
      }),
      linearParams(imageHead, scaled(1024), options.numClasses),
    ),
    buffers: Object.assign(
      {},
      ...layers.map(({ norm, outputs }): Record<string, BufferSpec> => batchNormBuffers(norm, outputs)),
    ),
    inputs: imageInputs(options),
    logits(weights: Tensors, inputs: Tensors, norm: BatchNorm) {
      const last = layers.reduce(
        (x, { conv, norm: path, size, strides, groups }) =>
          relu(norm(path, convolution(weights, conv, x, { strides, pads: (size - 1) / 2, groups }))),
        normalisedImages(inputs, options),
      );
      const rows = globalAveragePool(last);
      return { logits: linear(weights, imageHead, rows), rows };
    },
  });
}
