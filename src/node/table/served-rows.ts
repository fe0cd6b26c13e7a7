/** Rows of any table as the inputs of a served model, in their order, some thousand at a time. */
import { enclosed, identifier } from "../../data/sql.js";
import { DataError, messageOf } from "../../errors.js";
import { nearest } from "../../nearest.js";
import { firstNames } from "../../report/format.js";
import type { ServedInput } from "../../run/serving/expression.js";
import type { Database, ValueColumns } from "../duckdb.js";
import { findFiles } from "../source-files.js";
import { type CheckedSql, checkedSql } from "./checked-sql.js";
import { openSource } from "./infer/source.js";
import type { ServedModel } from "./served-model.js";
import type { SourceColumn } from "./source-rows.js";
import { sourceQuery } from "./table-query.js";

/** An input of a model whose SQL may run. */
export type CheckedInput = ServedInput & { readonly sql: CheckedSql };

/**
 * Name the rows of files `source_rows` in a database, and check that a model's inputs can be made of them.
 *
 * Throws {@link DataError} for SQL that a model may not bring along, and for columns that are missing or of another type.
 */
export async function openServedRows(
  db: Database,
  source: string | readonly string[],
  { inputs, columns: known }: Pick<ServedModel, "inputs" | "columns">,
): Promise<{
  readonly columns: readonly SourceColumn[];
  readonly numRows: number;
  readonly inputs: readonly CheckedInput[];
}> {
  // What was text in training is text here, even where all of it reads as numbers.
  const texts = inputs.flatMap(({ type, column }) => (type === "text" && column !== undefined ? [column] : []));
  const hasHeader = known === null || (await isHeaderOf(db, source, inputs));
  const { columns, numRows } = await openSource(db, source, { texts, columns: hasHeader ? undefined : known });
  const names = columns.map(({ name }) => name);
  const checked: CheckedInput[] = [];
  for (const input of inputs) {
    const sql = await checkedSql(db, `the input "${input.name}"`, input.sql);
    checked.push({ ...input, sql });
    await checkInput(db, { ...input, sql }, names);
  }
  return { columns, numRows, inputs: checked };
}

/** Whether files name the columns of inputs; what has no header then has the names that training gave it. */
async function isHeaderOf(
  db: Database,
  source: string | readonly string[],
  inputs: readonly ServedInput[],
): Promise<boolean> {
  const { format, files } = await findFiles(source);
  const found = await db.rows(`describe ${sourceQuery(format, files, {}, 1)}`).catch(() => []);
  const names = new Set(found.map(([name]) => String(name).toLowerCase()));
  return inputs.every(({ column }) => column === undefined || names.has(column.toLowerCase()));
}

/** Batches of rows, and beside them further expressions. */
export async function* servedRows(
  db: Database,
  inputs: readonly CheckedInput[],
  more: readonly { readonly sql: string; readonly type: "number" | "text" }[] = [],
): AsyncGenerator<{ readonly inputs: ValueColumns; readonly more: ValueColumns }, void, void> {
  const values = [...inputs.map(valueSql), ...more.map(({ sql }) => sql)];
  const types = [...inputs.map(({ type }) => (type === "text" ? "text" : "number")), ...more.map(({ type }) => type)];
  for await (const columns of db.columns(`select ${values.join(", ")} from source_rows`, types)) {
    yield { inputs: columns.slice(0, inputs.length), more: columns.slice(inputs.length) };
  }
}

/** The value that a model is fed, never null. */
function valueSql({ type, sql }: CheckedInput): string {
  const value = enclosed(sql);
  if (type === "text") return `coalesce(cast(${value} as varchar), '')`;
  const number = type === "time" ? `epoch_us(cast(${value} as timestamp)) / 1000` : value;
  return `coalesce(cast(${number} as double), cast('nan' as double))`;
}

/** Throws {@link DataError} for an input whose column is not there, or has values of another type. */
async function checkInput(db: Database, input: CheckedInput, names: readonly string[]): Promise<void> {
  const { name, type, sql, column } = input;
  const what = type === "time" ? "points in time" : type === "number" ? "numbers" : "text";
  const has = `Columns of the data: ${firstNames(names, 60)}`;
  try {
    await db.run(`select ${enclosed(sql)} from source_shape`);
  } catch (error) {
    const near = column === undefined ? undefined : nearest(column, names);
    throw new DataError(
      [
        column === undefined
          ? `predict: the model reads ${sql}, which cannot be computed from this data. DuckDB: ${brief(error)}`
          : `predict: the model reads the column "${column}" (${what}), and the data has none of that name.`,
        has,
        ...(near === undefined ? [] : [`Did you mean ${near}? Rename it to ${column}.`]),
      ].join("\n  "),
      { cause: error },
    );
  }
  if (type === "text") return;
  const target = type === "time" ? "timestamp" : "double";
  const value = enclosed(sql);
  const isBad = `${value} is not null and try_cast(${value} as ${target}) is null`;
  const [bad] = await db
    .rows(`select count(*), min(cast(${value} as varchar)) from source_rows where ${isBad} having count(*) > 0`)
    .catch(() => [["all", `a ${type === "time" ? "value" : "number"} of another type`]]);
  if (!bad) return;
  throw new DataError(
    `predict: the model reads ${what} from ${column === undefined ? sql : `the column "${name}"`}, and in ${bad[0]} rows it is something else, as ${JSON.stringify(bad[1])}. Mend the column, or leave the values empty where they are missing.`,
  );
}

function brief(error: unknown): string {
  return messageOf(error).split("\n")[0] ?? "";
}

/** A name that is free among others: with a number after it where it must be. */
export function freeName(wanted: string, taken: readonly string[]): string {
  const used = new Set(taken.map((name) => name.toLowerCase()));
  for (let number = 1; ; number++) {
    const name = number === 1 ? wanted : `${wanted}_${number}`;
    if (!used.has(name.toLowerCase())) return name;
  }
}

/** A list of columns under these names. */
export function definitions(names: readonly string[], types: readonly string[]): string {
  return names.map((name, i) => `${identifier(name)} ${types[i]}`).join(", ");
}
