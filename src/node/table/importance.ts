/** Permutation importance of the columns of a table for a served model. */
import { identifier } from "../../data/sql.js";
import { ConfigError, DataError } from "../../errors.js";
import { count } from "../../report/format.js";
import { rootKey } from "../../runtime/random.js";
import type { Estimate } from "../../train/estimates.js";
import { repeatedDonors, riseEstimate } from "../../train/importance.js";
import type { Database, ValueColumns } from "../sources/duckdb.js";
import { OTHER_CLASS } from "./served-labels.js";
import type { ServedModel } from "./served-model.js";
import { type CheckedInput, servedRows } from "./served-rows.js";
import { joined } from "./served-scores.js";
import type { SourceColumn } from "./source-rows.js";
import { sqlReader } from "./sql-tree.js";

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
/** Rows that the model predicts at once. */
const CHUNK_ROWS = 8192;

const PLACE = identifier("codistill place");
const LABEL = identifier("codistill label");
const giverOf = (repeat: number) => identifier(`codistill giver ${repeat}`);

/**
 * Measure how much the loss of a model rises when the values of one column of the table change places between rows
 * ({@link riseEstimate} has the formula and the interval). The column is permuted as it stands in the table, before the
 * SQL of the model reads it, so that a date or a column in several features counts once and as a whole. All columns are
 * permuted in the same ways.
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
  const labels = await drawRows(db, model, [...readers.keys()], { label, rows, seed });
  const numRows = labels.length;
  if (numRows < 2) {
    throw new DataError(
      `evaluate: importance needs at least 2 rows with a label, got ${count(numRows)}. Give more rows.`,
    );
  }
  const givers = repeatedDonors(rootKey(seed), repeats, numRows);
  await writeGivers(db, givers);
  const total = numRows * (1 + readers.size * repeats);
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

  const values = await valuesOf(db, inputs, `importance_rows as source_rows order by ${PLACE}`);
  const before = await lossesOf(values);
  const found: ColumnImportance[] = [];
  for (const [column, own] of readers) {
    const rises: Float64Array[] = [];
    for (let repeat = 0; repeat < repeats; repeat++) {
      const changed = await valuesOf(db, own, permutedRows(column, repeat));
      const after = await lossesOf(inputs.map((input, i) => changed[own.indexOf(input)] ?? values[i] ?? []));
      rises.push(after.map((loss, row) => loss - (before[row] as number)));
    }
    found.push({ column: column.header ?? column.name, rise: riseEstimate(rises, givers) });
  }
  const loss = before.reduce((sum, one) => sum + one, 0) / numRows;
  return { rows: numRows, repeats, seed, loss, columns: found.sort((a, b) => b.rise.value - a.rise.value) };
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

/** The columns that a model reads, in their order, with the inputs that are made of each. */
async function readersOf(
  db: Database,
  inputs: readonly CheckedInput[],
  columns: readonly SourceColumn[],
): Promise<ReadonlyMap<SourceColumn, readonly CheckedInput[]>> {
  const reader = sqlReader(db);
  const names = await Promise.all(inputs.map(async ({ sql }) => new Set(namesIn(await reader.treeOf(sql)))));
  const readers = columns.map((column) => {
    const own = inputs.filter((_, i) => names[i]?.has(column.name.toLowerCase()));
    return [column, own] as const;
  });
  return new Map(readers.filter(([, own]) => own.length > 0));
}

/** The parts of the names of columns in a syntax tree, in lower case, as case does not count in SQL. */
function namesIn(node: unknown): string[] {
  if (typeof node !== "object" || node === null) return [];
  const { class: kind, column_names: parts } = node as { readonly class?: unknown; readonly column_names?: unknown };
  if (kind === "COLUMN_REF" && Array.isArray(parts)) return parts.map((part) => String(part).toLowerCase());
  return Object.values(node).flatMap(namesIn);
}

/**
 * Make the table `importance_rows` of some columns of rows that have a label, and give these labels. Rows are drawn by
 * the MD5 of their number, which is the same in every version of DuckDB, and keep their order.
 */
async function drawRows(
  db: Database,
  { classes }: ServedModel,
  columns: readonly SourceColumn[],
  { label, rows, seed }: { readonly label: string; readonly rows: number; readonly seed: number },
): Promise<Float64Array> {
  const read = columns.map(({ name }) => `${identifier(name)}, `).join("");
  const isKnown = `not isnan(${LABEL})${classes === null ? "" : ` and ${LABEL} <> ${OTHER_CLASS}`}`;
  await db.run(`create or replace table importance_rows as
    with numbered as (select ${read}${label} as ${LABEL}, row_number() over () as ${PLACE} from source_rows),
    drawn as (select * from numbered where ${isKnown} order by md5_number_lower('${seed}/' || ${PLACE}), ${PLACE} limit ${rows})
    select * replace (cast(row_number() over (order by ${PLACE}) - 1 as double) as ${PLACE}) from drawn`);
  const parts: Float64Array[] = [];
  for await (const [part] of db.columns(`select ${LABEL} from importance_rows order by ${PLACE}`, ["number"]))
    parts.push(part as Float64Array);
  return joined(Float64Array, parts);
}

/** Make the table `importance_givers`, with the place of the row that gives its value to each row, in each repetition. */
async function writeGivers(db: Database, givers: readonly Uint32Array[]): Promise<void> {
  const definitions = [PLACE, ...givers.map((_, repeat) => giverOf(repeat))].map((name) => `${name} double`);
  await db.run(`create or replace table importance_givers (${definitions.join(", ")})`);
  const places = Float64Array.from(givers[0] ?? [], (_, place) => place);
  await db.append("importance_givers", [places, ...givers.map((own) => Float64Array.from(own))]);
}

/** The rows of `importance_rows`, in their order, with the values of one column from the rows that give in a repetition. */
function permutedRows({ name }: SourceColumn, repeat: number): string {
  const column = identifier(name);
  return `(select own.* replace (giver.${column} as ${column}) from importance_rows as own
    join importance_givers as givers on givers.${PLACE} = own.${PLACE}
    join importance_rows as giver on giver.${PLACE} = givers.${giverOf(repeat)}) as source_rows order by ${PLACE}`;
}

/** The values of inputs of a model for all rows: of `from`, as SQL says it after "from". */
async function valuesOf(db: Database, inputs: readonly CheckedInput[], from: string): Promise<ValueColumns> {
  const parts: ValueColumns[] = [];
  for await (const batch of servedRows(db, inputs, [], from)) parts.push(batch.inputs);
  return inputs.map(({ type }, i) => {
    const own = parts.map((part) => part[i] ?? []);
    if (type === "text") return (own as string[][]).flat();
    return joined(Float64Array, own as Float64Array[]);
  });
}
