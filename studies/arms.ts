/** What a study compares. */

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
  { name: "single", what: "two groups that train alone, each on its half", options: ["algorithm.distillWeight=0"] },
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
