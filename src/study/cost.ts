/** What the arms of a comparison cost: machines, examples, and passes of the network, by a model that leaves out all but these. */
import { teachersOf } from "../codistill/topology.js";
import type { RunConfig } from "../run/schema.js";
import type { Outcome } from "./outcome.js";
import { mean } from "./statistics.js";
import { teacherSteps } from "./taught.js";

/** A backward pass counts as two forward ones. */
const TRAINING_PASSES = 3;

/** What the model that an arm ships has cost after some steps. Groups that it owes nothing to do not count. */
export interface Cost {
  /** Groups that it took, in groups with the batch of the configuration. */
  readonly machines: number;
  /** Whether groups teach one another, and so send weights. */
  readonly exchanges: boolean;
  /** Examples that were read by then. */
  readonly examples: (step: number) => number;
  /**
   * Forward passes of an example through the network by then: 3 for each that is learned from, 1 for each teacher that sees it. With
   * the teachers that the groups of a run had, as its log has them; else with all of them from the end of burn-in on.
   */
  readonly passes: (step: number, taught?: Outcome["taught"]) => number;
}

/** The cost of an arm with some configuration; `batch` is that of the configuration that all arms change. */
export function costOf(
  config: RunConfig,
  { isEnsemble, batch }: { readonly isEnsemble: boolean; readonly batch: number },
): Cost {
  const { algorithm, numGroups, globalBatchSize } = config;
  const isAlone = algorithm.kind === "plain" || numGroups === 1;
  // Teachers of random weights and one's own copy are no work of other groups.
  const owes = !isAlone && !("control" in algorithm && (algorithm.control === "own" || algorithm.control === "random"));
  const students = algorithm.kind === "mutual" ? algorithm.students : 1;
  const groups = students * (owes || isEnsemble ? numGroups : 1);
  const examples = (step: number) => groups * globalBatchSize * step;
  const numTeachers = isAlone ? 0 : meanTeachers(config);
  const teachesFrom = "burnInSteps" in algorithm ? algorithm.burnInSteps : 0;
  const share = "distillShare" in algorithm ? algorithm.distillShare : 1;
  const teaching = (step: number, taught: Outcome["taught"]) =>
    taught === undefined
      ? numTeachers * Math.max(0, step - teachesFrom)
      : mean(taught.slice(0, groups).map((group) => teacherSteps(group, step)));
  return {
    exchanges: !isAlone,
    machines: (groups * globalBatchSize) / batch,
    examples,
    passes: (step, taught) => TRAINING_PASSES * examples(step) + share * examples(teaching(step, taught)),
  };
}

/** The forward passes of a whole run, all of its groups together. */
export function passesOfRun(config: RunConfig, batch: number): number {
  return costOf(config, { isEnsemble: true, batch }).passes(config.numSteps);
}

/** How many teachers a group has on average. */
function meanTeachers({ algorithm, numGroups }: RunConfig): number {
  if (!("topology" in algorithm)) return 0;
  if (algorithm.control === "own") return 1;
  const { topology } = algorithm;
  const counts = Array.from({ length: numGroups }, (_, group) => teachersOf(topology, group, numGroups).length);
  return counts.reduce((sum, count) => sum + count, 0) / numGroups;
}
