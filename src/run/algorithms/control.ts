/** Controls of codistillation in a configuration: teachers from which no gain may come, or none of what others know. */
import type { RunShape } from "./kind.js";

/** The controls of codistillation. */
export type Control = "random" | "shuffled" | "own";

/** What each control has in place of the other groups' predictions. */
const words: Readonly<Record<Control, string>> = {
  random: "teachers have random weights, which never learn",
  shuffled: "teachers predict for each row what belongs to the next row of its batch",
  own: "each group is taught by an older copy of itself",
};

/** The options of codistillation on which the rules of controls depend. */
interface Controlled {
  /** Which control it is; none where it is left out. */
  readonly control?: Control | undefined;
  /** Consolidation, where there is some. */
  readonly consolidate?: unknown;
  /** The share of fresh values in what is taught. */
  readonly freshInputs: number;
  /** The share of a batch that teachers see. */
  readonly distillShare: number;
}

/** A line for each rule that a control breaks. */
export function controlProblems(options: Controlled, { numGroups, record, ...run }: RunShape): string[] {
  const { control, consolidate, freshInputs, distillShare } = options;
  if (control === undefined) return [];
  const problems: string[] = [];
  const without = (path: string, why: string) =>
    problems.push(`${path}: must be left out with algorithm.control "${control}", ${why}`);
  if (consolidate) without("algorithm.consolidate", "whose teachers are no snapshots of other groups");
  if (control !== "shuffled") {
    if (record) problems.push(`record: must be false with algorithm.control "${control}", which exchanges nothing`);
    return problems;
  }
  if (freshInputs > 0) without("algorithm.freshInputs", "whose rows are those of the batch");
  if (numGroups === 1)
    problems.push(`algorithm.control: "shuffled" is of other groups' predictions; set numGroups to 2 or more, got 1`);
  const numTaught = Math.round((distillShare * run.globalBatchSize) / run.accumulate / run.workers);
  if (numTaught < 2) {
    problems.push(
      `algorithm.control: "shuffled" needs 2 examples at least that teachers see at once, got ${numTaught}; raise globalBatchSize`,
    );
  }
  return problems;
}

/** What is said of a run that is a control, at its start and with its result; null of any other. */
export function controlRemark(algorithm: object): string | null {
  const of = (value: unknown): Control | null =>
    typeof value === "object" && value !== null && "control" in value ? (value.control as Control) : null;
  // Asynchronous SGD has the options of codistillation inside its own.
  const control = of(algorithm) ?? of(Reflect.get(algorithm, "codistill"));
  return control === null
    ? null
    : `CONTROL "${control}": ${words[control]} (algorithm.control). This run is made to be compared with, not to be used.`;
}
