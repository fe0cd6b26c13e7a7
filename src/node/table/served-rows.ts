/** Rows of any table as the inputs of a served model, in their order, some thousand at a time. */
import { enclosed } from "../../data/sql.js";
import { DataError, messageOf } from "../../errors.js";
import { nearest } from "../../nearest.js";
import { givenFormats, overridden, readAs } from "../../reading/given.js";
import { columnNamed } from "../../reading/names.js";
import { type ColumnReading, type GivenReading, readingWords } from "../../reading/reading.js";
import { count, counted, firstNames, shortened } from "../../report/format.js";
import { readsColumn, type ServedInput } from "../../serving/expression.js";
import type { Database, ValueColumns } from "../sources/duckdb.js";
import { type CheckedSql, checkedSql } from "./checked-sql.js";
import { openSource } from "./infer/source.js";
import { askSome } from "./per-column.js";
import type { ServedModel } from "./served-model.js";
import type { SourceColumn, SourceKnown } from "./source-rows.js";
import { sqlReader } from "./sql-tree.js";
import type { OpenFiles } from "./text-files.js";

/** An input of a model whose SQL may run. */
export type CheckedInput = ServedInput & { readonly sql: CheckedSql };

/** The parts of a model that describe the files it was trained on, and the inputs that it reads from others. */
export type ReadModel = Pick<ServedModel, "inputs" | "columns" | "reading">;

export interface ServedRows {
  readonly columns: readonly SourceColumn[];
  readonly numRows: number;
  readonly inputs: readonly CheckedInput[];
  /** Notes on files that disagree with how training read its files. */
  readonly notes: readonly string[];
}

/** What the user says of files that a model reads. */
export interface ServedGiven {
  /** How the files are read, where it differs from how training read its files. */
  readonly reading?: GivenReading | undefined;
  /** How many malformed lines may be left out; 0 by default. */
  readonly maxBadRows?: number | undefined;
  /** A column of labels, which stays text where some of its values cannot be read. */
  readonly label?: string | undefined;
}

/**
 * Make the rows of files `source_rows` in a database, read as training read its files unless `given` says otherwise,
 * and check that a model's inputs can be computed from them. Columns are found by their names.
 *
 * Throws {@link DataError} for SQL that a model may not contain, and for columns that are missing or of another type.
 */
export async function openServedRows(
  db: Database,
  open: OpenFiles,
  model: ReadModel,
  { reading: given = {}, maxBadRows, label }: ServedGiven = {},
): Promise<ServedRows> {
  const {
    columns,
    numRows,
    numMalformed,
    unread,
    notes: found,
  } = await openSource(db, open, {
    ...servedKnown(model, given),
    maxBadRows,
    label,
  });
  const leftOut = counted(numMalformed, "line is no row and is left out", "lines are no rows and are left out");
  const notes = [...(numMalformed > 0 ? [leftOut] : []), ...otherReadings(model, given), ...found];
  const names = columns.map(({ name, header = name }) => header);
  const reader = sqlReader(db);
  const checked = await Promise.all(
    model.inputs.map(async (input): Promise<CheckedInput> => {
      return { ...input, sql: await checkedSql(reader, `the input "${input.name}"`, input.sql) };
    }),
  );
  await checkColumns(db, checked, names);
  await checkValues(db, checked);
  for (const input of checked) {
    const odd = unread.find(({ name }) => name === input.column);
    if (odd && odd.count > odd.of / 2) {
      throw new DataError(
        `the model reads ${wordsOf(input)} from the column "${odd.name}", and ${count(odd.count)} of its ${count(odd.of)} values are something else, as ${JSON.stringify(shortened(odd.example, 60))}. ${odd.disagreements[0] ?? "Mend the column, or say how it is written with --date-format, --decimal or --null-values"}.`,
      );
    }
  }
  return { columns, numRows, inputs: checked, notes };
}

/** What is known beforehand of files that a model reads. */
function servedKnown({ inputs, columns, reading }: ReadModel, given: GivenReading): SourceKnown {
  const { all, of } = givenFormats(given.dateFormats ?? [], reading.columns);
  const readings = reading.columns.map(({ name, reading: own }) => {
    const other = readingOf(name, own, given);
    // What is said of one column of these files counts before what is said of all.
    if (other !== undefined) return [name, readAs(own, other)] as const;
    const formats = of.get(name) ?? all;
    return [name, overridden(own, formats, given.decimal)] as const;
  });
  const spans = reading.columns.flatMap(({ name, span = null, reading: own }) =>
    readingOf(name, own, given) !== undefined || (of.get(name) ?? all).length > 0 ? [] : [[name, span] as const],
  );
  const needed = inputs.flatMap(({ column }) => (column === undefined ? [] : [column]));
  const headers = new Map(reading.columns.map(({ name, header = name }) => [name, header]));
  const header = needed.map((name) => headers.get(name) ?? name);
  const nullValues = given.nullValues ?? reading.nullValues;
  const { encoding = reading.encoding, delimiter } = given;
  return {
    named: reading.columns,
    ...(columns === null ? { header: true } : { sourceColumns: columns, header }),
    reading: {
      ...(encoding !== undefined && { encoding }),
      ...(delimiter !== undefined && { delimiter }),
      ...(nullValues !== undefined && { nullValues }),
      columns: Object.fromEntries(readings),
    },
    spans: new Map(spans.filter(([name]) => inputs.some((input) => readsColumn(input, name)))),
    // For a model that was trained on columns with types, such as those of Parquet.
    wanted: () =>
      new Map(inputs.flatMap(({ column, type }) => (column === undefined ? [] : [[column, type] as const]))),
  };
}

/** The reading of a column that is given for these files, where it is of the kind that a model reads there. */
function readingOf(name: string, own: ColumnReading, { columns = {} }: GivenReading): ColumnReading | undefined {
  const found = columnNamed(
    name,
    Object.keys(columns).map((one) => ({ name: one })),
  );
  const other = found === null || found === "several" ? undefined : columns[found.name];
  return other?.as === own.as ? other : undefined;
}

/** Notes on columns that are read as it is given for these files, where training read its files in another way. */
function otherReadings({ inputs, reading }: ReadModel, given: GivenReading): string[] {
  return reading.columns.flatMap(({ name, reading: own }) => {
    const other = readingOf(name, own, given);
    if (other === undefined || !inputs.some((input) => readsColumn(input, name))) return [];
    const [here, there] = [readingWords(readAs(own, other)), readingWords(own)];
    return here === there ? [] : [`${name}: read as ${here}, as is said of these files; training read ${there}`];
  });
}

/** Batches of the model's inputs, with the values of further expressions, of rows as SQL says them after "from". */
export async function* servedRows(
  db: Database,
  inputs: readonly CheckedInput[],
  more: readonly { readonly sql: string; readonly type: "number" | "text" }[] = [],
  from = "source_rows",
): AsyncGenerator<{ readonly inputs: ValueColumns; readonly more: ValueColumns }, void, void> {
  const values = [...inputs.map(valueSql), ...more.map(({ sql }) => sql)];
  const types = [...inputs.map(({ type }) => (type === "text" ? "text" : "number")), ...more.map(({ type }) => type)];
  for await (const columns of db.columns(`select ${values.join(", ")} from ${from}`, types)) {
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

/** Throws {@link DataError} for an input that cannot be computed from the columns. */
async function checkColumns(db: Database, inputs: readonly CheckedInput[], names: readonly string[]): Promise<void> {
  await askSome(inputs, async (some) => {
    try {
      await db.run(`select ${some.map(({ sql }) => enclosed(sql)).join(", ")} from source_shape`);
    } catch (error) {
      throw missing(some[0] as CheckedInput, names, error);
    }
  });
}

function missing(input: CheckedInput, names: readonly string[], error: unknown): DataError {
  const { column, sql } = input;
  const near = column === undefined ? undefined : nearest(column, names);
  return new DataError(
    [
      column === undefined
        ? `the model reads ${sql}, which cannot be computed from this data. DuckDB: ${brief(error)}`
        : `the model reads the column "${column}" (${wordsOf(input)}), and the data has none of that name.`,
      `Columns of the data: ${firstNames(names, 60)}`,
      ...(near === undefined ? [] : [`Did you mean ${near}? Rename it to ${column}.`]),
    ].join("\n  "),
    { cause: error },
  );
}

/** Throws {@link DataError} for an input that has values of another type than the model reads. */
async function checkValues(db: Database, inputs: readonly CheckedInput[]): Promise<void> {
  const typed = inputs.filter(({ type }) => type !== "text");
  await askSome(typed, async (some) => {
    const asked = some.flatMap(({ type, sql }) => {
      const value = enclosed(sql);
      const target = type === "time" ? "timestamp" : "double";
      const isBad = `${value} is not null and try_cast(${value} as ${target}) is null`;
      return [`count(*) filter (${isBad})`, `min(cast(${value} as varchar)) filter (${isBad})`];
    });
    const [row = []] = await db.rows(`select ${asked.join(", ")} from source_rows`).catch((error: unknown) => {
      if (some.length > 1) throw error;
      return [["all", `a ${some[0]?.type === "time" ? "value" : "number"} of another type`]];
    });
    for (const [i, input] of some.entries()) {
      const [bad, example] = row.slice(2 * i, 2 * i + 2);
      if (Number(bad) === 0) continue;
      const { name, sql, column } = input;
      throw new DataError(
        `the model reads ${wordsOf(input)} from ${column === undefined ? sql : `the column "${name}"`}, and in ${bad} rows it is something else, as ${JSON.stringify(example)}. Mend the column, or leave the values empty where they are missing.`,
      );
    }
  });
}

function wordsOf({ type }: Pick<ServedInput, "type">): string {
  return type === "time" ? "points in time" : type === "number" ? "numbers" : "text";
}

function brief(error: unknown): string {
  return messageOf(error).split("\n")[0] ?? "";
}

/**
 * Names that are free among others and differ among themselves by more than case, in the order of the wanted ones. A
 * wanted name that is free stays as it is; the others get a number that makes no wanted name, so that "a_2" is never
 * what another one was renamed to.
 */
export function freeNames(wanted: readonly string[], taken: readonly string[]): string[] {
  const used = new Set(taken.map((name) => name.toLowerCase()));
  const isKept = wanted.map((name) => {
    const isFree = !used.has(name.toLowerCase());
    used.add(name.toLowerCase());
    return isFree;
  });
  return wanted.map((name, i) => {
    if (isKept[i]) return name;
    for (let number = 2; ; number++) {
      const other = `${name}_${number}`;
      if (used.has(other.toLowerCase())) continue;
      used.add(other.toLowerCase());
      return other;
    }
  });
}
