/** `codistill churn`: how far the predictions of two exported models are apart on the rows of a table. */
import { availableParallelism } from "node:os";
import { ConfigError, DataError } from "../../errors.js";
import type { TaskKind } from "../../log/events.js";
import { count, firstNames } from "../../report/format.js";
import { joined } from "../../runtime/array.js";
import { decidesYes, decisions } from "../../train/class-metrics.js";
import { type Estimate, lossEstimate, shareEstimate } from "../../train/estimates.js";
import type { Floats } from "../../train/metrics.js";
import { localCopies } from "../sources/remote-files.js";
import { type AucChange, aucChange, labelsBeside } from "./churn-labels.js";
import { type ServedFilesOptions, withServedFiles } from "./served-files.js";
import { openModel, type ServedModel } from "./served-model.js";
import { servedRows } from "./served-rows.js";

/** `onProgress` counts the rows of both models. */
export type ChurnOptions = ServedFilesOptions;

/** Rows that the first model decides one way and the second another way. */
export interface Changed {
  readonly from: string;
  readonly to: string;
  readonly rows: number;
}

export interface ChurnResult {
  /** The paths of the two. */
  readonly models: readonly [string, string];
  readonly task: TaskKind;
  readonly rows: number;
  /**
   * The share of rows that the two decide differently, with Wilson's 95 % interval; of numbers the mean of |a - b|, in
   * the unit of the label, with the interval of the central limit theorem for its logarithm.
   */
  readonly churn: Estimate;
  /** The mean of |a - b| of the probabilities, half its sum over the classes; of numbers the churn itself. */
  readonly distance: number;
  /** Which decisions changed, the most frequent change first; none of numbers. */
  readonly changed: readonly Changed[];
  /** Null unless the label is of two values and the files have it; all rows count alike. */
  readonly auc: AucChange | null;
  readonly seconds: number;
  /** Notes on files that disagree with how a training read its files. */
  readonly notes: readonly string[];
}

/** A model, and its predictions of all rows: [rows], or [rows, classes]. */
interface Predicted extends Pick<ServedModel, "task" | "classes"> {
  readonly path: string;
  readonly label: string;
  readonly values: Floats;
  /** Of each row 0 or 1, or something else where it has no label that the model knows; null where the files have none. */
  readonly labels: Float64Array | null;
  readonly notes: readonly string[];
}

/**
 * Compare the predictions of two models on the rows of files, which need no labels; where they have those of yes and no, also the
 * areas under the ROC curves. Predictions are held in memory.
 * Classes are compared by their names, whatever their order in either model.
 *
 * @throws ConfigError for models of different tasks or classes
 * @throws CheckpointError for a file that is not a model of codistill
 * @throws DataError when the files cannot be read, have no rows, or lack a column that one of the models reads
 * @example
 * import { churn } from "codistill/node";
 * const { churn: share, changed } = await churn("model.onnx", "newer.onnx", "rows.csv", { cacheFolder: ".cache" });
 * console.log(share.value, share.low, share.high, changed[0]);
 */
export async function churn(
  first: string,
  second: string,
  source: string | readonly string[],
  options: ChurnOptions,
): Promise<ChurnResult> {
  const started = performance.now();
  const files = await localCopies(source, { cacheFolder: options.cacheFolder, signal: options.signal });
  const a = await predictionsOf(first, files, options, 0);
  const b = alike(a, await predictionsOf(second, files, options, 1));
  const { task, classes } = a;
  const rows = a.values.length / (task.kind === "multiclass" ? (classes?.length ?? 1) : 1);
  if (rows === 0) throw new DataError("churn: the data must have rows, and has none. Look at the files.");
  const changed = classes === null ? [] : changesOf(a, b.values, classes);
  const { auc, note } = a.labels ? aucChange(a.values, b.values, a.labels) : { auc: null };
  const numChanged = changed.reduce((sum, one) => sum + one.rows, 0);
  return {
    models: [first, second],
    task: task.kind,
    rows,
    churn: classes === null ? lossEstimate(differences(a.values, b.values)) : shareEstimate(numChanged, rows),
    distance: task.distance(a.values, b.values),
    changed,
    auc,
    seconds: (performance.now() - started) / 1000,
    notes: [...otherLabels(a, b), ...new Set([...a.notes, ...b.notes]), ...(note === undefined ? [] : [note])],
  };
}

/** That two models were trained on labels which are not the same SQL: of comparisons all classes have the same names. */
function otherLabels(a: Predicted, b: Predicted): string[] {
  if (a.label === b.label) return [];
  return [
    `the label of ${a.path} is ${a.label}, that of ${b.path} ${b.label}: where these are not the same, so are not the decisions`,
  ];
}

/** What a model predicts of all rows, which are read as its training read its files. */
async function predictionsOf(
  path: string,
  files: Awaited<ReturnType<typeof localCopies>>,
  options: ChurnOptions,
  before: 0 | 1,
): Promise<Predicted> {
  await using model = await openModel(path, availableParallelism());
  // Labels are read once, with the rows of the first model.
  const more = before === 0 ? { label: model.label } : {};
  return await withServedFiles(files, model, options, more, async ({ db, columns, numRows, inputs, notes }) => {
    const { sql, note } = before === 0 ? await labelsBeside(db, model, columns) : { sql: null };
    const parts: Floats[] = [];
    const labels: Float64Array[] = [];
    let done = before * numRows;
    for await (const batch of servedRows(db, inputs, sql === null ? [] : [{ sql, type: "number" }])) {
      parts.push((await model.predict(batch.inputs)).predicted);
      if (sql !== null) labels.push(batch.more[0] as Float64Array);
      done += batch.inputs[0]?.length ?? 0;
      options.onProgress?.(done, 2 * numRows);
    }
    const values = joined<Floats>(model.isDouble ? Float64Array : Float32Array, parts);
    const { label, task, classes } = model;
    return {
      ...{ path, label, task, classes, values, labels: sql === null ? null : joined(Float64Array, labels) },
      notes: note === undefined ? notes : [...notes, note],
    };
  });
}

/** The predictions of `b`, with the classes in the order of `a`. Throws {@link ConfigError} for others. */
function alike(a: Predicted, b: Predicted): Predicted {
  if (a.task.kind !== b.task.kind) {
    throw new ConfigError(
      `churn: both models must be of one task, and ${a.path} is of the task ${a.task.kind}, ${b.path} of ${b.task.kind}. Give two models of one label.`,
    );
  }
  if (a.classes === null) return b;
  const [ofA, ofB] = [a.classes ?? [], b.classes ?? []];
  const order = ofA.map((name) => ofB.indexOf(name));
  if (ofA.length !== ofB.length || order.includes(-1)) {
    throw new ConfigError(
      `churn: both models must have the same classes, and ${a.path} has ${count(ofA.length)} (${firstNames(ofA, 10)}), ${b.path} ${count(ofB.length)} (${firstNames(ofB, 10)}). Give two models of one label.`,
    );
  }
  if (order.every((at, i) => at === i)) return b;
  if (b.task.kind === "binary") return { ...b, values: b.values.map((p) => 1 - p) };
  const width = order.length;
  return { ...b, values: b.values.map((_, i) => b.values[i - (i % width) + (order[i % width] as number)] as number) };
}

/** How many rows changed from each class to each other one. */
function changesOf({ task, values }: Predicted, others: Floats, classes: readonly string[]): Changed[] {
  const decided = (probs: Floats) =>
    task.kind === "binary" ? Int32Array.from(probs, (p) => Number(decidesYes(p))) : decisions(probs, classes.length);
  const [from, to] = [decided(values), decided(others)];
  const counts = new Map<number, number>();
  from.forEach((own, i) => {
    const other = to[i] as number;
    if (own !== other) counts.set(own * classes.length + other, (counts.get(own * classes.length + other) ?? 0) + 1);
  });
  const nameOf = (index: number) => classes[index] ?? "";
  return [...counts]
    .map(([pair, rows]) => ({
      from: nameOf(Math.floor(pair / classes.length)),
      to: nameOf(pair % classes.length),
      rows,
    }))
    .sort((one, other) => other.rows - one.rows);
}

function differences(a: Floats, b: Floats): Float64Array {
  return Float64Array.from(a, (value, i) => Math.abs(value - (b[i] as number)));
}
