/** Permutation importance of the columns of a table for a served model. */
import { ConfigError, DataError } from "../../errors.js";
import { count } from "../../report/format.js";
import { fold, rootKey } from "../../runtime/random.js";
import { alike } from "../../train/alike.js";
import type { Estimate } from "../../train/estimates.js";
import { donors, repeatedDonors, riseEstimate } from "../../train/importance.js";
import type { Database, ValueColumns } from "../sources/duckdb.js";
import { codesOf, drawnRows, drawRows, permutedRows, readersOf, valuesOf, writeGivers } from "./importance-rows.js";
import type { ServedModel } from "./served-model.js";
import type { CheckedInput } from "./served-rows.js";
import type { SourceColumn } from "./source-rows.js";

export interface ImportanceOptions {
  /** The most rows, drawn by the seed from those that have a label; 20,000 by default, 2 or more. */
  readonly rows?: number | undefined;
  /** How often each column is permuted; 10 by default, 1 or more. */
  readonly repeats?: number | undefined;
  /** Of the rows and the permutations; 0 by default. */
  readonly seed?: number | undefined;
}

export interface ColumnImportance {
  readonly column: string;
  /** How much the loss rises when the column is permuted, with its 95 % interval over rows and permutations. */
  readonly rise: Estimate;
}

export interface Importance {
  readonly rows: number;
  readonly repeats: number;
  readonly seed: number;
  /** The mean loss of these rows as they are, in the unit of the rises. */
  readonly loss: number;
  /** The columns that the model reads, the largest rise first; each was permuted alone. */
  readonly columns: readonly ColumnImportance[];
  /** Groups of columns that share half of their information or more, permuted together; the largest rise first. */
  readonly groups: readonly GroupImportance[];
}

/** Columns that tell much of the same, of which the others tell it where one is permuted alone. */
export interface GroupImportance {
  readonly columns: readonly string[];
  /** How much the loss rises when they are permuted together, a row getting all of their values from one other row. */
  readonly rise: Estimate;
}

/** What is evaluated: the rows of `source_rows`. */
export interface ImportanceRows {
  readonly inputs: readonly CheckedInput[];
  readonly columns: readonly SourceColumn[];
  /** The label of a row as SQL of a double: NaN without one, {@link OTHER_CLASS} for an unknown class. */
  readonly label: string;
}

const ROWS = 20_000;
const REPEATS = 10;
/** Rows by which it is seen which columns tell much of the same. */
const COMPARED_ROWS = 2000;
/** Rows that the model predicts at once. */
const CHUNK_ROWS = 8192;

/**
 * Measure how much the loss of a model rises when the values of one column of the table change places between rows
 * ({@link riseEstimate} has the formula and the interval). The column is permuted as it stands in the table, before the
 * SQL of the model reads it, so that a date or a column in several features counts once and as a whole. All columns are
 * permuted in the same ways. Columns that tell much of the same ({@link alike}) are permuted together too.
 * Rows count alike, whether they have weights or not.
 *
 * Throws {@link ConfigError} for options out of range, {@link DataError} when fewer than two rows have a label.
 */
export async function importanceOf(
  db: Database,
  model: ServedModel,
  { inputs, columns, label }: ImportanceRows,
  { rows = ROWS, repeats = REPEATS, seed = 0 }: ImportanceOptions,
  onProgress: (numRows: number, ofRows: number) => void = () => {},
): Promise<Importance> {
  checkCounts({ rows, repeats, seed });
  const readers = await readersOf(db, inputs, columns);
  const read = [...readers.keys()];
  const labels = await drawRows(db, model, read, { label, rows, seed });
  const numRows = labels.length;
  if (numRows < 2) {
    throw new DataError(
      `evaluate: importance needs at least 2 rows with a label, got ${count(numRows)}. Give more rows.`,
    );
  }
  const givers = repeatedDonors(rootKey(seed), repeats, numRows);
  await writeGivers(db, givers);
  const codes = await codesOf(db, read, COMPARED_ROWS);
  const pairing = donors(fold(rootKey(seed), "alike"), Math.min(numRows, COMPARED_ROWS));
  const groups = alike(codes, pairing).map((group) => group.map((i) => read[i] as SourceColumn));
  const total = numRows * (1 + (read.length + groups.length) * repeats);
  let done = 0;
  async function lossesOf(values: ValueColumns): Promise<Float64Array> {
    const losses = new Float64Array(numRows);
    for (let start = 0; start < numRows; start += CHUNK_ROWS) {
      const end = Math.min(numRows, start + CHUNK_ROWS);
      const { predicted } = await model.predict(values.map((column) => column.slice(start, end)));
      losses.set(model.task.rowLosses({ probs: predicted, labels: labels.subarray(start, end) }), start);
      done += end - start;
      onProgress(done, total);
    }
    return losses;
  }

  const values = await valuesOf(db, inputs, drawnRows);
  const before = await lossesOf(values);
  async function riseOf(permuted: readonly SourceColumn[]): Promise<Estimate> {
    const own = inputs.filter((input) => permuted.some((column) => readers.get(column)?.includes(input)));
    const rises: Float64Array[] = [];
    for (let repeat = 0; repeat < repeats; repeat++) {
      const changed = await valuesOf(db, own, permutedRows(permuted, repeat));
      const after = await lossesOf(inputs.map((input, i) => changed[own.indexOf(input)] ?? values[i] ?? []));
      rises.push(after.map((loss, row) => loss - (before[row] as number)));
    }
    return riseEstimate(rises, givers);
  }

  const byRise = <T extends { readonly rise: Estimate }>(a: T, b: T) => b.rise.value - a.rise.value;
  const nameOf = ({ name, header = name }: SourceColumn) => header;
  const ofColumns: ColumnImportance[] = [];
  for (const column of read) ofColumns.push({ column: nameOf(column), rise: await riseOf([column]) });
  const ofGroups: GroupImportance[] = [];
  for (const group of groups) ofGroups.push({ columns: group.map(nameOf), rise: await riseOf(group) });
  const loss = before.reduce((sum, one) => sum + one, 0) / numRows;
  return { rows: numRows, repeats, seed, loss, columns: ofColumns.sort(byRise), groups: ofGroups.sort(byRise) };
}

function checkCounts({ rows, repeats, seed }: { readonly [K in "rows" | "repeats" | "seed"]: number }): void {
  for (const [name, value, least] of [
    ["rows", rows, 2],
    ["repeats", repeats, 1],
    ["seed", seed, 0],
  ] as const) {
    if (!(Number.isSafeInteger(value) && value >= least))
      throw new ConfigError(`evaluate: importance.${name} must be a whole number, ${least} or more, got ${value}`);
  }
}
