/** Residual networks (He et al. 2016, "Deep residual learning for image recognition"). */
import { add, globalAveragePool, maxPool, pad, relu } from "../graph/ops.js";
import type { Tensor, Tensors } from "../graph/tensor.js";
import { convolution, convolutionParams, everyOther } from "./conv.js";
import { type ImageNetworkOptions, imageHead, imageInputs, normalisedImages } from "./image-input.js";
import { linear, linearParams } from "./layers.js";
import type { BufferSpec, Model, ParamSpec } from "./model.js";
import { type BatchNorm, batchNormBuffers, batchNormModel, normParams } from "./norm.js";

/** How often each depth repeats its blocks. */
const FORMS = {
  20: { form: "cifar", repeats: [3, 3, 3] },
  32: { form: "cifar", repeats: [5, 5, 5] },
  56: { form: "cifar", repeats: [9, 9, 9] },
  18: { form: "imagenet", repeats: [2, 2, 2, 2] },
  50: { form: "bottleneck", repeats: [3, 4, 6, 3] },
} as const;

/** The number of layers with weights. */
export type ResNetDepth = keyof typeof FORMS;

/** The depths there are. */
export const resNetDepths = Object.keys(FORMS).map(Number) as readonly ResNetDepth[];

export interface ResNetOptions extends ImageNetworkOptions {
  /** 20, 32 or 56: the form of section 4.2, for small images. 18 or 50: that of section 4.1, for photographs. */
  readonly depth: ResNetDepth;
}

/** A convolution without a bias, and the batch norm of its result. */
interface Layer {
  readonly conv: string;
  readonly norm: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly size: 1 | 3 | 7;
  readonly stride: 1 | 2;
}

/** Layers one after the other, and what is added to their result. */
interface Block {
  readonly layers: readonly Layer[];
  /** Undefined where input and output have one shape, or where there is no layer in the shortcut. */
  readonly shortcut?: Layer | undefined;
  readonly outputs: number;
  readonly stride: 1 | 2;
}

/**
 * A residual network: uint8 images to logits [batch, classes].
 *
 * In the form for small images (depths 20, 32, 56) a 3x3 convolution to 16 channels is followed by three stages of 16,
 * 32 and 64 channels, and shortcuts have no params: every other pixel, and zeros for the channels that are new (option
 * A). In the form for photographs (18, 50) a 7x7 convolution with stride 2 and the maximum of 3x3 windows are followed
 * by four stages of 64, 128, 256 and 512 channels, which blocks of depth 50 make four times as many; shortcuts between
 * shapes are 1x1 convolutions (option B), and of the three convolutions of a block of depth 50 the 3x3 one has the
 * stride, as in PyTorch's networks.
 */
export function resnet({ depth, ...options }: ResNetOptions): Model {
  const { form, repeats } = FORMS[depth];
  const stem = stemOf(form, options.channels);
  const stages = stagesOf(form, repeats, stem.outputs);
  const blocks = stages.flat();
  const layers = [stem, ...blocks.flatMap(({ layers, shortcut }) => (shortcut ? [...layers, shortcut] : layers))];
  const width = blocks.at(-1)?.outputs ?? stem.outputs;
  return batchNormModel({
    params: Object.assign({}, ...layers.map(paramsOf), linearParams(imageHead, width, options.numClasses)),
    buffers: Object.assign(
      {},
      ...layers.map(({ norm, outputs }): Record<string, BufferSpec> => batchNormBuffers(norm, outputs)),
    ),
    inputs: imageInputs(options),
    logits(weights, inputs, norm) {
      const first = relu(layer(weights, stem, normalisedImages(inputs, options), norm));
      const start = form === "cifar" ? first : maxPool(first, { kernel: 3, strides: 2, pads: 1 });
      const last = blocks.reduce((x, block) => residual(weights, block, x, norm), start);
      const rows = globalAveragePool(last);
      return { logits: linear(weights, imageHead, rows), rows };
    },
  });
}

function stemOf(form: "cifar" | "imagenet" | "bottleneck", inputs: number): Layer {
  const stem = { conv: "stem.conv", norm: "stem.norm", inputs } as const;
  return form === "cifar" ? { ...stem, outputs: 16, size: 3, stride: 1 } : { ...stem, outputs: 64, size: 7, stride: 2 };
}

function stagesOf(form: "cifar" | "imagenet" | "bottleneck", repeats: readonly number[], width: number): Block[][] {
  let inputs = width;
  return repeats.map((count, stage) =>
    Array.from({ length: count }, (_, i) => {
      const block = blockOf(form, `stages.${stage}.${i}`, inputs, width * 2 ** stage, stage > 0 && i === 0 ? 2 : 1);
      inputs = block.outputs;
      return block;
    }),
  );
}

function blockOf(
  form: "cifar" | "imagenet" | "bottleneck",
  path: string,
  inputs: number,
  width: number,
  stride: 1 | 2,
): Block {
  const at = (name: string) => ({ conv: `${path}.conv${name}`, norm: `${path}.norm${name}` });
  const outputs = form === "bottleneck" ? 4 * width : width;
  const layers: Layer[] =
    form === "bottleneck"
      ? [
          { ...at("1"), inputs, outputs: width, size: 1, stride: 1 },
          { ...at("2"), inputs: width, outputs: width, size: 3, stride },
          { ...at("3"), inputs: width, outputs, size: 1, stride: 1 },
        ]
      : [
          { ...at("1"), inputs, outputs: width, size: 3, stride },
          { ...at("2"), inputs: width, outputs, size: 3, stride: 1 },
        ];
  const isSame = stride === 1 && inputs === outputs;
  const projection: Layer = { ...at("Shortcut"), inputs, outputs, size: 1, stride };
  return { layers, outputs, stride, ...(!isSame && form !== "cifar" && { shortcut: projection }) };
}

function paramsOf({ conv, norm, inputs, outputs, size }: Layer): Record<string, ParamSpec> {
  return {
    ...convolutionParams(conv, { inputs, outputs, kernel: [size, size], hasBias: false }),
    ...normParams(norm, outputs),
  };
}

function layer(weights: Tensors, { conv, norm, size, stride }: Layer, x: Tensor, normed: BatchNorm): Tensor {
  return normed(norm, convolution(weights, conv, x, { strides: stride, pads: (size - 1) / 2 }));
}

function residual(weights: Tensors, { layers, shortcut, stride, outputs }: Block, x: Tensor, norm: BatchNorm): Tensor {
  const y = layers.reduce((input, own, i) => {
    const result = layer(weights, own, input, norm);
    return i < layers.length - 1 ? relu(result) : result;
  }, x);
  const kept = stride === 1 ? x : everyOther(x);
  const added = shortcut
    ? norm(shortcut.norm, convolution(weights, shortcut.conv, kept))
    : pad(kept, 1, 0, outputs - (kept.shape[1] as number));
  return relu(add(added, y));
}
