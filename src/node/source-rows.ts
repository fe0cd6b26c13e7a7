/** The rows of a source's files in a database, whatever state the files are in. */
import { DataError, messageOf } from "../errors.js";
import type { Database } from "./duckdb.js";
import type { SourceFormat } from "./source-files.js";
import { type CsvKnown, sourceQuery } from "./table-query.js";

export interface SourceColumn {
  readonly name: string;
  /** Its type in DuckDB. */
  readonly type: string;
}

/**
 * Name the rows `source_rows`, with `source_shape` beside them, which has their columns and no rows. Text is looked through
 * whole for its types each time that its files are named, so it is read into a table once. Throws too for names of columns
 * that do not fit the files.
 *
 * Throws {@link DataError} when the files cannot be read; of Parquet only the columns are looked at here.
 */
export async function readSource(
  db: Database,
  format: SourceFormat,
  files: readonly string[],
  known: CsvKnown = {},
): Promise<readonly SourceColumn[]> {
  if (known.columns) await checkColumns(db, format, files, known.columns);
  try {
    const kind = format === "parquet" ? "view" : "table";
    await db.run(
      `create ${kind} source_rows as ${sourceQuery(format, files, await present(db, format, files, known))}`,
    );
    await db.run("create table source_shape as select * from source_rows limit 0");
  } catch (error) {
    throw unreadable(format, files, error);
  }
  const columns = await db.rows("describe source_shape");
  return columns.map(([name, type]) => ({ name: String(name), type: String(type) }));
}

/** Less the columns that the files do not have: DuckDB refuses to be told of others. */
async function present(
  db: Database,
  format: SourceFormat,
  files: readonly string[],
  { columns, texts = [] }: CsvKnown,
): Promise<CsvKnown> {
  if (texts.length === 0 || (format !== "csv" && format !== "tsv")) return { columns };
  const found = await db.rows(`describe ${sourceQuery(format, files, { columns }, 1)}`);
  return { columns, texts: found.map(([name]) => String(name)).filter((name) => texts.includes(name)) };
}

/** Throws {@link DataError} unless the files are CSV or TSV with as many columns as there are names. */
async function checkColumns(
  db: Database,
  format: SourceFormat,
  files: readonly string[],
  columns: readonly string[],
): Promise<void> {
  if (format !== "csv" && format !== "tsv") {
    throw new DataError(
      `table: data.columns names the columns of CSV and TSV without a header, and the source is ${format}, which has names. Leave it out.`,
    );
  }
  const found = await db.rows(`describe ${sourceQuery(format, files, { columns: [] })}`).catch((error: unknown) => {
    throw unreadable(format, files, error);
  });
  if (found.length === columns.length) return;
  throw new DataError(
    `table: data.columns must name every column of the files, which have ${found.length}, got ${columns.length} names: ${columns.slice(0, 5).join(", ")}${columns.length > 5 ? ", ..." : ""}.`,
  );
}

/** The error of a statement over files that DuckDB cannot read, with the file where its message names it. */
export function unreadable(format: SourceFormat, files: readonly string[], error: unknown): DataError {
  const message = messageOf(error).split("\n\n")[0] ?? "";
  const file = files.find((path) => messageOf(error).includes(path)) ?? (files.length === 1 ? files[0] : undefined);
  const of = file === undefined ? "" : ` (${file})`;
  if (/unicode|utf-?8/i.test(message)) {
    const line = /on Line: (\d+)/.exec(message)?.[1];
    return new DataError(
      `table: text is UTF-8, and this is not${of}${line === undefined ? "" : `, first in line ${line}`}. Convert it, for example: iconv -f latin1 -t utf8 old.csv > new.csv`,
      { cause: error },
    );
  }
  return new DataError(`table: the source cannot be read as ${format}${of}. DuckDB: ${message}`, { cause: error });
}
