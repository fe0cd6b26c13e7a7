/** Predictions for rows that a program holds as objects, and their evaluation. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { DataError } from "../../errors.js";
import type { GivenReading } from "../../reading/reading.js";
import { decidesYes, decisions } from "../../train/class-metrics.js";
import { intervalAround } from "../../train/intervals.js";
import { openDuckdb } from "../sources/duckdb.js";
import { type EvaluateOptions, type EvaluateResult, evaluate } from "./evaluate.js";
import { type DecisionOptions, type Decisions, decisionsOf } from "./served-decisions.js";
import { openModel, type Served, type ServedModel } from "./served-model.js";
import { openServedRows, servedRows } from "./served-rows.js";
import { openFiles } from "./text-files.js";

/** A value of a column: text is read as training read its files; null, undefined and numbers that are not finite are missing. */
export type CellValue = string | number | bigint | boolean | Date | null | undefined;

/** A row: values by the names of columns. Columns that the model does not read may be there too. */
export type DataRow = Readonly<Record<string, CellValue>>;

/** The prediction of a model for a row. */
export interface Prediction {
  /** The name of the class, or the number that a regression model predicts. */
  readonly prediction: string | number;
  /** The probability of each class, by its name; null for a regression model. */
  readonly probabilities: Readonly<Record<string, number>> | null;
  /** The ends of the interval around a number, where one was asked for. */
  readonly interval?: { readonly low: number; readonly high: number };
}

export interface PredictRowsOptions extends DecisionOptions {
  /** How text is read, where it differs from how training read its files. */
  readonly reading?: GivenReading | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Predict rows by an exported model, in their order.
 *
 * @param modelPath - the `model.onnx` of a run on a table
 * @throws ConfigError when there is no such file, and for a threshold or an interval that the model has none of
 * @throws CheckpointError when the file is not a model of codistill
 * @throws DataError when the rows lack a column that the model reads, or hold values that it cannot read
 * @example
 * import { predictRows } from "codistill/node";
 * const rows = [{ colour: "blue", size: 2.5 }, { colour: "red", size: null }];
 * for (const { prediction, probabilities } of await predictRows("model.onnx", rows)) {
 *   console.log(prediction, probabilities);
 * }
 */
export async function predictRows(
  modelPath: string,
  rows: readonly DataRow[],
  { threshold, interval, reading = {}, signal }: PredictRowsOptions = {},
): Promise<Prediction[]> {
  await using model = await openModel(modelPath, availableParallelism());
  const decided = decisionsOf(model, { threshold, interval });
  if (rows.length === 0) return [];
  return await inFile(rows, signal, async (file, folder) => {
    const open = await openFiles([file], { folder, signal });
    await using db = await openDuckdb(join(folder, "spill"), { reads: open.reads, signal });
    const { inputs } = await openServedRows(db, open, model, { reading });
    const predictions: Prediction[] = [];
    for await (const { inputs: columns } of servedRows(db, inputs))
      for (const one of predictionsOf(await model.predict(columns), model, decided)) predictions.push(one);
    return predictions;
  });
}

/**
 * Evaluate an exported model on rows that have its label, as {@link evaluate} does on files.
 *
 * @throws what {@link predictRows} throws, and DataError when no row has a label that the model knows
 * @example
 * import { evaluateRows } from "codistill/node";
 * const rows = [{ colour: "blue", size: 2.5, late: 1 }, { colour: "red", size: -1, late: 0 }];
 * const { metrics } = await evaluateRows("model.onnx", rows);
 * console.log(metrics.loss, metrics.auc);
 */
export async function evaluateRows(
  modelPath: string,
  rows: readonly DataRow[],
  options: Omit<EvaluateOptions, "cacheFolder" | "maxBadRows"> = {},
): Promise<EvaluateResult> {
  if (rows.length === 0) throw new DataError("evaluate: some rows must be there to be evaluated, got none");
  return inFile(rows, options.signal, (file, folder) => evaluate(modelPath, file, { ...options, cacheFolder: folder }));
}

/** Call `work` with a file of the rows, in a temporary folder. */
async function inFile<T>(
  rows: readonly DataRow[],
  signal: AbortSignal | undefined,
  work: (file: string, folder: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "codistill-rows-"));
  try {
    const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
    // Every line has every name, so that a column that some rows lack is still found.
    const lines = rows.map((row, i) => {
      const cells = names.map((name) => [name, cell(Object.hasOwn(row, name) ? row[name] : null, name, i)]);
      return `${JSON.stringify(Object.fromEntries(cells))}\n`;
    });
    const file = join(folder, "rows.jsonl");
    await writeFile(file, lines);
    return await work(file, folder);
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A value as JSON has it. */
function cell(value: unknown, name: string, row: number): string | number | boolean | null {
  if (value === undefined || value === null) return null;
  if (typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value === "bigint") return String(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  throw new DataError(
    `rows: a value must be text, a number, a boolean, a Date or null, and "${name}" of row ${row} is of type ${Array.isArray(value) ? "array" : typeof value}. Give each part of it a column of its own.`,
  );
}

function predictionsOf(
  { predicted }: Served,
  { task, classes }: ServedModel,
  { threshold, offsets }: Decisions,
): Prediction[] {
  if (classes === null) {
    const { errorScale } = task;
    return Array.from(predicted, (prediction) => ({
      prediction,
      probabilities: null,
      ...(offsets && errorScale && { interval: intervalAround(prediction, offsets, errorScale) }),
    }));
  }
  if (task.kind === "binary") {
    const [no = "", yes = ""] = classes;
    return Array.from(predicted, (p) => ({
      prediction: decidesYes(p, threshold) ? yes : no,
      probabilities: { [no]: 1 - p, [yes]: p },
    }));
  }
  const width = classes.length;
  return Array.from(decisions(predicted, width), (best, row) => ({
    prediction: classes[best] ?? "",
    probabilities: Object.fromEntries(classes.map((name, k) => [name, predicted[row * width + k] ?? 0])),
  }));
}
