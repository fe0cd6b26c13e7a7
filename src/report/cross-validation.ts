/** A cross-validation as a table: each fold, their mean and spread, and all rows together. */
import type { RunResult, TestMetrics } from "../log/events.js";
import { count, fittedTable, wrapped } from "./format.js";
import { noteLines, teachersLine, testColumns } from "./result.js";

/** The test metrics of one run, on the fold that it did not train on. */
export type FoldScore = { readonly fold: number; readonly rows: number } & TestMetrics;

/** The outcome of a cross-validation. */
export interface CrossValidationResult {
  /** What was learned; binary where a result of an older version does not say. */
  readonly task?: RunResult["task"];
  /** What the losses are, in words. */
  readonly lossName: string;
  /** The weight of a row as SQL, where metrics weight rows. */
  readonly weight?: string;
  readonly folds: readonly FoldScore[];
  /** Over the folds, each counting alike. */
  readonly mean: TestMetrics;
  /** The standard deviation over the folds, divided by the root of their number. */
  readonly standardError: TestMetrics;
  /** Of all rows that some fold tests, each predicted by the model of that fold; null where classes differ. */
  readonly outOfFold: ({ readonly rows: number } & TestMetrics) | null;
  /** Of fixed teachers, the mean over the folds of their scores and of how far the models are from them. */
  readonly teachers?: RunResult["teachers"];
  /** Runs in which a group failed: they are scored by its last best checkpoint. */
  readonly numFailed: number;
  readonly remarks: readonly string[];
}

/** Why a standard error over folds is not what it is over samples. */
export const FOLDS_OVERLAP =
  "the standard error takes the folds for independent, and they share most of their training rows: it is rather too small (Bengio and Grandvalet 2004)";

/** Mean and standard error over the folds of every metric that all of them have. */
export function overFolds(folds: readonly TestMetrics[]): {
  readonly mean: TestMetrics;
  readonly standardError: TestMetrics;
} {
  const names = Object.keys(folds[0] ?? {}).filter((name) => name.startsWith("test")) as (keyof TestMetrics)[];
  const figures = names.flatMap((name) => {
    const values = folds.map((fold) => fold[name]);
    return values.every((value) => typeof value === "number") ? [[name, values as number[]] as const] : [];
  });
  const of = (measure: (values: readonly number[]) => number) =>
    Object.fromEntries(figures.map(([name, values]) => [name, measure(values)])) as unknown as TestMetrics;
  return { mean: of(meanOf), standardError: of(standardErrorOf) };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function standardErrorOf(values: readonly number[]): number {
  const mean = meanOf(values);
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1) / values.length);
}

/** A line for each fold, then mean, standard error and the figures of all rows, then what to beware of. */
export function crossValidationLines(result: CrossValidationResult, width = Number.POSITIVE_INFINITY): string[] {
  const { folds, mean, standardError, outOfFold, lossName, weight, remarks, teachers, task = "binary" } = result;
  const { titles, cells } = testColumns(folds, lossName);
  const rows = [
    ...folds.map((one) => [`fold ${one.fold} of ${folds.length}`, count(one.rows), ...cells(one)]),
    ["mean of the folds", "", ...cells(mean)],
    ["standard error", "", ...cells(standardError)],
    ...(teachers ? [["teachers, mean of the folds", "", ...cells(teachers)]] : []),
    ...(outOfFold ? [["all rows, out of fold", count(outOfFold.rows), ...cells(outOfFold)]] : []),
  ];
  return [
    ...fittedTable([["", "tested rows", ...titles], ...rows], width),
    ...(teachers ? wrapped(`over the folds, ${teachersLine(teachers, task, weight)}`, width) : []),
    ...noteLines(weight, remarks, width),
  ];
}
