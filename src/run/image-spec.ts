/** Learning the classes of images: the network, the batches and the metrics of a run on images. */
import { imageStream } from "../data/images/image-stream.js";
import { type ImageShape, type Images, imagesInOrder } from "../data/images/images.js";
import { labelShifts } from "../data/label-noise.js";
import { mixedObjective } from "../nn/mixed-labels.js";
import { mobileNet } from "../nn/mobilenet.js";
import type { Model } from "../nn/model.js";
import { resnet } from "../nn/resnet.js";
import { smallCnn } from "../nn/small-cnn.js";
import { type Pass, predictAll } from "../train/evaluate.js";
import { predictGraph, shippedName } from "../train/graphs.js";
import { augmentationOf, type ImageRunConfig, mixupOf } from "./kinds/images.js";
import { learnerOf, type RunLearner } from "./learner.js";
import type { GroupSpec, RunSpec } from "./specs.js";
import { validated } from "./table-spec.js";
import { configuredTask } from "./task.js";

/** What was fitted to the training images of all groups. */
export interface FittedImages {
  readonly digest: string;
  readonly shape: ImageShape;
  readonly classes: readonly string[];
  /** Training images of each class. */
  readonly counts: readonly number[];
  /** Of each channel over the training images, where values go from 0 to 1. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** A group's part of the images. */
export interface ImageShard extends FittedImages {
  /** Training images, and which of them are this group's shard. */
  readonly train: Images;
  readonly shard: Uint32Array;
  readonly validation: Images;
}

/**
 * What all groups of a run on images share. Throws {@link ConfigError} when a pattern of the optimizer matches no param, or
 * a class weight names no class, and {@link ShapeError} when the network does not fit images of this size.
 */
export function imageRunSpec(config: ImageRunConfig, images: FittedImages): RunSpec & { readonly learner: RunLearner } {
  const { digest, shape, classes, mean, std } = images;
  return { digest, declared: { shape, classes, mean, std }, learner: imageLearner(config, images) };
}

function imageLearner(config: ImageRunConfig, images: FittedImages): RunLearner {
  const { classes, counts } = images;
  const task = configuredTask(config.task, { kind: "classes", classes: [...classes], counts: [...counts] });
  const isMixed = mixupOf(config.data) > 0;
  const objective = isMixed ? mixedObjective(task.objective) : task.objective;
  return {
    ...learnerOf(config, networkOf(config.model, images), objective),
    ...(isMixed && { hasRowWeights: true }),
    task,
  };
}

/** The network of images by its kind. */
function networkOf(config: ImageRunConfig["model"], { shape, classes, mean, std }: FittedImages): Model {
  const { height, width, channels } = shape;
  const options = { imageSize: [height, width], channels, numClasses: classes.length, mean, std } as const;
  switch (config.kind) {
    case "cnn":
      return smallCnn({ ...options, ...config });
    case "resnet":
      return resnet({ ...options, ...config });
    case "mobilenet":
      return mobileNet({ ...options, ...config });
  }
}

/** Pixels of a batch of evaluation, about. */
const PASS_PIXELS = 2 ** 18;

/** Images that are predicted at once: many small ones, few large ones. */
export function imagesAtOnce({ height, width }: ImageShape): number {
  return Math.max(8, Math.min(512, Math.floor(PASS_PIXELS / (height * width))));
}

/** One pass over images, unchanged. */
export function imagePass(images: Images): Pass {
  return {
    numRows: images.labels.length,
    hasWeights: false,
    batches: () => imagesInOrder(images, imagesAtOnce(images.shape)),
  };
}

/** Images of which a share has wrong labels. */
function withNoise(images: Images, share: number, numClasses: number): Images {
  if (share === 0) return images;
  const shifts = labelShifts(images.labels.length, { share, numClasses });
  return { ...images, labels: images.labels.map((label, i) => (label + (shifts[i] as number)) % numClasses) };
}

/** What a group of a run on images trains. Throws what {@link imageRunSpec} throws. */
export function imageGroupSpec(config: ImageRunConfig, data: ImageShard): GroupSpec {
  const spec = imageRunSpec(config, data);
  const { learner } = spec;
  const images = withNoise(data.train, config.data.labelNoise ?? 0, data.classes.length);
  return {
    ...spec,
    numExamples: data.shard.length,
    stream: (key, cursor, part) =>
      imageStream({
        images,
        indices: data.shard,
        batchSize: config.globalBatchSize / config.accumulate,
        augmentation: augmentationOf(config.data),
        mixup: mixupOf(config.data),
        key,
        ...(cursor && { cursor }),
        ...(part && { part }),
      }),
    async validator(engine) {
      const program = await engine.compile(predictGraph(learner, shippedName(learner)));
      const pass = imagePass(data.validation);
      return async (signal) => validated(learner.task, await predictAll(program, pass, signal));
    },
  };
}
