/** The rows of a source's files in a database, whatever state the files are in. */
import { DataError, messageOf } from "../errors.js";
import type { Database } from "./duckdb.js";
import type { SourceFormat } from "./source-files.js";
import { sourceQuery } from "./table-query.js";

export interface SourceColumn {
  readonly name: string;
  /** Its type in DuckDB. */
  readonly type: string;
}

/**
 * Name the rows `source_rows`, with `source_shape` beside them, which has their columns and no rows. Text is looked through
 * whole for its types each time that its files are named, so it is read into a table once. Columns of CSV among `texts` are
 * text whatever is in them.
 *
 * Throws {@link DataError} when the files cannot be read; of Parquet only the columns are looked at here.
 */
export async function readSource(
  db: Database,
  format: SourceFormat,
  files: readonly string[],
  texts: readonly string[] = [],
): Promise<readonly SourceColumn[]> {
  try {
    const kind = format === "parquet" ? "view" : "table";
    await db.run(
      `create ${kind} source_rows as ${sourceQuery(format, files, await present(db, format, files, texts))}`,
    );
    await db.run("create table source_shape as select * from source_rows limit 0");
  } catch (error) {
    throw unreadable(format, files, error);
  }
  const columns = await db.rows("describe source_shape");
  return columns.map(([name, type]) => ({ name: String(name), type: String(type) }));
}

/** Those of some columns that files have: DuckDB refuses to be told of others. */
async function present(
  db: Database,
  format: SourceFormat,
  files: readonly string[],
  names: readonly string[],
): Promise<readonly string[]> {
  if (names.length === 0 || (format !== "csv" && format !== "tsv")) return [];
  const columns = await db.rows(`describe ${sourceQuery(format, files, [], 1)}`);
  return columns.map(([name]) => String(name)).filter((name) => names.includes(name));
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
