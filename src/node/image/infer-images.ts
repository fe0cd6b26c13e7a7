/** Infers a run from images: their classes and sizes, the network, the expected time, and the configuration. */
import { availableParallelism } from "node:os";
import { imageBatch, imagesInMemory } from "../../data/images/images.js";
import { DataError } from "../../errors.js";
import {
  chooseImagePlan,
  type ImagePlan,
  imageConfigurationOf,
  imageConfigurationText,
  imagesWithinBudget,
} from "../../infer/image-plan.js";
import { counted, firstNames } from "../../report/format.js";
import { resolveConfig } from "../../run/config.js";
import { imageRunSpec } from "../../run/image-spec.js";
import { configOfKind } from "../../run/kinds/kinds.js";
import { rootKey, uniform } from "../../runtime/random.js";
import { secondsOfStep } from "../ort/step-seconds.js";
import { relativeTo, runName, writeBeside } from "../runs/write-config.js";
import { checkFormat, loadSharp } from "./decode.js";
import type { FoundImage, ImageSource } from "./found.js";
import { knownSets, openSource } from "./open-source.js";
import { BadImage } from "./pixels.js";

/** Images described for training. */
export interface ImagesDescription {
  /** What the source is, in words. */
  readonly what: string;
  readonly images: number;
  readonly classes: readonly { readonly name: string; readonly images: number }[];
  /** Images whose heads were looked at, and those of them that cannot be used. */
  readonly looked: number;
  readonly bad: number;
  readonly source: readonly string[];
  readonly validation: readonly string[];
  readonly test: readonly string[];
  /** The classes that were chosen, if any. */
  readonly chosen: readonly string[] | null;
  /** Notes for people, in sentences. */
  readonly notes: readonly string[];
  readonly plan: ImagePlan;
  /** The expected seconds of training on this machine. */
  readonly seconds: number;
}

export interface DescribeImagesOptions {
  readonly classes?: readonly string[] | undefined;
  /** The most seconds of training. */
  readonly budgetSeconds?: number | undefined;
  readonly onProgress?: ((stage: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Images whose heads are looked at. */
const LOOKED_AT = 200;
/** The fewest images of a class of which some can train, validate and test. */
const LEAST_OF_CLASS = 3;

/**
 * Look at images, and choose network and training for them and this machine; a few steps are measured to estimate the
 * duration.
 *
 * Throws what {@link openSource} throws, and {@link DataError} for fewer than two classes.
 */
export async function describeImages(
  paths: readonly string[],
  { classes: chosen, budgetSeconds, onProgress = () => {}, signal }: DescribeImagesOptions,
  cores = availableParallelism(),
): Promise<ImagesDescription> {
  onProgress("looking at the images");
  const sets = paths.length === 1 ? knownSets(paths[0] ?? "") : null;
  const { train: source, validation, test } = sets ?? { train: paths, validation: [], test: [] };
  const found = await openSource(source, chosen);
  if (found.classes.length < 2)
    throw new DataError(
      `images: classes are told apart, and ${source.join(", ")} has ${counted(found.classes.length, "class", "classes")}. Add a folder for each further class.`,
    );
  const classes = found.classes.map((name, k) => ({ name, images: found.counts[k] ?? 0 }));
  const looked = await look(found, signal);
  const { size } = found;
  const plan = chooseImagePlan({
    images: found.numImages,
    classes: found.classes,
    size: size && [size.height, size.width],
    medianSide: looked.medianSide,
    longShare: looked.longShare,
    isGrey: size ? size.channels === 1 : looked.isGrey,
    hasTest: test.length > 0,
    hasValidation: validation.length > 0,
    cores,
  });
  onProgress("measuring a few steps");
  const [height, width] = size ? [size.height, size.width] : [plan.side ?? 64, plan.side ?? 64];
  const threads = Math.max(1, Math.floor(cores / plan.numGroups));
  const perStep = await stepSeconds(plan, { height, width, channels: plan.channels }, found.classes, threads);
  const few = classes.filter(({ images }) => images < LEAST_OF_CLASS).map(({ name }) => name);
  return {
    what: found.what,
    images: found.numImages,
    classes,
    looked: looked.numLooked,
    bad: looked.numBad,
    source,
    validation,
    test,
    chosen: chosen ?? null,
    notes: [
      ...found.notes,
      ...(few.length > 0
        ? [
            `${counted(few.length, "class has", "classes have")} fewer than ${LEAST_OF_CLASS} images, and can be trained but not tested: ${firstNames(few, 5)}`,
          ]
        : []),
      ...(looked.numBad > 0
        ? [`${counted(looked.numBad, "image")} of ${looked.numLooked} that were looked at cannot be used`]
        : []),
    ],
    ...imagesWithinBudget(plan, perStep, 0.1 * found.numImages, budgetSeconds),
  };
}

/** The sizes of some images, evenly from all, by their heads alone. */
async function look(source: ImageSource, signal: AbortSignal | undefined) {
  if (source.size) return { medianSide: 0, longShare: 0, isGrey: false, numLooked: 0, numBad: 0 };
  const sharp = await loadSharp();
  const every = Math.max(1, Math.ceil(source.numImages / LOOKED_AT));
  const sides: number[] = [];
  let [numLooked, numBad, numLong, isGrey, at] = [0, 0, 0, true, 0];
  const headOf = async ({ encoded }: FoundImage) => {
    const bytes = encoded?.() ?? new Uint8Array();
    checkFormat(bytes);
    return sharp(bytes).metadata();
  };
  for await (const image of source.images()) {
    if (at++ % every !== 0) continue;
    signal?.throwIfAborted();
    numLooked++;
    try {
      const { width = 0, height = 0, space } = await headOf(image);
      sides.push(Math.min(width, height));
      if (Math.max(width, height) > 2 * Math.min(width, height)) numLong++;
      isGrey &&= space === "b-w" || space === "grey16";
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof BadImage) && !(error instanceof Error)) throw error;
      numBad++;
    }
  }
  sides.sort((a, b) => a - b);
  const longShare = numLong / Math.max(1, sides.length);
  return {
    medianSide: sides[sides.length >> 1] ?? 0,
    longShare,
    isGrey: isGrey && sides.length > 0,
    numLooked,
    numBad,
  };
}

/** The configuration of described images as a value. */
export function configurationOfImages(described: ImagesDescription, name: string) {
  const { source, validation, test, chosen, plan } = described;
  return imageConfigurationOf({ name, source, validation, test, plan, ...(chosen && { classes: chosen }) });
}

/** Write the configuration of described images; returns its path. */
export function writeImageRun(
  { source, validation, test, chosen, plan }: ImagesDescription,
  asked: readonly unknown[],
  given: readonly string[],
  write = "codistill.config.ts",
): string {
  const name = runName(given, "", "images");
  return writeBeside(
    (folder) => {
      const beside = (paths: readonly string[]) => paths.map((one) => relativeTo(folder, one));
      const places = { source: beside(source), validation: beside(validation), test: beside(test) };
      return imageConfigurationText({ name, ...places, plan, ...(chosen && { classes: chosen }) });
    },
    asked,
    write,
  );
}

/** The seconds of a step on random pixels. */
async function stepSeconds(
  plan: ImagePlan,
  shape: { readonly height: number; readonly width: number; readonly channels: 1 | 3 },
  classes: readonly string[],
  threads: number,
): Promise<number> {
  const input = imageConfigurationOf({ name: "measured", source: ["images"], validation: [], test: [], plan });
  const config = configOfKind(resolveConfig(input), "images", "measuring steps");
  const half = new Array<number>(shape.channels).fill(0.5);
  const counts = classes.map(() => 1);
  const { learner } = imageRunSpec(config, { digest: "", shape, classes, counts, mean: half, std: half });
  const numPixels = plan.globalBatchSize * shape.height * shape.width * shape.channels;
  const pixels = Uint8Array.from(uniform(rootKey(1), numPixels), (u) => Math.floor(256 * u));
  const labels = Int32Array.from({ length: plan.globalBatchSize }, (_, i) => i % classes.length);
  const images = imagesInMemory(shape, pixels, labels);
  const batch = imageBatch(images, Uint32Array.from(labels.keys()));
  return secondsOfStep(learner, [batch], config.seed, threads);
}
