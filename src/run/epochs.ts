/** How often a run reads its data. */
import type { DataSizes } from "./kinds/kind.js";
import { kindOf } from "./kinds/kinds.js";
import type { RunConfig } from "./schema.js";

/** How often the first group reads its part of the training data in all of its steps. */
export function epochsOf(config: RunConfig, sizes: DataSizes): number {
  const { numSteps, numGroups, data } = config;
  const kind = kindOf(config);
  const [read, all] = [numSteps * kind.numPerStep(config), kind.numToTrain(sizes)];
  if (data.regime === "all") return read / all;
  const [first = 1, ...others] = data.shares ?? Array.from({ length: numGroups }, () => 1);
  return read / (all * (first / others.reduce((sum, share) => sum + share, first)));
}
