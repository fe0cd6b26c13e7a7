/** `codistill evaluate`: scores an exported model on a table that has the labels. */
import { availableParallelism } from "node:os";
import { enclosed, identifier } from "../../data/sql.js";
import { ConfigError, DataError, messageOf } from "../../errors.js";
import { nearest } from "../../nearest.js";
import { columnNamed, columnOfFlag } from "../../reading/names.js";
import { count, firstNames } from "../../report/format.js";
import { rootKey } from "../../runtime/random.js";
import type { Unlike } from "../../serving/seen.js";
import { type Evaluation, evaluation } from "../../train/evaluation.js";
import type { Costs } from "../../train/thresholds.js";
import type { Database } from "../sources/duckdb.js";
import { localCopies } from "../sources/remote-files.js";
import { checkedSql } from "./checked-sql.js";
import { type Importance, type ImportanceOptions, importanceOf } from "./importance.js";
import { checkWeights, noSplit } from "./row-weights.js";
import { type ServedFilesOptions, withServedFiles } from "./served-files.js";
import { type LabelValue, servedLabels } from "./served-labels.js";
import { openModel, type ServedModel } from "./served-model.js";
import { score } from "./served-scores.js";
import type { SourceColumn } from "./source-rows.js";
import { sqlReader } from "./sql-tree.js";

export interface EvaluateOptions extends ServedFilesOptions {
  /** Column or SQL over a row; by default the label that the model was trained on. */
  readonly label?: string | undefined;
  /**
   * Column or SQL over a row: its weight in all figures, by default that of the model's training; "1" counts all rows
   * alike.
   */
  readonly weight?: string | undefined;
  /** SQL predicate: only rows for which it holds are scored. */
  readonly where?: string | undefined;
  /** Column or SQL over a row: metrics are also computed for each of its values. */
  readonly by?: string | undefined;
  /** What wrong decisions of a binary model cost, more than 0 each: thresholds are compared by it. */
  readonly costs?: Costs | undefined;
  /** Given where the importance of columns is measured. */
  readonly importance?: ImportanceOptions | undefined;
  /** The same of rows with a permuted column. */
  readonly onImportance?: ((numRows: number, ofRows: number) => void) | undefined;
}

export interface EvaluateResult extends Evaluation {
  readonly model: string;
  readonly label: string;
  /** The weight of a row in all figures, as SQL; null where all rows count alike. */
  readonly weight: string | null;
  /** Rows without a label, and rows of a class that the model does not know; neither are scored. */
  readonly numUnlabelled: number;
  readonly numOfOtherClasses: number;
  /** The values of classes that the model does not know, the most frequent first, at most 5. */
  readonly otherClasses: readonly LabelValue[];
  /** How much the loss rises when a column is permuted, where that was asked for. */
  readonly importance?: Importance;
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
 * @throws ConfigError for costs that are not more than 0, or of a model that is not binary
 * @throws CheckpointError for a file that is not a model of codistill
 * @throws DataError when the files cannot be read, lack a column, have no labels, or have labels of another task
 * @example
 * import { evaluate } from "codistill/node";
 * const { metrics, rows, thresholds, importance } = await evaluate("model.onnx", "rows.csv", {
 *   costs: { falsePositive: 1, falseNegative: 5 },
 *   importance: { rows: 1000 },
 *   cacheFolder: ".cache",
 * });
 * console.log(rows, metrics.loss, metrics.auc, thresholds?.calibrated.cost.value);
 * for (const { column, rise } of importance?.columns ?? []) console.log(column, rise.low, rise.high);
 */
export async function evaluate(
  modelPath: string,
  source: string | readonly string[],
  options: EvaluateOptions,
): Promise<EvaluateResult> {
  const { label: given, weight: givenWeight, where, by, costs, importance } = options;
  const { cacheFolder, signal, onProgress = () => {}, onImportance } = options;
  const started = performance.now();
  const files = await localCopies(source, { cacheFolder, signal });
  const model = await openModel(modelPath, availableParallelism());
  try {
    if (costs !== undefined) checkCosts(costs, model);
    const label = given ?? model.label;
    return await withServedFiles(files, model, options, { label }, async ({ db, columns, inputs, notes }) => {
      if (where !== undefined) await keepOnly(db, await sqlOf(db, "--where", where, columns));
      const labelSql = given === undefined ? ownLabelSql(db, label, columns) : sqlOf(db, "the label", given, columns);
      const labels = await servedLabels(db, model, await labelSql, label);
      const weight = await weightSql(db, model, givenWeight, columns);
      const slice = by === undefined ? undefined : await sqlOf(db, "--by", by, columns);
      const scored = await score(db, model, inputs, { label: labels.sql, weight: weight?.sql, by: slice }, onProgress);
      const { numUnlabelled, numOfOtherClasses, found, ...rest } = scored;
      if (scored.labels.length === 0) {
        throw new DataError(
          `evaluate: some rows must have a label, and of ${count(numUnlabelled + numOfOtherClasses)} none has one that the model knows: ${label}. Name it with --label, and look at --where.`,
        );
      }
      const result = evaluation(model.task, rest, {
        classes: model.classes,
        errors: model.errors,
        slices: rest.slices,
        ...(costs && { costs: { ...costs, key: rootKey(0) } }),
      });
      const permuted =
        importance && (await importanceOf(db, model, { inputs, columns, label: labels.sql }, importance, onImportance));
      const counts = { numUnlabelled, numOfOtherClasses, otherClasses: labels.others };
      const all = [...notes, ...found.notes, ...oneValueNotes(model, scored.labels)];
      const header = model.reading.columns.find(({ name }) => name === label)?.header;
      return {
        model: model.name,
        label: header ?? label,
        weight: weight?.expression ?? null,
        ...result,
        ...counts,
        ...(permuted && { importance: permuted }),
        seconds: (performance.now() - started) / 1000,
        unlike: found.unlike,
        notes: all,
      };
    });
  } finally {
    await model.close();
  }
}

/** That labels which are all the same leave figures open, and what to do about it. */
function oneValueNotes({ task, classes }: Pick<ServedModel, "task" | "classes">, labels: ArrayLike<number>): string[] {
  const first = labels[0] ?? 0;
  if (labels.length < 2 || Array.prototype.some.call(labels, (label) => label !== first)) return [];
  const value = classes === null ? String(first) : JSON.stringify(classes[first]);
  const lost = { binary: "the AUC", multiclass: "how well classes are told apart", regression: "R²" }[task.kind];
  return [
    `the label is ${value} in all of ${count(labels.length)} rows, and ${lost} needs rows with different ones: add rows with other labels, or look at --where and --label`,
  ];
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

/** Throws {@link ConfigError} unless costs are of decisions between yes and no. */
function checkCosts({ falsePositive, falseNegative }: Costs, { task, name }: ServedModel): void {
  if (task.kind !== "binary") {
    throw new ConfigError(
      `evaluate: costs of a wrong yes and a wrong no (--cost-fp, --cost-fn) are for a label of two values, and the label of ${name} is of the task ${task.kind}. Leave them out.`,
    );
  }
  for (const [what, cost] of Object.entries({
    "a wrong yes (--cost-fp)": falsePositive,
    "a wrong no (--cost-fn)": falseNegative,
  })) {
    if (!(cost > 0 && Number.isFinite(cost)))
      throw new ConfigError(
        `evaluate: ${what} must cost more than 0, got ${cost}. Costs are relative: 1 and 5 are 0.2 and 1.`,
      );
  }
}

/**
 * The SQL of the label that a model names: a column, or SQL, which is checked. Throws {@link DataError} where columns do not give it,
 * or it is SQL that a model may not contain.
 */
export async function ownLabelSql(db: Database, label: string, columns: readonly SourceColumn[]): Promise<string> {
  const isColumn = columnNamed(label, columns) !== null;
  return sqlOf(db, "the label", isColumn ? label : await checkedSql(sqlReader(db), "its label", label), columns);
}

/**
 * The weight of a row, given or that of training; checked on all rows that are scored.
 *
 * Throws {@link DataError} when it cannot be computed from the columns, or is no weight in some rows.
 */
async function weightSql(
  db: Database,
  model: ServedModel,
  given: string | undefined,
  columns: readonly SourceColumn[],
): Promise<{ readonly sql: string; readonly expression: string } | null> {
  const expression = given ?? model.weight;
  if (expression === null) return null;
  const value =
    given === undefined ? await ownWeight(db, expression, columns) : await sqlOf(db, "--weight", given, columns);
  const sql = `try_cast(${value} as double)`;
  const from = `(select ${sql} as weight, ${noSplit} as split from source_rows)`;
  await checkWeights(db, { from, expression, leaveOut: "with --where" });
  return { sql, expression };
}

/** The SQL of the weight that a model names: a column, or SQL, which is checked. */
async function ownWeight(db: Database, weight: string, columns: readonly SourceColumn[]): Promise<string> {
  const isColumn = columnNamed(weight, columns) !== null;
  const checked = isColumn ? weight : await checkedSql(sqlReader(db), "its weight", weight);
  return sqlOf(db, "the weight", checked, columns).catch((error: unknown) => {
    throw new DataError(
      `evaluate: the model was trained on rows that count by ${weight}, which these columns do not give. Add them, name another weight with --weight, or let all rows count alike with --weight 1.\n  ${messageOf(error)}`,
      { cause: error },
    );
  });
}

async function keepOnly(db: Database, predicate: string): Promise<void> {
  await db
    .run("alter view source_rows rename to all_rows")
    .catch(() => db.run("alter table source_rows rename to all_rows"));
  await db.run(`create view source_rows as select * from all_rows where ${predicate}`);
}
