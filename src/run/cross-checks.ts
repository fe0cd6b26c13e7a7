/** Rules of a configuration that span several options. */
import { kindOf } from "./kinds/kinds.js";
import { optimizerProblems } from "./optimizer-schema.js";
import type { RunConfig } from "./schema.js";

/** A line for each rule that is broken. */
export function crossChecks(config: RunConfig): string[] {
  const { codistill, numSteps } = config;
  const problems = [...optimizerProblems(config.optimizer, numSteps), ...kindOf(config).problems(config)];
  if (Array.isArray(codistill.topology) && codistill.topology.length !== config.numGroups) {
    const given = codistill.topology.length;
    problems.push(
      `codistill.topology: must list the teachers of each of ${config.numGroups} groups, got ${given} lists`,
    );
  }
  if (Array.isArray(codistill.topology)) {
    for (const [group, teachers] of codistill.topology.entries()) {
      const wrong = teachers.find(
        (teacher, i) => teacher === group || teacher >= config.numGroups || teachers.indexOf(teacher) < i,
      );
      if (wrong !== undefined)
        problems.push(`codistill.topology.${group}: must hold other groups, each once, got ${wrong}`);
    }
  }
  if (codistill.mix === "convex" && Math.max(codistill.distillWeight.from, codistill.distillWeight.to) > 1) {
    problems.push('codistill.distillWeight: must be at most 1 when codistill.mix is "convex"');
  }
  if (codistill.burnInSteps > numSteps) {
    problems.push(`codistill.burnInSteps: must be at most numSteps (${numSteps}), got ${codistill.burnInSteps}`);
  }
  if (config.globalBatchSize % config.accumulate !== 0) {
    problems.push(`accumulate: must divide globalBatchSize (${config.globalBatchSize}), got ${config.accumulate}`);
  }
  if (config.accumulate > 1 && config.optimizer.touchedRows?.length) {
    problems.push(
      `accumulate: must be 1 with optimizer.touchedRows, as sums of gradients are of whole tables, got ${config.accumulate}`,
    );
  }
  return problems;
}
