/** Runs on images: pixels with a class each. */
import { z } from "zod";
import {
  commonOptions,
  inFull,
  labelNoiseSchema,
  regimeSchema,
  runName,
  sharesSchema,
  sourceSchema,
} from "../common-schema.js";
import type { ImageRunInput } from "../input/run.js";
import { imageModelSchema } from "../model-schema.js";
import { imageTaskInFull, imageTaskSchema } from "../task-schema.js";
import type { DataKind } from "./kind.js";

/** The largest side of the images that a network reads. */
const MAX_SIDE = 1024;

const side = z.int().positive().max(MAX_SIDE);

const imageSplit = z.union(
  [z.number().positive().lt(1), z.strictObject({ source: sourceSchema })],
  "must be a share above 0 and below 1, or { source }",
);

const share = z.number().positive().max(1);
const ratio = z.number().positive();
const DEFAULT_CROP = { area: [0.25, 1], ratio: [3 / 4, 4 / 3] } as const;

const resizedCropSchema = z.union(
  [
    z.boolean(),
    z.strictObject({ area: z.tuple([share, share]).optional(), ratio: z.tuple([ratio, ratio]).optional() }),
  ],
  "must be true, false or { area: [least, most], ratio: [least, most] }",
);

const strength = z.number().min(0).max(1);

const jitterSchema = z.union(
  [
    strength,
    z.strictObject({
      brightness: strength.optional(),
      contrast: strength.optional(),
      saturation: strength.optional(),
    }),
  ],
  "must be a number from 0 to 1, or { brightness, contrast, saturation }",
);

/** Of Beta(a, a), beyond which all mixtures are halves. */
const MAX_MIXUP = 1000;

const augmentSchema = z.strictObject({
  padCrop: z.int().nonnegative().max(MAX_SIDE).optional(),
  resizedCrop: resizedCropSchema.optional(),
  flip: z.boolean().optional(),
  jitter: jitterSchema.optional(),
  mixup: z.number().nonnegative().max(MAX_MIXUP).optional(),
});

const imageDataSchema = z.strictObject({
  kind: z.literal("images"),
  source: sourceSchema,
  classes: z.array(z.string().min(1)).min(2).optional(),
  image: z.string().min(1).optional(),
  label: z.string().min(1).optional(),
  size: z.union([side, z.tuple([side, side])], `must be a side from 1 to ${MAX_SIDE}, or [height, width]`).optional(),
  channels: z.literal([1, 3], "must be 1 or 3").optional(),
  fit: z.enum(["crop", "pad", "stretch"]).default("crop"),
  augment: augmentSchema.optional(),
  validation: imageSplit.default(0.1),
  test: imageSplit.default(0.1),
  splitSeed: z.int().nonnegative().default(1),
  maxBadImages: z.int().nonnegative().default(0),
  maxPixels: z.int().positive().default(100_000_000),
  labelNoise: labelNoiseSchema,
  regime: regimeSchema,
  shares: sharesSchema,
});

const imageRunSchema = z
  .strictObject({
    name: runName,
    data: imageDataSchema,
    task: imageTaskSchema.optional(),
    model: imageModelSchema,
    ...commonOptions,
  })
  .transform((run) => ({ ...inFull(run), task: imageTaskInFull(run.task) }));

/** A configuration of a run on images. */
export type ImageRunConfig = z.output<typeof imageRunSchema>;

export const imageKind: DataKind<typeof imageRunSchema, ImageRunInput> = {
  noun: "images",
  schema: imageRunSchema,
  isDocumented: true,
  problems: ({ data, model, ...rest }) => [
    ...shareProblems(data),
    ...classProblems(data),
    ...augmentProblems(data),
    ...mixupProblems(data, rest),
    ...sizeProblems(data, model),
  ],
  located: (config, absolute) => ({ ...config, data: dataLocated(config.data, absolute) }),
  ownFiles: {},
  numPerStep: ({ globalBatchSize }) => globalBatchSize,
  numToTrain: ({ rows }) => rows.train,
  isDealtByChance: () => true,
  usage: (_, model) => ({
    signature: "pixels as uint8 [batch, height, width, channels] in, the probability of each class out",
    command: `predict ${model} <images or folders>`,
    docs: "docs/images.md",
  }),
};

/** How images of a run are changed, each by itself, with every option. */
export function augmentationOf({ augment = {} }: Pick<ImageRunConfig["data"], "augment">) {
  const { resizedCrop = false, jitter, mixup: _, ...rest } = augment;
  const crop = resizedCrop === true ? {} : resizedCrop;
  const { area = DEFAULT_CROP.area, ratio = DEFAULT_CROP.ratio } = crop || {};
  const all = (x: number) => ({ brightness: x, contrast: x, saturation: x });
  return {
    ...rest,
    ...(crop !== false && { resizedCrop: { area, ratio } }),
    ...(jitter !== undefined && { jitter: typeof jitter === "number" ? all(jitter) : jitter }),
  };
}

/** The parameter of the shares by which images are mixed; 0 where they are not. */
export function mixupOf({ augment = {} }: Pick<ImageRunConfig["data"], "augment">): number {
  return augment.mixup ?? 0;
}

/** All paths of images made absolute. */
function dataLocated(data: ImageRunConfig["data"], absolute: (path: string) => string): ImageRunConfig["data"] {
  const all = (source: string | readonly string[]) => [source].flat().map(absolute);
  const split = (which: typeof data.validation) => (typeof which === "number" ? which : { source: all(which.source) });
  return { ...data, source: all(data.source), validation: split(data.validation), test: split(data.test) };
}

function mixupProblems(
  data: ImageRunConfig["data"],
  { globalBatchSize, accumulate }: Pick<ImageRunConfig, "globalBatchSize" | "accumulate">,
): string[] {
  const size = globalBatchSize / accumulate;
  return mixupOf(data) > 0 && size < 2
    ? [
        `data.augment.mixup: mixes images of a batch, which needs two at least, and globalBatchSize / accumulate is ${size}; raise it, or leave mixup out`,
      ]
    : [];
}

function shareProblems({ validation, test }: ImageRunConfig["data"]): string[] {
  const sum = [validation, test].reduce<number>((sum, split) => sum + (typeof split === "number" ? split : 0), 0);
  return sum >= 1 ? [`data: the shares of validation and test must be below 1 together, got ${sum}`] : [];
}

/** Why a network does not fit images of this height and width, as a line; null where it does. */
export function networkProblem(model: ImageRunConfig["model"], size: readonly [number, number]): string | null {
  if (model.kind !== "cnn") return null;
  const numBlocks = model.widths.length;
  const least = 2 ** numBlocks;
  if (Math.min(...size) >= least) return null;
  return `model.widths: each width halves the images, and for ${numBlocks} of them the shorter side needs at least ${least} pixels; data.size is ${size.join(" x ")}. Give fewer widths, or raise data.size`;
}

function sizeProblems({ size }: ImageRunConfig["data"], model: ImageRunConfig["model"]): string[] {
  // By default the size is that of the set, which is not known yet.
  if (size === undefined) return [];
  const problem = networkProblem(model, typeof size === "number" ? [size, size] : size);
  return problem === null ? [] : [problem];
}

function classProblems({ classes = [] }: ImageRunConfig["data"]): string[] {
  const twice = classes.find((name, i) => classes.indexOf(name) !== i);
  return twice === undefined
    ? []
    : [`data.classes: must name each class once, and names ${JSON.stringify(twice)} twice`];
}

function augmentProblems(data: ImageRunConfig["data"]): string[] {
  const { padCrop = 0, resizedCrop } = augmentationOf(data);
  const problems: string[] = [];
  if (padCrop > 0 && resizedCrop)
    problems.push(`data.augment: padCrop and resizedCrop are two ways to crop; leave one out, got padCrop ${padCrop}`);
  for (const [name, [least, most]] of Object.entries(resizedCrop ?? {})) {
    if (least > most)
      problems.push(`data.augment.resizedCrop.${name}: must have the least before the most, got [${least}, ${most}]`);
  }
  return problems;
}
