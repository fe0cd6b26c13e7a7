/** What to say of a model of a table beside its yardsticks. */
import type { RunResult, TestMetrics, Yardstick } from "../log/events.js";
import { counted, firstNames, loss } from "../report/format.js";

/** Remarks on a model beside yardsticks: that it is no better than one of them, and what may help. */
export function remarksOnTable(
  { testLoss }: TestMetrics,
  lossName: string,
  [constant, alone]: readonly Yardstick[],
): readonly string[] {
  const figures = (other: Yardstick, what: string) =>
    `${lossName} ${loss(testLoss)}, and ${loss(other.testLoss)} by ${what}`;
  const gain = constant && alone ? constant.testLoss - alone.testLoss : 0;
  if (constant && alone && gain > LEAST_GAIN * constant.testLoss && !(testLoss <= alone.testLoss + MOST_LOST * gain))
    return [
      `one feature alone tells more of the label than the model: ${figures(alone, alone.name)}. Train for more steps (numSteps) or with another optimizer.learningRate; if that does not help, give the feature in a form that a network learns easily: few values as names (data.categorical), a long tail as its logarithm, a time as its hour or month.`,
    ];
  if (constant && !(testLoss < constant.testLoss))
    return [
      `the model is no better than one answer to all rows: ${figures(constant, `the ${constant.name}`)}. Either the features tell nothing of the label, or training has not learned it: try more steps (numSteps), a lower optimizer.learningRate, or other columns.`,
    ];
  return [];
}

/** A remark where fixed teachers tell less of the labels than one answer to all rows, and what may be wrong with them. */
export function teacherRemarks(
  { teachers, task, lossName = "loss" }: Pick<RunResult, "teachers" | "task" | "lossName">,
  [constant]: readonly Yardstick[],
): string[] {
  if (!teachers || !constant || teachers.testLoss < constant.testLoss) return [];
  const { testAuc } = teachers;
  const isTurned = task === "binary" && typeof testAuc === "number" && testAuc < 0.5;
  const cure = isTurned
    ? `They rank the rows the wrong way round (AUC ${loss(testAuc)}): a column may hold the probability of the other class than the positive one. Give 1 - p in its place, or choose the other class as the positive one (--positive, data.positive).`
    : `Check that they predict this label${task === "regression" ? ", in its unit" : ""}; if they do, let them make less of the loss (teacherWeight).`;
  return [
    `the teachers are no better than one answer to all rows: ${lossName} ${loss(teachers.testLoss)}, and ${loss(constant.testLoss)} by the ${constant.name}. ${cure}`,
  ];
}

/** A remark where chance decided which feature alone is the best. */
export function rivalRemarks(yardsticks: readonly Yardstick[], numRows: number): string[] {
  return yardsticks.flatMap(({ name, rivals = [] }) =>
    rivals.length === 0
      ? []
      : [
          `which feature alone tells most is within chance: on ${counted(numRows, "validation row")} ${firstNames(rivals, 3)} did as well as ${name}`,
        ],
  );
}

/**
 * The share of the constant's loss by which one feature alone must be better to count, and the share of that gain which
 * a model may lack.
 */
const [LEAST_GAIN, MOST_LOST] = [0.01, 0.05];
