/** How often a run reads its data. */
import type { DataSizes } from "./kinds/kind.js";
import { kindOf } from "./kinds/kinds.js";
import type { RunConfig } from "./schema.js";

/** How often a group reads its part of the training data in all of its steps, where the parts are equally large. */
export function epochsOf(config: RunConfig, sizes: DataSizes): number {
  const { numSteps, numGroups, data } = config;
  const kind = kindOf(config);
  const [read, all] = [numSteps * kind.numPerStep(config), kind.numToTrain(sizes)];
  return read / (data.regime === "all" ? all : all / numGroups);
}
