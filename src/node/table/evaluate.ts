/** `codistill evaluate`: scores an exported model on a table that has the labels. */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { enclosed, identifier } from "../../data/sql.js";
import { DataError, messageOf } from "../../errors.js";
import { nearest } from "../../nearest.js";
import { columnNamed, columnOfFlag } from "../../reading/names.js";
import type { GivenReading } from "../../reading/reading.js";
import { count, firstNames } from "../../report/format.js";
import { type Unlike, unlikeCounter } from "../../serving/seen.js";
import { type Evaluation, evaluation } from "../../train/evaluation.js";
import type { Floats } from "../../train/metrics.js";
import { inTemporaryFolder } from "../files/temporary-folder.js";
import { type Database, openDuckdb } from "../sources/duckdb.js";
import { localCopies } from "../sources/remote-files.js";
import { checkedSql } from "./checked-sql.js";
import { type LabelValue, OTHER_CLASS, servedLabels } from "./served-labels.js";
import { openModel, type ServedModel } from "./served-model.js";
import { type CheckedInput, openServedRows, servedRows } from "./served-rows.js";
import type { SourceColumn } from "./source-rows.js";
import { sqlReader } from "./sql-tree.js";
import { openFiles } from "./text-files.js";

export interface EvaluateOptions {
  /** Column or SQL over a row; by default the label that the model was trained on. */
  readonly label?: string | undefined;
  /** SQL predicate: only rows for which it holds are scored. */
  readonly where?: string | undefined;
  /** Column or SQL over a row: metrics are also computed for each of its values. */
  readonly by?: string | undefined;
  /** How the files are read, where it differs from how training read its files. */
  readonly reading?: GivenReading | undefined;
  /** How many malformed lines may be left out; 0 by default. */
  readonly maxBadRows?: number | undefined;
  readonly cacheFolder: string;
  readonly signal?: AbortSignal | undefined;
  /** Called from time to time with the number of rows predicted so far, and of all rows. */
  readonly onProgress?: ((numRows: number, ofRows: number) => void) | undefined;
}

export interface EvaluateResult extends Evaluation {
  readonly model: string;
  readonly label: string;
  /** Rows without a label, and rows of a class that the model does not know; neither are scored. */
  readonly numUnlabelled: number;
  readonly numOfOtherClasses: number;
  /** The values of classes that the model does not know, the most frequent first, at most 5. */
  readonly otherClasses: readonly LabelValue[];
  readonly seconds: number;
  /** Columns with rows that are unlike those of training, counted. */
  readonly unlike: readonly Unlike[];
  /**
   * Notes on files that disagree with how training read its files, and on columns with rows that are unlike those of
   * training.
   */
  readonly notes: readonly string[];
}

/**
 * Evaluate a model on the rows of files. Predictions and labels are held in memory.
 *
 * @throws CheckpointError for a file that is not a model of codistill
 * @throws DataError when the files cannot be read, lack a column, have no labels, or have labels of another task
 * @example
 * import { evaluate } from "codistill/node";
 * const { metrics, rows } = await evaluate("model.onnx", "rows.csv", { cacheFolder: ".cache" });
 * console.log(rows, metrics.loss, metrics.auc);
 */
export async function evaluate(
  modelPath: string,
  source: string | readonly string[],
  { label: given, where, by, reading = {}, maxBadRows, cacheFolder, signal, onProgress = () => {} }: EvaluateOptions,
): Promise<EvaluateResult> {
  const started = performance.now();
  const files = await localCopies(source, { cacheFolder, signal });
  const model = await openModel(modelPath, availableParallelism());
  try {
    return await inTemporaryFolder(cacheFolder, signal, async (temporary) => {
      const encoding = reading.encoding ?? model.reading.encoding;
      const open = await openFiles(files, { folder: temporary, encoding, signal });
      const db = await openDuckdb(join(temporary, "spill"), { reads: open.reads, signal });
      try {
        const { columns, inputs, notes } = await openServedRows(db, open, model, {
          reading,
          maxBadRows,
          label: given ?? model.label,
        });
        if (where !== undefined) await keepOnly(db, await sqlOf(db, "--where", where, columns));
        const label = given ?? model.label;
        const ownLabel = given ?? (await checkedLabel(db, model.label, columns));
        const labels = await servedLabels(db, model, await sqlOf(db, "the label", ownLabel, columns));
        const slice = by === undefined ? undefined : await sqlOf(db, "--by", by, columns);
        const scored = await score(db, model, inputs, labels.sql, slice, onProgress);
        const { numUnlabelled, numOfOtherClasses, found, ...rest } = scored;
        if (scored.labels.length === 0) {
          throw new DataError(
            `evaluate: some rows must have a label, and of ${count(numUnlabelled + numOfOtherClasses)} none has one that the model knows: ${label}. Name it with --label, and look at --where.`,
          );
        }
        const result = evaluation(model.task, rest, { classes: model.classes, slices: rest.slices });
        const seconds = (performance.now() - started) / 1000;
        const counts = { numUnlabelled, numOfOtherClasses, otherClasses: labels.others };
        const all = [...notes, ...found.notes];
        const header = model.reading.columns.find(({ name }) => name === label)?.header;
        return {
          model: model.name,
          label: header ?? label,
          ...result,
          ...counts,
          seconds,
          unlike: found.unlike,
          notes: all,
        };
      } finally {
        await db.close();
      }
    });
  } finally {
    await model.close();
  }
}

/**
 * A column's name or an expression as SQL, which is tested. Throws {@link DataError}, with the columns, when it does
 * not compile.
 */
async function sqlOf(db: Database, what: string, given: string, columns: readonly SourceColumn[]): Promise<string> {
  const isColumn = columnNamed(given, columns) !== null;
  const sql = isColumn ? identifier(columnOfFlag(what, given, columns).name) : enclosed(given);
  try {
    await db.run(`select 1 from source_shape where ${sql} is null`);
  } catch (error) {
    const names = columns.map(({ name, header = name }) => header);
    const near = nearest(given, names);
    throw new DataError(
      [
        `evaluate: ${what} must be a column or an expression over the columns, got ${given}`,
        `DuckDB: ${messageOf(error).split("\n")[0]}`,
        `Columns of the data: ${firstNames(names, 60)}`,
        ...(near === undefined ? [] : [`Did you mean ${near}?`]),
      ].join("\n  "),
      { cause: error },
    );
  }
  return sql;
}

/** The label that a model names: a column, or SQL, which is checked. */
async function checkedLabel(db: Database, label: string, columns: readonly SourceColumn[]): Promise<string> {
  return columnNamed(label, columns) !== null ? label : checkedSql(sqlReader(db), "its label", label);
}

async function keepOnly(db: Database, predicate: string): Promise<void> {
  await db
    .run("alter view source_rows rename to all_rows")
    .catch(() => db.run("alter table source_rows rename to all_rows"));
  await db.run(`create view source_rows as select * from all_rows where ${predicate}`);
}

async function score(
  db: Database,
  model: ServedModel,
  served: readonly CheckedInput[],
  label: string,
  by: string | undefined,
  onProgress: (numRows: number, ofRows: number) => void,
) {
  const [[total] = []] = await db.rows("select count(*) from source_rows");
  const more = [
    { sql: label, type: "number" } as const,
    ...(by === undefined ? [] : [{ sql: `coalesce(cast(${by} as varchar), '(missing)')`, type: "text" } as const]),
  ];
  const counter = unlikeCounter(model.inputs, model.seen);
  const probs: Floats[] = [];
  const labels: Float64Array[] = [];
  const slices: string[] = [];
  let [numUnlabelled, numOfOtherClasses, done] = [0, 0, 0];
  for await (const { inputs, more: beside } of servedRows(db, served, more)) {
    const { predicted, valuesOf } = await model.predict(inputs);
    counter.add(inputs, valuesOf);
    const [own = [], names = []] = beside as [Float64Array, string[]];
    const width = predicted.length / own.length;
    // Scored rows are moved to the front of the batch, so that no array is made for each row.
    let kept = 0;
    own.forEach((value, row) => {
      if (Number.isNaN(value)) numUnlabelled++;
      else if (value === OTHER_CLASS && model.classes !== null) numOfOtherClasses++;
      else {
        own[kept] = value;
        predicted.copyWithin(kept * width, row * width, (row + 1) * width);
        kept++;
        if (by !== undefined) slices.push(names[row] ?? "");
      }
    });
    labels.push(own.slice(0, kept) as Float64Array);
    probs.push(predicted.slice(0, kept * width));
    done += own.length;
    onProgress(done, Number(total));
  }
  const Numbers = model.isDouble ? Float64Array : Float32Array;
  const isOfIndices = model.task.kind === "multiclass";
  return {
    probs: joined<Floats>(Numbers, probs),
    labels: joined<Floats | Int32Array>(isOfIndices ? Int32Array : Numbers, labels),
    slices,
    numUnlabelled,
    numOfOtherClasses,
    found: counter.found(),
  };
}

/** Arrays one after another. */
function joined<T extends Floats | Int32Array>(
  type: new (length: number) => T,
  parts: readonly ArrayLike<number>[],
): T {
  const all = new type(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
