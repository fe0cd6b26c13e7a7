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

/** The network of `codistill train --data` and what it is trained by, instead of the recipe's multilayer perceptron and Adam. */
const TABLE_NETWORK = [
  'model={"kind":"tabm","members":1,"hidden":[128,128],"dropout":0.1,"numericEmbedding":{"kind":"piecewise","bins":16},"embeddings":{"origin":16,"destination":16,"halfHour":14,"weekday":5,"route":16}}',
  'optimizer={"kind":"muon","learningRate":0.01,"weightDecay":{"rate":0.3,"rates":{"embeddings.*":6},"except":["*.bias","*.scale"]},"warmUp":"2%","schedule":"cosine"}',
  'task={"kind":"binary","temperature":true}',
  'ema={"decay":0.99}',
];

/** The networks that the arms can train, by name, as options. */
export const networks = { recipe: [], table: TABLE_NETWORK } as const;
export type NetworkName = keyof typeof networks;

/** The same arms with another network. */
export function withNetwork(arms: readonly Arm[], network: NetworkName): readonly Arm[] {
  return arms.map((arm) => ({ ...arm, options: [...networks[network], ...arm.options] }));
}

/** All trials: of each number of steps and each seed every arm, so that what is done so far can be compared. */
export function trialsOf(arms: readonly Arm[], seeds: readonly number[], steps: readonly number[]): Trial[] {
  return steps.flatMap((count) => seeds.flatMap((seed) => arms.map((arm) => ({ arm, seed, steps: count }))));
}

/** A name that tells a trial from every other one. */
export function trialName({ arm, seed, steps }: Trial): string {
  return `${arm.name}-${steps}-seed${seed}`;
}
