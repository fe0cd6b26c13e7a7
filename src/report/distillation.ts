/** A distillation as a table: the groups of each generation, their ensemble, and how much of its gain the student keeps. */
import type { RunResult, TestMetrics } from "../log/events.js";
import { count, fittedTable, loss, percent, wrapped } from "./format.js";
import { noteLines, testColumns } from "./result.js";

/** The outcome of a distillation. */
export interface DistillationResult {
  /** What the losses are, in words. */
  readonly lossName: string;
  /** The result of each generation's run, the student's last. */
  readonly generations: readonly (RunResult & { readonly generation: number })[];
  /**
   * The share of the gain of the first generation's ensemble over its groups, in test loss, that the last generation's model keeps; null
   * where there is no ensemble, or it gains nothing.
   */
  readonly kept: number | null;
}

/** (mean loss of the first groups - loss of the last model) / (the same mean - loss of the first ensemble). */
export function gainKept(results: readonly RunResult[]): number | null {
  const [first, last] = [results[0], results.at(-1)];
  const student = last?.groups.find(({ group }) => group === last.shippedGroup);
  if (!first?.ensemble || !student) return null;
  const alone = meanLoss(first.groups);
  const gain = alone - first.ensemble.testLoss;
  return gain > 0 ? (alone - student.testLoss) / gain : null;
}

function meanLoss(groups: readonly TestMetrics[]): number {
  return groups.reduce((sum, { testLoss }) => sum + testLoss, 0) / groups.length;
}

/** What the first ensemble gains and what of it the student keeps, in words where a share would mislead. */
function keptLine({ generations, kept }: DistillationResult): string {
  const [first, last] = [generations[0], generations.at(-1)];
  const student = last?.groups.find(({ group }) => group === last.shippedGroup);
  if (!first?.ensemble || !student) return "";
  const alone = meanLoss(first.groups);
  const gained = (by: number) => (by > 0 ? `${loss(by)} below` : `${loss(-by)} above`);
  const figures = `in test loss, the first generation's ensemble is ${gained(alone - first.ensemble.testLoss)} the mean of its groups, and the student, one model, ${gained(alone - student.testLoss)} it`;
  const share =
    kept === null
      ? "there is no gain to keep"
      : kept < 0
        ? "the student keeps none of the gain"
        : kept > 1
          ? "the student keeps all of the gain, and is better than the ensemble"
          : `the student keeps ${percent(kept)} of the gain`;
  return `${share}: ${figures}`;
}

/** A line for each group and each ensemble, and what the student keeps. */
export function distillationLines(result: DistillationResult, width = Number.POSITIVE_INFINITY): string[] {
  const { generations, lossName } = result;
  const { titles, cells } = testColumns(
    generations.flatMap(({ groups }) => groups),
    lossName,
  );
  const rows = generations.flatMap(({ generation, groups, ensemble }) => [
    ...groups.map((one) => [`generation ${generation}, group ${one.group}`, count(one.step), ...cells(one)]),
    ...(ensemble ? [[`generation ${generation}, ensemble`, "", ...cells(ensemble)]] : []),
  ]);
  const last = generations.at(-1);
  const line = generations[0]?.ensemble ? wrapped(keptLine(result), width) : [];
  return [
    ...fittedTable([["", "at step", ...titles], ...rows], width),
    ...line,
    ...noteLines(last?.weight, last?.remarks ?? [], width),
  ];
}
