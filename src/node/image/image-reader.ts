/** Runs on images: files through sharp, or sets of pixels, and networks that read pixels. */
import { createHash } from "node:crypto";
import { rowsOfSlots, slotsUnder } from "../../data/shard.js";
import { ConfigError, DataError } from "../../errors.js";
import { count } from "../../report/format.js";
import { examplesApart } from "../../run/apart.js";
import { exportImages } from "../../run/export-images.js";
import { imageGroupSpec, imagePass, imageRunSpec } from "../../run/image-spec.js";
import { besideShares } from "../../run/image-yardsticks.js";
import { type ImageRunConfig, networkProblem } from "../../run/kinds/images.js";
import { scoreExamples } from "../../run/score-table.js";
import { classWeightsOf } from "../../run/task.js";
import type { DataReader } from "../runs/data-reader.js";
import { memoryBudget } from "../sources/memory.js";
import { type CachedImages, openImages } from "./image-cache.js";
import { describeImageShards } from "./image-shards.js";
import type { ImageSpec } from "./image-spec.js";
import { type OpenedSizes, prepareImages } from "./prepare-images.js";

export const imageReader: DataReader<ImageRunConfig> = {
  async prepare(config, options) {
    const checkOpened = (opened: OpenedSizes) => checkSizes(config, opened);
    const images = await prepareImages(imageSpecOf(config), { ...options, checkOpened });
    const spec = imageRunSpec(config, images);
    const sizes = images.numImages;
    return {
      spec,
      // Images that are left out are named in a note.
      sizes: { rows: sizes, areImages: true },
      notes: images.notes,
      cached: images.cached,
      folder: images.folder,
      checkShards: () => checkShards(config, images),
      async score(engine, groups, shippedGroup, signal) {
        const pass = { ...imagePass(images.test), targets: null };
        const result = await scoreExamples(engine, spec.learner, groups, pass, shippedGroup, signal);
        const { classes, counts, test } = images;
        const classWeights = classWeightsOf(config.task, { kind: "classes", classes, counts });
        return besideShares(result, spec.learner.task, { counts, classWeights, labels: test.labels });
      },
      apart: (engine, models, signal) =>
        examplesApart(engine, spec.learner, config.task, models, imagePass(images.test), signal),
      validated: async () => ({}),
      metadata: imageMetadata(config, images),
      exported: ({ params, temperature }, metadata) => ({
        "model.onnx": exportImages(spec.learner, config.data.fit, params, metadata, temperature),
      }),
    };
  },
  async open(config, cacheFolder, groupIndex) {
    const slots = slotsUnder(config.data, groupIndex, config.numGroups);
    const memoryBytes = memoryBudget() / (config.numGroups * config.workers);
    const { validation, ...images } = await openImages(cacheFolder, { slots, leaveOut: ["test"], memoryBytes });
    if (!validation) throw new Error("internal: validation images were left out");
    const shard = rowsOfSlots(images.slotOffsets, slots);
    return { ...imageGroupSpec(config, { ...images, validation, shard }), meaning: meaningOf(images) };
  },
  async shards(config, slots, cacheFolder) {
    return describeImageShards(await prepareImages(imageSpecOf(config), { cacheFolder }), config.data.regime, slots);
  },
  checkOwnFile(name) {
    throw new Error(`internal: a run on images has no file ${name} of its own`);
  },
};

/** The images of a configuration. */
export function imageSpecOf({ data }: Pick<ImageRunConfig, "data">): ImageSpec {
  const { source, classes, image, label, size, channels, fit, validation, test, splitSeed, maxBadImages, maxPixels } =
    data;
  return {
    source,
    classes,
    columns: { image, label },
    size: typeof size === "number" ? [size, size] : size,
    channels,
    fit,
    validation,
    test,
    seed: splitSeed,
    maxBadImages,
    maxPixels,
  };
}

/** Entries for the metadata of a model about the images that it was trained on, beside those of its task. */
function imageMetadata(
  { data }: Pick<ImageRunConfig, "data">,
  images: Pick<CachedImages, "shape" | "classes" | "mean" | "std">,
): Readonly<Record<string, string>> {
  const { height, width, channels } = images.shape;
  return {
    data: "images",
    height: String(height),
    width: String(width),
    channels: String(channels),
    fit: data.fit,
    maxPixels: String(data.maxPixels),
    mean: JSON.stringify(images.mean),
    std: JSON.stringify(images.std),
    ...meaningOf(images),
  };
}

/** What the places of params stand for, as a digest: the classes in their order. */
function meaningOf({ classes }: Pick<CachedImages, "classes">): Readonly<Record<string, string>> {
  return { labelClasses: createHash("sha256").update(JSON.stringify(classes)).digest("hex") };
}

/** Throws {@link ConfigError} when no decoded image could make the run possible: for the size of images, or their number. */
function checkSizes(
  { data, model, numGroups, globalBatchSize, accumulate }: ImageRunConfig,
  { numImages, shape }: OpenedSizes,
): void {
  const problem = networkProblem(model, [shape.height, shape.width]);
  if (problem !== null) throw new ConfigError(problem);
  const batch = globalBatchSize / accumulate;
  const most = data.regime === "all" ? numImages : Math.floor(numImages / numGroups);
  if (most >= batch) return;
  throw new ConfigError(
    `globalBatchSize: a batch of ${count(batch)} images needs a shard of at least as many, and of the ${count(numImages)} images of data.source each group of ${numGroups} has at most ${count(most)}. ${CURE}`,
  );
}

const CURE =
  'Lower globalBatchSize, use fewer groups, let all groups see all images (data.regime: "all"), or add images.';

function checkShards(
  { data, numGroups, globalBatchSize, accumulate }: ImageRunConfig,
  { slotOffsets }: Pick<CachedImages, "slotOffsets">,
): void {
  const sizes = Array.from(
    { length: numGroups },
    (_, group) => rowsOfSlots(slotOffsets, slotsUnder(data, group, numGroups)).length,
  );
  const smallest = Math.min(...sizes);
  const batch = globalBatchSize / accumulate;
  if (smallest >= batch) return;
  throw new DataError(
    `a batch of ${batch} images needs a shard of at least as many, and that of group ${sizes.indexOf(smallest)} of ${numGroups} has ${smallest}. ${CURE}`,
  );
}
