/** The source of a description: its files, and their rows in a database. */
import { DataError } from "../../../errors.js";
import { columnSql } from "../../../infer/sql.js";
import { columnNamed, columnOfFlag } from "../../../reading/names.js";
import { firstNames, shortened } from "../../../report/format.js";
import type { Database } from "../../sources/duckdb.js";
import type { SourceFormat } from "../../sources/source-files.js";
import { type ReadSource, readSource, type SourceColumn, type SourceKnown } from "../source-rows.js";
import type { OpenFiles } from "../text-files.js";

/** A source whose rows are in the table or view `source_rows`. */
export interface OpenSource extends ReadSource {
  readonly format: SourceFormat;
  readonly numFiles: number;
  readonly bytes: number;
  /** How many malformed lines may be left out. */
  readonly maxBadRows: number;
  /** The names of the columns of files that have no header, where they were given. */
  readonly given: readonly string[] | null;
  /** The bytes that DuckDB may use before it spills to its folder. */
  readonly memoryBytes: number;
}

/**
 * Read the files into `source_rows`, and make `source_shape`, which has its columns and no rows. Data that is larger
 * than the memory budget goes to the database's spill folder.
 *
 * Throws {@link DataError} when none of the files can be read, or there are no rows or no columns.
 */
export async function openSource(db: Database, open: OpenFiles, known: SourceKnown = {}): Promise<OpenSource> {
  const { format, files, bytes } = open;
  const read = await readSource(db, open, known);
  const { columns, numRows } = read;
  const where = files.length === 1 ? files[0] : `${files.length} files`;
  checkColumns(columns, format, where ?? "");
  if (numRows === 0) {
    const names = firstNames(columns.map(({ name }) => name));
    const has = columns.length === 0 ? "is empty" : `has ${columns.length} columns (${names}) and no rows`;
    throw new DataError(`data: a table has rows to learn from, and ${where} ${has}. Check that the file is complete.`);
  }
  return {
    ...read,
    format,
    numFiles: files.length,
    bytes,
    maxBadRows: known.maxBadRows ?? 0,
    given: known.sourceColumns ?? null,
    memoryBytes: db.memoryBytes,
  };
}

/** Throws {@link DataError} for a single column whose name holds a delimiter: its lines were not split into columns. */
function checkColumns([only, ...others]: readonly SourceColumn[], format: SourceFormat, where: string): void {
  if (others.length > 0 || !only || (format !== "csv" && format !== "tsv")) return;
  const delimiter = /[,;|\t^~]/.exec(only.name)?.[0];
  if (delimiter === undefined) return;
  const shown = JSON.stringify(shortened(only.name, 60));
  const cure =
    format === "tsv"
      ? `A .tsv is parted by tabs: rename the file to .csv, where the delimiter is found out, or add --delimiter "${delimiter}".`
      : `Its lines have different numbers of "${delimiter}", so no delimiter was found: add --delimiter "${delimiter}" to be shown the lines that do not fit.`;
  throw new DataError(`data: a table has columns, and ${where} was read as one, named ${shown}. ${cure}`);
}

/** What a flag names: the column, where it is one, and its SQL. */
export function columnOrSql(
  flag: string,
  given: string,
  columns: readonly SourceColumn[],
): { readonly column?: string; readonly sql: string } {
  if (columnNamed(given, columns) === null) return { sql: given };
  const { name } = columnOfFlag(flag, given, columns);
  return { column: name, sql: columnSql(name) };
}
