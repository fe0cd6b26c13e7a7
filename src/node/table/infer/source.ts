/** The source of a description: its files, and their rows in a database. */

import { DataError } from "../../../errors.js";
import { firstNames, shortened } from "../../../report/format.js";
import type { Database } from "../../duckdb.js";
import { findFiles, type SourceFormat } from "../../source-files.js";
import { notTakenApart, readSource, type SourceColumn, type SourceKnown, unreadable } from "../source-rows.js";

/** What a source has, once its rows are in the table or view `source_rows`. */
export interface OpenSource {
  readonly format: SourceFormat;
  readonly numFiles: number;
  readonly bytes: number;
  readonly columns: readonly SourceColumn[];
  readonly numRows: number;
  /** Lines that were no rows and were left out, and how many may be. */
  readonly numMalformed: number;
  readonly maxBadRows: number;
  /** The names of the columns of files that have no header, where they were given. */
  readonly given: readonly string[] | null;
  /** What DuckDB may use before it spills to its folder. */
  readonly memoryBytes: number;
}

/**
 * Read the files into `source_rows`, with `source_shape` beside it, which has its columns and no rows. What is larger than
 * the memory given goes to the database's spill folder.
 *
 * Throws {@link DataError} when no file matches, none can be read, or there are no rows or no columns.
 */
export async function openSource(
  db: Database,
  source: string | readonly string[],
  known: SourceKnown = {},
): Promise<OpenSource> {
  const { format, files, bytes } = await findFiles(source);
  const { columns, numMalformed } = await readSource(db, format, files, known);
  const [[rows] = []] = await db.rows("select count(*) from source_rows").catch((error: unknown) => {
    throw unreadable(format, files, error);
  });
  const numRows = Number(rows);
  const where = files.length === 1 ? files[0] : `${files.length} files`;
  checkColumns(columns, format, where ?? "");
  if (numRows === 0) {
    const names = firstNames(columns.map(({ name }) => name));
    const has = bytes === 0 ? "is empty" : `has ${columns.length} columns (${names}) and no rows`;
    throw new DataError(`data: a table has rows to learn from, and ${where} ${has}. Check that the file is complete.`);
  }
  return {
    format,
    numFiles: files.length,
    bytes,
    columns,
    numRows,
    numMalformed,
    maxBadRows: known.maxBadRows ?? 0,
    given: known.columns ?? null,
    memoryBytes: db.memoryBytes,
  };
}

/** One column whose name holds a delimiter is a table that was not taken apart. */
function checkColumns(columns: readonly SourceColumn[], format: SourceFormat, where: string): void {
  const delimiter = format === "csv" || format === "tsv" ? notTakenApart(columns) : null;
  if (delimiter === null) return;
  const shown = JSON.stringify(shortened(columns[0]?.name ?? "", 60));
  const cure =
    format === "tsv"
      ? `A .tsv is parted by tabs: rename the file to .csv, where the delimiter is found out.`
      : `Its lines have different numbers of "${delimiter}", so no delimiter was found: look for a line that is cut off, or for a text with "${delimiter}" in it that is not in quotes.`;
  throw new DataError(`data: a table has columns, and ${where} was read as one, named ${shown}. ${cure}`);
}
