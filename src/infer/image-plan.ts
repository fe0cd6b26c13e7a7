/**
 * The network of images and its training for a set of images and a machine: rules of thumb in one place, each with its
 * reason in words.
 */
import { count, counted, times } from "../report/format.js";
import type { ImageRunInput } from "../run/input/run.js";
import { configurationFile } from "./configuration.js";
import { roundedSteps } from "./plan.js";

/** What a plan depends on. */
export interface ImageFacts {
  readonly images: number;
  readonly classes: readonly string[];
  /** The size of all images where they have one, as in MNIST and CIFAR; else null. */
  readonly size: readonly [number, number] | null;
  /** The median of the shorter sides of images in files, in pixels. */
  readonly medianSide: number;
  /** The share of images in files that are more than twice as long as wide, or the other way round. */
  readonly longShare: number;
  readonly isGrey: boolean;
  /** Whether there are test images, and validation images, of their own. */
  readonly hasTest: boolean;
  readonly hasValidation: boolean;
  readonly cores: number;
}

/** A training, ready to be written into a configuration. */
export interface ImagePlan {
  /** Height and width; null for those of the set. */
  readonly side: number | null;
  readonly channels: 1 | 3;
  readonly fit: "crop" | "stretch";
  readonly augment: NonNullable<ImageRunInput["data"]["augment"]>;
  readonly maxBadImages: number;
  readonly model: ImageRunInput["model"];
  readonly globalBatchSize: number;
  readonly numGroups: number;
  readonly numSteps: number;
  readonly validationInterval: number;
  readonly patience: number;
  /** The reason for each choice. */
  readonly reasons: Readonly<
    Record<"size" | "split" | "changes" | "model" | "groups" | "batch" | "steps" | "rate", string>
  >;
}

const SHARE = 0.1;
/** How often a group reads its images, by the images of all below which that holds. */
const PASSES = [
  { below: 2000, passes: 60 },
  { below: 20_000, passes: 30 },
  { below: Number.POSITIVE_INFINITY, passes: 10 },
];
/** Images whose shorter side has at most so many pixels are trained on as 32 pixels, others as 64. */
const SMALL = 40;
/** The share of images of which cutting to a square would leave less than half, from which on all are stretched instead. */
const MANY_LONG = 0.1;
const [LEAST_BATCH, MOST_BATCH] = [8, 128];
const [LEAST_STEPS, MOST_STEPS] = [200, 20_000];
/** The fewest images with which two groups are made, and residual networks. */
const [ENOUGH_FOR_GROUPS, ENOUGH_FOR_RESNET] = [10_000, 20_000];
const VALIDATIONS = 20;
const START_SECONDS = 4;
/** Seconds of training where no budget is given. */
export const DEFAULT_SECONDS = 300;
/** The share that a teacher adds to a step: a third of it for its forward pass, in half of the steps. */
const TEACHER = 0.33 / 2;

/** Size, network, batch, steps and groups for images and a machine. */
export function chooseImagePlan(facts: ImageFacts): ImagePlan {
  const { images, classes, size, medianSide, longShare, isGrey, hasTest, hasValidation, cores } = facts;
  const side = size ? null : medianSide <= SMALL ? 32 : 64;
  const shortest = size ? Math.min(...size) : (side ?? 64);
  const numTrain = images * (1 - (hasTest ? 0 : SHARE) - (hasValidation ? 0 : SHARE));
  const numGroups = cores >= 4 && numTrain >= ENOUGH_FOR_GROUPS ? 2 : 1;
  const perGroup = numTrain / numGroups;
  let globalBatchSize = MOST_BATCH;
  while (globalBatchSize > LEAST_BATCH && 8 * globalBatchSize > perGroup) globalBatchSize /= 2;
  const passes = PASSES.find(({ below }) => numTrain < below)?.passes ?? 1;
  const numSteps = roundedSteps(Math.min(MOST_STEPS, Math.max(LEAST_STEPS, (passes * perGroup) / globalBatchSize)));
  const { model, reason } = modelFor(numTrain, shortest, cores);
  const isWritten = classes.every((name) => /^(\d+|\p{L})$/u.test(name));
  const padCrop = Math.max(1, Math.round(shortest / 12));
  const augment = { padCrop, ...(!isWritten && { flip: true }), ...(!isGrey && { jitter: 0.2 }) };
  const fit = size === null && longShare > MANY_LONG ? "stretch" : "crop";
  const maxBadImages = size ? 0 : Math.floor(images / 100);
  return withIntervals({
    side,
    channels: isGrey ? 1 : 3,
    fit,
    augment,
    maxBadImages,
    model,
    globalBatchSize,
    numGroups,
    numSteps,
    reasons: {
      size: size
        ? `${size.join(" x ")} pixels, ${isGrey ? "grey" : "colour"}, as they are`
        : `${side} x ${side} pixels, ${isGrey ? "grey, as all that were looked at are" : "colour"}: the shorter side has ${count(medianSide)} in the median; data.size says otherwise${fit === "stretch" ? `. They are stretched to it, as of ${Math.round(100 * longShare)} % more than half would be cut off (data.fit)` : ""}`,
      split: splitReason(hasValidation, hasTest),
      changes: `moved by up to ${padCrop} pixels${isWritten ? ", and not mirrored, as classes named by digits or letters may be writing" : ", mirrored"}${isGrey ? "" : ", colours by up to 20 %"}, at random in each epoch (data.augment)`,
      model: reason,
      groups:
        numGroups === 1
          ? `1: two pay from 4 cores and ${count(ENOUGH_FOR_GROUPS)} images on; numGroups says otherwise`
          : "2, which learn from one another's predictions, each on its half of the images",
      batch: counted(globalBatchSize, "image"),
      steps: stepsReason(numSteps, globalBatchSize, perGroup),
      rate: "0.002 with adam, up from 0 in the first 5 % of the steps and down to 0 by a cosine",
    },
  });
}

/**
 * Cut a plan so that it is expected to stay within a budget, and estimate its seconds, from the measured seconds of a
 * step.
 */
export function imagesWithinBudget(
  plan: ImagePlan,
  stepSeconds: number,
  numValidation: number,
  budgetSeconds = DEFAULT_SECONDS,
): { readonly plan: ImagePlan; readonly seconds: number } {
  const perStep = stepSeconds * (1 + TEACHER * (plan.numGroups - 1));
  const validations = (VALIDATIONS * ((numValidation / plan.globalBatchSize) * stepSeconds)) / 3;
  const secondsOf = (numSteps: number) => START_SECONDS + numSteps * perStep + validations;
  const seconds = secondsOf(plan.numSteps);
  if (seconds <= budgetSeconds) return { plan, seconds };
  const room = (budgetSeconds - START_SECONDS - validations) / perStep;
  const numSteps = Math.min(plan.numSteps, Math.max(20, roundedSteps(room)));
  const steps = `${count(numSteps)} instead of ${count(plan.numSteps)}, to stay within ${count(Math.round(budgetSeconds))} seconds; --time-budget or numSteps give more`;
  return {
    plan: withIntervals({ ...plan, numSteps, reasons: { ...plan.reasons, steps } }),
    seconds: secondsOf(numSteps),
  };
}

function withIntervals(plan: Omit<ImagePlan, "validationInterval" | "patience">): ImagePlan {
  return { ...plan, validationInterval: Math.max(1, Math.round(plan.numSteps / VALIDATIONS)), patience: 10 };
}

function modelFor(numTrain: number, shortest: number, cores: number) {
  if (numTrain >= ENOUGH_FOR_RESNET && cores >= 8 && shortest >= 28) {
    const reason = `a residual network of 20 layers: for ${count(Math.round(numTrain))} training images and ${counted(cores, "core")}`;
    return { model: { kind: "resnet", depth: 20 } as const, reason };
  }
  const all = numTrain < 2000 ? [16, 32, 64, 128] : [32, 64, 128, 128];
  // Each block halves the images, and the last one should leave more than a pixel.
  const numBlocks = Math.max(1, Math.min(shortest > 40 ? 4 : 3, Math.floor(Math.log2(shortest)) - 1));
  const widths = all.slice(0, numBlocks);
  return {
    model: { kind: "cnn", widths } as const,
    reason: `${counted(numBlocks, "convolution")} of ${widths.join(", ")} channels: for ${count(Math.round(numTrain))} training images and ${counted(cores, "core")}`,
  };
}

function splitReason(hasValidation: boolean, hasTest: boolean): string {
  const share = `${100 * SHARE} %`;
  if (hasTest && hasValidation) return "validation and test images of their own";
  const by = "by the hash of the pixels, each class in proportion, equal images together";
  if (hasTest) return `test images of their own; ${share} for validation, ${by}`;
  return `${share} for validation and ${share} for test, ${by}`;
}

function stepsReason(numSteps: number, batch: number, perGroup: number): string {
  return `${count(numSteps)}: each image is seen ${times((numSteps * batch) / perGroup)} times; stopped before when validation no longer improves`;
}

/** An inferred run on images. */
export interface InferredImages {
  readonly name: string;
  readonly source: readonly string[];
  readonly classes?: readonly string[] | undefined;
  /** Paths of images of their own; none for a share. */
  readonly validation: readonly string[];
  readonly test: readonly string[];
  readonly plan: ImagePlan;
}

/** The configuration as a value. */
export function imageConfigurationOf(inferred: InferredImages): ImageRunInput {
  const { name, classes, validation, test, plan } = inferred;
  const pathOf = (paths: readonly string[]) => (paths.length === 1 ? (paths[0] as string) : [...paths]);
  const split = (paths: readonly string[]) => (paths.length === 0 ? SHARE : { source: pathOf(paths) });
  return {
    name,
    data: {
      kind: "images",
      source: pathOf(inferred.source),
      ...(classes && { classes: [...classes] }),
      ...(plan.side !== null && { size: plan.side, channels: plan.channels }),
      ...(plan.fit !== "crop" && { fit: plan.fit }),
      validation: split(validation),
      test: split(test),
      augment: plan.augment,
      ...(plan.maxBadImages > 0 && { maxBadImages: plan.maxBadImages }),
    },
    model: plan.model,
    optimizer: { kind: "adam", learningRate: 2e-3, schedule: "cosine", warmUp: "5%" },
    numGroups: plan.numGroups,
    numSteps: plan.numSteps,
    globalBatchSize: plan.globalBatchSize,
    earlyStopping: { patience: plan.patience },
    validationInterval: plan.validationInterval,
    checkpointInterval: plan.validationInterval,
  };
}

/** The same as the text of `codistill.config.ts`, with the reasons as comments. */
export function imageConfigurationText(inferred: InferredImages): string {
  const { reasons, maxBadImages } = inferred.plan;
  const comments = new Map([
    ["data.size", reasons.size],
    ["data.validation", reasons.split],
    ["data.augment", reasons.changes],
    [
      "data.maxBadImages",
      `${counted(maxBadImages, "image")}, a hundredth, may be damaged, and then left out and named`,
    ],
    ["model", reasons.model],
    ["optimizer", reasons.rate],
    ["numGroups", reasons.groups],
    ["numSteps", reasons.steps],
    ["globalBatchSize", reasons.batch],
  ]);
  return configurationFile("the images", imageConfigurationOf(inferred), comments);
}
