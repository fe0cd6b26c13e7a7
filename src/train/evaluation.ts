/** Evaluates predictions against labels: metrics with intervals, by class, by slice. */

import type { Metrics, TaskKind } from "../log/events.js";
import type { Key } from "../runtime/random.js";
import { confidence, decidesYes, decisions } from "./class-metrics.js";
import { type Estimates, estimatesOf } from "./estimates.js";
import type { Predictions } from "./evaluate.js";
import { type Coverage, coverageOf, type Errors } from "./intervals.js";
import { meanOf, totalOf, weightsOf } from "./metrics.js";
import { type ReliabilityBin, reliability } from "./reliability.js";
import type { Task } from "./task.js";
import { type Costs, type ThresholdAdvice, thresholdAdvice } from "./thresholds.js";

/**
 * Figures of one class: how often it is the label, how often the decision, and how often both. Shares and means are
 * weighted where rows have weights; numbers of rows are not.
 */
export interface ClassFigures {
  readonly name: string;
  readonly rows: number;
  readonly decided: number;
  /** Share of the decisions for the class that are right; NaN when there are none. */
  readonly precision: number;
  /** Share of the class's rows that are decided for it; NaN when there are none. */
  readonly recall: number;
  /** Mean predicted probability of the class over all rows; in a calibrated model, the class's share of the rows. */
  readonly meanProbability: number;
}

export interface SliceFigures {
  readonly name: string;
  readonly rows: number;
  readonly metrics: { readonly loss: number } & Metrics;
  readonly estimates: Estimates;
  /** Means of the predictions and of the labels; null with several classes. */
  readonly meanPrediction: number | null;
  readonly meanLabel: number | null;
}

export interface Evaluation extends Omit<SliceFigures, "name"> {
  readonly task: TaskKind;
  readonly lossName: string;
  /** Empty for numbers. */
  readonly classes: readonly ClassFigures[];
  /**
   * Rows by the predicted probability of the positive label, or of the class that is decided for, and how often it was
   * the label; empty for numbers.
   */
  readonly reliability: readonly ReliabilityBin[];
  /** How often intervals of numbers hold the label; only where the errors of a model are known. */
  readonly coverage?: readonly Coverage[];
  /** Thresholds by what wrong decisions cost; only where costs were given. */
  readonly thresholds?: ThresholdAdvice;
  /** The largest first. */
  readonly slices: readonly SliceFigures[];
  /** Rows of slices that are left out for being too many. */
  readonly numOtherRows: number;
}

export interface EvaluationOptions {
  /** Names of the classes, of binary labels the negative and the positive one. */
  readonly classes: readonly string[] | null;
  /** The slice of each row. */
  readonly slices?: readonly string[] | undefined;
  /** What wrong decisions cost, for a binary task, and the key of the halves that judge thresholds. */
  readonly costs?: (Costs & { readonly key: Key }) | undefined;
  /** The errors of a model of numbers on rows that it has not learned from. */
  readonly errors?: Errors | null | undefined;
  /** The most slices to report; 50 by default. */
  readonly mostSlices?: number | undefined;
}

/** Evaluate predictions of a task; there is at least one row. */
export function evaluation(task: Task, predictions: Predictions, options: EvaluationOptions): Evaluation {
  const { slices = [], costs, errors, mostSlices = 50 } = options;
  const { name: _, ...whole } = sliceOf(task, "", predictions);
  const rowsOf = new Map<string, number[]>();
  slices.forEach((name, row) => {
    const rows = rowsOf.get(name);
    if (rows) rows.push(row);
    else rowsOf.set(name, [row]);
  });
  const largestFirst = [...rowsOf].sort(([a, x], [b, y]) => y.length - x.length || (a < b ? -1 : 1));
  return {
    task: task.kind,
    lossName: task.lossName,
    ...whole,
    classes: classFigures(task.kind, predictions, options.classes ?? []),
    reliability: reliabilityOf(task.kind, predictions),
    ...(errors && task.errorScale && { coverage: coverageOf(predictions, errors, task.errorScale) }),
    ...(costs && { thresholds: thresholdAdvice(predictions, costs, costs.key) }),
    slices: largestFirst.slice(0, mostSlices).map(([name, rows]) => sliceOf(task, name, part(predictions, rows))),
    numOtherRows: largestFirst.slice(mostSlices).reduce((sum, [, rows]) => sum + rows.length, 0),
  };
}

function sliceOf(task: Task, name: string, predictions: Predictions): SliceFigures {
  const { probs, labels, weights } = predictions;
  const hasMeans = task.kind !== "multiclass";
  return {
    name,
    rows: labels.length,
    metrics: task.measure(predictions),
    estimates: estimatesOf(task.kind, predictions),
    meanPrediction: hasMeans ? meanOf(probs, weights) : null,
    meanLabel: hasMeans ? meanOf(labels, weights) : null,
  };
}

/** Some rows of predictions. */
function part({ probs, labels, weights }: Predictions, rows: readonly number[]): Predictions {
  const width = probs.length / labels.length;
  const own =
    probs instanceof Float64Array ? new Float64Array(rows.length * width) : new Float32Array(rows.length * width);
  for (const [i, row] of rows.entries()) own.set(probs.subarray(row * width, (row + 1) * width), i * width);
  const pick = (_: unknown, i: number) => labels[rows[i] as number] as number;
  const like = { length: rows.length };
  return {
    probs: own,
    ...(weights && { weights: Float64Array.from(rows, (row) => weights[row] as number) }),
    labels:
      labels instanceof Int32Array
        ? Int32Array.from(like, pick)
        : labels instanceof Float64Array
          ? Float64Array.from(like, pick)
          : Float32Array.from(like, pick),
  };
}

function classFigures(task: TaskKind, predictions: Predictions, names: readonly string[]): ClassFigures[] {
  const { probs, labels, weights } = predictions;
  const weightOf = weightsOf(weights);
  if (task === "regression") return [];
  const isBinary = task === "binary";
  const numClasses = names.length;
  const decided = isBinary ? Int32Array.from(probs, (p) => Number(decidesYes(p))) : decisions(probs, numClasses);
  const none = { rows: 0, decided: 0, labelled: 0, chosen: 0, right: 0, sum: 0 };
  const counts = Array.from({ length: numClasses }, () => ({ ...none }));
  labels.forEach((label, i) => {
    const decision = decided[i] as number;
    const weight = weightOf(i);
    counts[label]!.rows++;
    counts[decision]!.decided++;
    counts[label]!.labelled += weight;
    counts[decision]!.chosen += weight;
    if (decision === label) counts[label]!.right += weight;
    counts.forEach((count, k) => {
      const p = isBinary ? (probs[i] as number) : (probs[i * numClasses + k] as number);
      count.sum += weight * (isBinary && k === 0 ? 1 - p : p);
    });
  });
  const total = totalOf(labels.length, weights);
  return counts.map(({ rows, decided, labelled, chosen, right, sum }, k) => ({
    name: names[k] ?? "",
    rows,
    decided,
    precision: right / chosen,
    recall: right / labelled,
    meanProbability: sum / total,
  }));
}

function reliabilityOf(task: TaskKind, { probs, labels, weights }: Predictions): ReliabilityBin[] {
  if (task === "regression") return [];
  if (task === "binary") return reliability(probs, (i) => labels[i] === 1, weights);
  const { predicted, isHit } = confidence(probs, labels);
  return reliability(predicted, isHit, weights);
}
