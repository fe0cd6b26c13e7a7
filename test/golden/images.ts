/**
 * Networks of images, and steps of theirs, as settings for `images.py`: weights, images and labels come from one formula
 * on both sides, as those of ResNet-50 are too many to be written down.
 */
import { type MobileNetOptions, mobileNet } from "../../src/nn/mobilenet.js";
import { type Model, weightSpecs } from "../../src/nn/model.js";
import { type ResNetOptions, resnet } from "../../src/nn/resnet.js";
import { type SmallCnnOptions, smallCnn } from "../../src/nn/small-cnn.js";
import { float32, int32, type NamedArrays, type NdArray, sizeOf } from "../../src/runtime/array.js";
import { mapValues } from "../../src/runtime/named.js";

/** Some steps of one network. */
export interface ImageCase {
  readonly network: "cnn" | "resnet" | "mobilenet";
  readonly options: SmallCnnOptions & Partial<ResNetOptions> & MobileNetOptions;
  readonly batchSize: number;
  readonly numSteps: number;
  readonly learningRate: number;
  /** From this step on another network of the same kind teaches, with running statistics of its own; null for never. */
  readonly taughtFrom: number | null;
}

/** Of all cases: SGD with momentum, and a decay that is added to the gradients of the weights of convolutions and linear layers. */
export const MOMENTUM = 0.9;
export const DECAY = 5e-4;
/** Elements of each tensor that are compared, at equal distances. */
export const NUM_SAMPLES = 24;

const colour = { channels: 3, numClasses: 10, mean: [0.49, 0.48, 0.45], std: [0.25, 0.24, 0.26] } as const;
const taught = { batchSize: 16, numSteps: 20, taughtFrom: 10 } as const;
const short = { batchSize: 8, numSteps: 3, taughtFrom: 1 } as const;
/** Without a teacher: after 50 layers with statistics that are not its own, one is sure of a class for no reason. */
const deep = { ...short, taughtFrom: null } as const;

/**
 * Steps are small where networks are deep: a value near 0 that float32 puts on the other side of ReLU changes gradients, and with
 * large steps the two runs would part from there, whoever is right.
 */
export const imageCases = {
  "small CNN": {
    network: "cnn",
    options: { imageSize: [28, 28], channels: 1, numClasses: 10, mean: [0.286], std: [0.353] },
    learningRate: 0.05,
    ...taught,
  },
  "ResNet-20": {
    network: "resnet",
    options: { ...colour, imageSize: [32, 32], depth: 20 },
    learningRate: 2e-4,
    ...taught,
  },
  "ResNet-20 of odd grey images": {
    network: "resnet",
    options: { imageSize: [15, 19], channels: 1, numClasses: 4, mean: [0.5], std: [0.3], depth: 20 },
    learningRate: 1e-3,
    ...short,
  },
  "ResNet-18": {
    network: "resnet",
    options: { ...colour, imageSize: [64, 64], depth: 18 },
    learningRate: 2e-4,
    ...short,
  },
  "ResNet-50": {
    network: "resnet",
    options: { ...colour, imageSize: [64, 64], depth: 50 },
    learningRate: 5e-7,
    ...deep,
  },
  MobileNet: {
    network: "mobilenet",
    options: { ...colour, imageSize: [32, 32], widthMultiplier: 0.25 },
    learningRate: 2e-5,
    ...short,
  },
} as const satisfies Record<string, ImageCase>;

/** What PyTorch says: the losses of each step before its update, and {@link NUM_SAMPLES} elements of each weight after the last. */
export interface ImageResult {
  readonly labelLosses: readonly number[];
  readonly divergences: readonly (number | null)[];
  readonly weights: Readonly<Record<string, readonly number[]>>;
}

/** The network of a case. */
export function imageModel({ network, options }: ImageCase): Model {
  if (network === "cnn") return smallCnn(options);
  return network === "mobilenet" ? mobileNet(options) : resnet({ depth: 20, ...options });
}

/** Weights, params and buffers, that look random: those of the student with seed 0, of the teacher with seed 1. */
export function imageWeights(model: Model, seed: number): NamedArrays {
  const names = Object.keys(weightSpecs(model)).sort();
  return mapValues(weightSpecs(model), ({ shape }, name) => {
    const [, inputs = 1, ...kernel] = shape.length === 4 ? shape : [0, shape[0] ?? 1];
    const wide = Math.sqrt(6 / (inputs * sizeOf(kernel)));
    const spread = (u: number) => {
      if (name.endsWith(".weight")) return wide * (2 * u - 1);
      if (name.endsWith(".gain") || name.endsWith(".variance")) return 1 + 0.4 * (2 * u - 1);
      return 0.2 * (2 * u - 1);
    };
    return float32(draws(sizeOf(shape), 1 + names.indexOf(name) + 1000 * seed).map(spread), shape);
  });
}

/** The batch of a step. */
export function imageBatch({ options, batchSize }: ImageCase, step: number): NamedArrays {
  const { imageSize, channels, numClasses } = options;
  const shape = [batchSize, ...imageSize, channels];
  const pixels: NdArray = {
    dtype: "uint8",
    shape,
    data: Uint8Array.from(draws(sizeOf(shape), 5000 + step), (u) => Math.floor(256 * u)),
  };
  return { images: pixels, labels: int32(draws(batchSize, 7000 + step).map((u) => Math.floor(numClasses * u))) };
}

/** Numbers from 0 to 1: the fractions of 43758.5453 sin(12.9898 i + 78.233 seed). */
function draws(count: number, seed: number): number[] {
  return Array.from({ length: count }, (_, i) => {
    const far = 43758.5453 * Math.sin(12.9898 * i + 78.233 * seed);
    return far - Math.floor(far);
  });
}

/** The elements of an array that are compared. */
export function samplesOf({ data }: NdArray): number[] {
  const count = Math.min(NUM_SAMPLES, data.length);
  return Array.from({ length: count }, (_, i) => Number(data[Math.floor((i * data.length) / count)]));
}

/** The data that `images.py` reads. */
export function imageData() {
  return mapValues(imageCases, (one: ImageCase) => {
    const model = imageModel(one);
    return {
      ...one,
      momentum: MOMENTUM,
      decay: DECAY,
      numSamples: NUM_SAMPLES,
      params: mapValues(model.params, ({ shape }) => shape),
      buffers: mapValues(model.buffers ?? {}, ({ shape }) => shape),
    };
  });
}
