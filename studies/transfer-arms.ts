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

/** A way to train, and its settings: of several the one is taken that is best on validation with the first seed. */
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
    name: "weight decay 1",
    options: [
      'optimizer={"kind":"adamW","learningRate":0.002,"schedule":"linear","weightDecay":{"rate":1,"except":["*.bias"]}}',
    ],
  },
];

/** Settings were fixed before the first run, but for the weight of 0.5 of consolidation, which was added when that of 0.9 had been seen. */
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
    what: "two generations of half of the steps; the second begins anew, and both finished models of the first make half of its loss",
    settings: [{ name: "weight 0.5", options: [...ALONE, "teacherWeight=0.5"] }],
    isInGenerations: true,
  },
  {
    name: "fresh inputs",
    what: "codistilled, and taught on a copy of the batch in which each value is with probability 0.3 that of another row",
    settings: [{ name: "p 0.3", options: ["algorithm.freshInputs=0.3"] }],
  },
  {
    name: "Gram matrices",
    what: "codistilled, and taught by the last hidden layer too, with weight 1",
    settings: [{ name: "weight 1", options: ["algorithm.gramWeight=1"] }],
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
    what: "codistilled, with dropout",
    settings: [{ name: "neither", options: [], isReference: CODISTILLED }, ...regularised.slice(0, 1)],
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

/** The run of a recipe with a setting and a seed. */
export function planned(recipe: Recipe, setting: Setting, seed: number): Planned {
  const steps = recipe.isInGenerations ? STEPS / 2 : STEPS;
  const arm = (name: string, options: readonly string[]): Arm => ({
    name: name.replaceAll(/[^a-zA-Z0-9.]+/g, "-"),
    what: `${recipe.what}; ${setting.name}`,
    options,
  });
  return {
    recipe,
    setting,
    trial: { arm: arm(setting.isReference ?? `${recipe.name} ${setting.name}`, setting.options), seed, steps },
    teachers: recipe.isInGenerations ? { arm: arm("first generation", ALONE), seed, steps } : null,
  };
}
