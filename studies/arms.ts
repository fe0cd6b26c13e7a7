/** What a study compares, and how a run of it is configured. */
import { loadConfig } from "../src/node/load-config.js";
import type { RunConfig } from "../src/run/schema.js";

/** One way to train, as options of a configuration beside those that all arms have. */
export interface Arm {
  readonly name: string;
  /** In a few words. */
  readonly what: string;
  readonly options: readonly string[];
}

/** One training run. */
export interface Trial {
  readonly arm: Arm;
  readonly seed: number;
  readonly steps: number;
}

/** The arms of the flights study. An ensemble needs no training: it is the mean of the two that train alone. */
export const flightsArms: readonly Arm[] = [
  { name: "single", what: "two groups that train alone, each on its half", options: ["codistill.distillWeight=0"] },
  {
    name: "twice-the-batch",
    what: "one group on all data, with twice the batch",
    options: ["numGroups=1", "globalBatchSize=4096"],
  },
  { name: "codistilled", what: "two groups that codistil, each on its half", options: [] },
  { name: "codistilled-all", what: "the same, both on all data, in orders of their own", options: ["data.regime=all"] },
  { name: "codistilled-same", what: "the same, both on the same half", options: ["data.regime=same"] },
];

/** All trials: of each number of steps and each seed every arm, so that what is done so far can be compared. */
export function trialsOf(arms: readonly Arm[], seeds: readonly number[], steps: readonly number[]): Trial[] {
  return steps.flatMap((count) => seeds.flatMap((seed) => arms.map((arm) => ({ arm, seed, steps: count }))));
}

/** A name that tells a trial from every other one. */
export function trialName({ arm, seed, steps }: Trial): string {
  return `${arm.name}-${steps}-seed${seed}`;
}

/**
 * The configuration of a trial: the recipe's, with burn-in as a share of the steps. The seed redraws everything: params, the order
 * of the data, and the halves, whose hash it salts. Arms of one seed have the same halves and, group by group, the
 * same first params.
 */
export function configOf(recipe: string, { arm, seed, steps }: Trial): Promise<RunConfig> {
  return loadConfig(recipe, [
    `seed=${seed}`,
    `numSteps=${steps}`,
    `data.shardBy=concat_ws('|', origin, destination, date, delay, distance, 'seed ${seed}')`,
    "codistill.burnInSteps=50%",
    `validationInterval=${Math.round(steps / 10)}`,
    `checkpointInterval=${Math.round(steps / 10)}`,
    ...arm.options,
  ]);
}
