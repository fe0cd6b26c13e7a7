/** Rules of a configuration that span several options. */
import { algorithmOf } from "./algorithms.js";
import { kindOf } from "./kinds/kinds.js";
import { optimizerProblems } from "./optimizer-schema.js";
import type { RunConfig } from "./schema.js";

/** A line for each rule that is broken. */
export function crossChecks(config: RunConfig): string[] {
  const problems = [
    ...optimizerProblems(config.optimizer, config.numSteps),
    ...algorithmOf(config).problems(config),
    ...kindOf(config).problems(config),
  ];
  if (config.globalBatchSize % config.accumulate !== 0) {
    problems.push(`accumulate: must divide globalBatchSize (${config.globalBatchSize}), got ${config.accumulate}`);
  }
  if (config.accumulate > 1 && config.optimizer.sparseParams?.length) {
    problems.push(
      `accumulate: must be 1 with optimizer.sparseParams, as sums of gradients are of whole tables, got ${config.accumulate}`,
    );
  }
  return problems;
}
