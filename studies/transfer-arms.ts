/** Recipes by which one model may keep more of an ensemble's gain. */
import type { Arm, Trial } from "./arms.js";
import { CODISTILLED, SINGLE, STEPS } from "./flights-figures.js";

/** A value of a recipe's setting. */
export interface Setting {
  readonly name: string;
  readonly options: readonly string[];
  /** The reference whose runs these are, where a setting changes nothing of it. */
  readonly isReference?: string;
}

/** A way to train, and its settings: of several the one is taken that is best a month earlier, as {@link planned} says. */
export interface Recipe {
  readonly name: string;
  readonly what: string;
  readonly settings: readonly Setting[];
  /** Two generations of half of the steps each: the second is taught by both finished models of the first. */
  readonly isInGenerations?: boolean;
}

const ALONE = ["algorithm.distillWeight=0"];

/** Half of the gradient is of the labels, as in the sum with weight 1. */
const CONVEX = ["algorithm.mix=convex", "algorithm.distillWeight=0.5"];

/** Decoupled weight decay and dropout, to which groups that train alone and groups that codistil may answer differently. */
const regularised: readonly Setting[] = [
  {
    name: "dropout 0.1",
    options: [
      'model={"kind":"mlp","embeddings":{"origin":16,"destination":16,"halfHour":8,"weekday":4,"route":16},"hidden":[128,64],"dropout":0.1}',
    ],
  },
  {
    name: "weight decay 0.1",
    options: [
      'optimizer={"kind":"adamW","learningRate":0.002,"schedule":"linear","weightDecay":{"rate":0.1,"except":["*.bias"]}}',
    ],
  },
];

/**
 * Settings that are tried. Of an earlier version of this study, which chose by the week beside training, some were known to be bad in
 * June as well (weight decay 1), and are left out.
 */
export const recipes: readonly Recipe[] = [
  {
    name: "consolidated",
    what:
      "codistilled for 70 % of the steps; then three snapshots each of both groups are frozen and teach, and the learning rate begins again at " +
      "0.4 of its peak",
    settings: [0.9, 0.5].map((weight) => ({
      name: `weight ${weight}`,
      options: [...CONVEX, `algorithm.consolidate={"weight":${weight}}`],
    })),
  },
  {
    name: "generations",
    what: "two generations of half of the steps; the second begins anew, and both finished models of the first make the weight's share of its loss",
    settings: [0.5, 0.9].map((weight) => ({
      name: `weight ${weight}`,
      options: [...ALONE, `teacherWeight=${weight}`],
    })),
    isInGenerations: true,
  },
  {
    name: "fresh inputs",
    what: "codistilled, and taught on a copy of the batch in which each value is with probability p that of another row",
    settings: [0.1, 0.3].map((p) => ({ name: `p ${p}`, options: [`algorithm.freshInputs=${p}`] })),
  },
  {
    name: "Gram matrices",
    what: "codistilled, and taught by the last hidden layer too",
    settings: [0.1, 1].map((weight) => ({ name: `weight ${weight}`, options: [`algorithm.gramWeight=${weight}`] })),
  },
  {
    name: "single, regularised",
    what: "two groups that train alone, with dropout or weight decay",
    settings: [
      { name: "neither", options: ALONE, isReference: SINGLE },
      ...regularised.map(({ name, options }) => ({ name, options: [...ALONE, ...options] })),
    ],
  },
  {
    name: "codistilled, regularised",
    what: "codistilled, with dropout or weight decay",
    settings: [{ name: "neither", options: [], isReference: CODISTILLED }, ...regularised],
  },
];

/** What every recipe is held against. */
export const references: readonly Arm[] = [
  { name: SINGLE, what: "two groups that train alone, each on its half", options: ALONE },
  { name: CODISTILLED, what: "two groups that codistil, each on its half", options: [] },
];

/** A run, and that of its teachers where it has finished ones. */
export interface Planned {
  readonly recipe: Recipe;
  readonly setting: Setting;
  readonly trial: Trial;
  readonly teachers: Trial | null;
}

/** The seeds by which settings are chosen, which no arm is compared with. */
export const choosingSeeds = [11, 12];

/** A month before the recipe's splits: as many days lie between training and the rows that are scored. */
const MONTH_EARLIER = [
  "data.split.train=date < '2001-04-24'",
  "data.split.validation=date >= '2001-04-24' AND date < '2001-05-01'",
  "data.split.test=date >= '2001-05-01' AND date < '2001-06-01'",
];

/**
 * The run of a recipe with a setting and a seed; or the same run a month earlier, by which settings are chosen: trained to the end
 * of April and scored on May, it knows nothing of June, and May is as far from its training as June is from that of the recipe.
 */
export function planned(recipe: Recipe, setting: Setting, seed: number, isEarlier = false): Planned {
  const steps = recipe.isInGenerations ? STEPS / 2 : STEPS;
  const arm = (name: string, options: readonly string[]): Arm => ({
    name: `${isEarlier ? "earlier " : ""}${name}`.replaceAll(/[^a-zA-Z0-9.]+/g, "-"),
    what: `${recipe.what}; ${setting.name}`,
    options: [...(isEarlier ? MONTH_EARLIER : []), ...options],
  });
  return {
    recipe,
    setting,
    trial: { arm: arm(setting.isReference ?? `${recipe.name} ${setting.name}`, setting.options), seed, steps },
    teachers: recipe.isInGenerations ? { arm: arm("first generation", ALONE), seed, steps } : null,
  };
}
