/** The rows of a source's files in a database, whatever state the files are in. */
import { DataError, messageOf } from "../../errors.js";
import type { Database } from "../duckdb.js";
import { checkGzip } from "../gzip.js";
import type { SourceFormat } from "../source-files.js";
import { checkMalformed, type Malformed, takeMalformed } from "./malformed-rows.js";
import { type CsvKnown, sourceQuery } from "./table-query.js";

export interface SourceColumn {
  readonly name: string;
  /** Its type in DuckDB. */
  readonly type: string;
}

/** What is known of a source beforehand, and how much of it may be left out. */
export interface SourceKnown extends CsvKnown {
  /** Lines of CSV and TSV that are no rows and are left out; 0 by default. */
  readonly maxBadRows?: number | undefined;
}

export interface ReadSource {
  readonly columns: readonly SourceColumn[];
  /** Lines that were left out. */
  readonly numMalformed: number;
}

/**
 * Name the rows `source_rows`, with `source_shape` beside it, which has their columns and no rows. Text is looked through
 * whole for its types each time that its files are named, so it is read into a table once. Throws too for names of columns
 * that do not fit the files.
 *
 * Throws {@link DataError} when the files cannot be read, or have more malformed lines than may be left out; of Parquet only
 * the columns are looked at here.
 */
export async function readSource(
  db: Database,
  format: SourceFormat,
  files: readonly string[],
  { maxBadRows = 0, ...known }: SourceKnown = {},
): Promise<ReadSource> {
  await checkGzip(files);
  if (known.columns) await checkColumns(db, format, files, known.columns);
  const isText = format === "csv" || format === "tsv";
  let failure: unknown;
  let columns = await nameRows(db, format, files, known).catch((error: unknown) => {
    failure = error;
    return null;
  });
  // One line that does not fit may hide the delimiter from a search that makes no allowances.
  const malformed =
    isText && (columns === null || notTakenApart(columns)) ? await readRest(db, format, files, known) : null;
  if (malformed) {
    if (malformed.count > maxBadRows && malformed.isEncoding) throw unreadable(format, files, failure);
    const [[numRows] = []] = await db.rows("select count(*) from source_rows");
    checkMalformed(
      malformed,
      Number(numRows),
      maxBadRows,
      files.length === 1 ? `${files[0]}` : `${files.length} files`,
    );
    columns = malformed.columns;
  }
  if (columns === null) throw unreadable(format, files, failure);
  await db.run("create or replace table source_shape as select * from source_rows limit 0");
  return { columns, numMalformed: malformed?.count ?? 0 };
}

async function nameRows(
  db: Database,
  format: SourceFormat,
  files: readonly string[],
  known: CsvKnown,
): Promise<readonly SourceColumn[]> {
  const kind = format === "parquet" ? "view" : "table";
  const query = sourceQuery(format, files, await present(db, format, files, known));
  await db.run(`create or replace ${kind} source_rows as ${query}`);
  const columns = await db.rows("describe source_rows");
  return columns.map(([name, type]) => ({ name: String(name), type: String(type) }));
}

/** The rows without the lines that are none; null where that does not make a table of it either. */
async function readRest(
  db: Database,
  format: SourceFormat,
  files: readonly string[],
  known: CsvKnown,
): Promise<(Malformed & { readonly columns: readonly SourceColumn[] }) | null> {
  try {
    const columns = await nameRows(db, format, files, { ...known, isLenient: true });
    const malformed = await takeMalformed(db, files.length);
    return malformed.count === 0 || notTakenApart(columns) ? null : { ...malformed, columns };
  } catch {
    return null;
  }
}

/** Whether the one column of some lines has a delimiter in its name: which, then. */
export function notTakenApart([only, ...others]: readonly SourceColumn[]): string | null {
  return others.length > 0 || !only ? null : (/[,;|\t]/.exec(only.name)?.[0] ?? null);
}

/** Less the columns that the files do not have: DuckDB refuses to be told of others. */
async function present(
  db: Database,
  format: SourceFormat,
  files: readonly string[],
  { texts = [], ...known }: CsvKnown,
): Promise<CsvKnown> {
  if (texts.length === 0 || (format !== "csv" && format !== "tsv")) return known;
  const { columns } = known;
  const found = await db.rows(`describe ${sourceQuery(format, files, { columns }, 1)}`);
  return { ...known, texts: found.map(([name]) => String(name)).filter((name) => texts.includes(name)) };
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
      `data.columns names the columns of CSV and TSV without a header, and the source is ${format}, which has names. Leave it out.`,
    );
  }
  const found = await db.rows(`describe ${sourceQuery(format, files, { columns: [] })}`).catch((error: unknown) => {
    throw unreadable(format, files, error);
  });
  if (found.length === columns.length) return;
  throw new DataError(
    `data.columns must name every column of the files, which have ${found.length}, got ${columns.length} names: ${columns.slice(0, 5).join(", ")}${columns.length > 5 ? ", ..." : ""}.`,
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
      `data: text is UTF-8, and this is not${of}${line === undefined ? "" : `, first in line ${line}`}. Convert it, for example: iconv -f latin1 -t utf8 old.csv > new.csv`,
      { cause: error },
    );
  }
  return new DataError(`data: the source cannot be read as ${format}${of}. DuckDB: ${message}`, { cause: error });
}
