/** What the PyTorch twins of other ways to train are given: the networks, params and batches of the twin run, and settings of their own. */
import { curvesRun, twinData } from "./twin.js";

export const baselinesRun = {
  /** Two workers, which begin as group 0 of the twin run, each with the batches of a group. By SGD, and with few exchanges, so that no rounding grows on the way. */
  diloco: { optimizer: "sgd", localSteps: 45, outerLearningRate: 0.7, outerMomentum: 0.9 },
  /** Two students, which begin as the two groups, both with the batches of group 0. */
  mutual: { optimizer: "adam", distillWeight: 0.8 },
} as const;

const { network, seed, numGroups, numSteps, batchSize, optimizers } = curvesRun;

/** What these runs have of the twin run. */
export const sharedSettings = { network, seed, numGroups, numSteps, batchSize, optimizers };

/** The data that `baselines.py` reads. */
export function baselineData(): object {
  return { ...twinData(), run: sharedSettings, baselines: baselinesRun };
}
