/** The rows of CSV and TSV as text: the view `source_text`, whatever state the files are in. */
import { literal } from "../../data/sql.js";
import { DataError, messageOf } from "../../errors.js";
import { type Dialect, dialectOf } from "../../reading/dialect.js";
import type { NamedColumn } from "../../reading/names.js";
import { count, counted, firstNames, shortened } from "../../report/format.js";
import type { Database } from "../sources/duckdb.js";
import { textOf } from "../sources/text-file.js";
import { checkMalformed, STORE_REJECTS, takeMalformed } from "./malformed-rows.js";
import type { OpenFiles, SourceText } from "./text-files.js";
import {
  columnsOf,
  namedAs,
  namesOf,
  type ParsedFile,
  placesIn,
  repeatedHeadersQuery,
  textQuery,
} from "./text-query.js";

/** What is known of text files before they are read. */
export interface TextKnown {
  readonly delimiter?: string | undefined;
  /** How many malformed lines may be left out; 0 by default. */
  readonly maxBadRows?: number | undefined;
  /** The names of the columns, for files without a header. With them no file has a header, unless `header` says so. */
  readonly sourceColumns?: readonly string[] | undefined;
  /** Whether files have a header, or names that a header must all have. */
  readonly header?: true | readonly string[] | undefined;
  /** The columns of a model: columns of the files with the same names get the same names in SQL. */
  readonly named?: readonly NamedColumn[] | undefined;
}

/** Rows of a source before any text became a value: the view `source_text`. */
export interface SourceTexts {
  /** The columns with their types in DuckDB; text is not read as values yet. */
  readonly columns: readonly (NamedColumn & { readonly type: string })[];
  readonly numRows: number;
  readonly numMalformed: number;
  /** The delimiter between values, of the first file where files differ. */
  readonly delimiter: string;
  readonly notes: readonly string[];
}

/**
 * Make the view `source_text`. Throws {@link DataError} when there are more malformed lines than may be left out, and
 * for names that do not fit the files.
 */
export async function nameTexts(db: Database, open: OpenFiles, known: TextKnown): Promise<SourceTexts> {
  const files: ParsedFile[] = [];
  const notes: string[] = [];
  for (const text of open.texts) files.push(await parsed(db, text, open, known, files[0], notes));
  const columns = namedAs(columnsOf(files), known.named ?? []);
  if (columns.length === 0) {
    await db.run("create or replace view source_text as select null as column0 limit 0");
    return { columns: [], numRows: 0, numMalformed: 0, delimiter: ",", notes };
  }
  notes.push(...differenceNotes(files, columns));
  const view = (isLenient: boolean, dropHeaders: boolean) =>
    db.run(`create or replace view source_text as ${textQuery(files, columns, { isLenient, dropHeaders })}`);
  await view(false, false);
  let malformed = 0;
  let numRows = await countRows(db).catch(async (error: unknown) => {
    malformed = await countMalformed(db, files, columns, known.maxBadRows ?? 0, error);
    await view(true, false);
    return countRows(db);
  });
  const [[repeats] = []] = numRows === 0 ? [[0]] : await db.rows(repeatedHeadersQuery(files));
  if (Number(repeats) > 0) {
    await view(malformed > 0, true);
    numRows -= Number(repeats);
    notes.push(await repeatNote(files, Number(repeats)));
  }
  const delimiter = files[0]?.dialect.delimiter ?? ",";
  return {
    columns: columns.map((column) => ({ ...column, type: "VARCHAR" })),
    numRows,
    numMalformed: malformed,
    delimiter,
    notes,
  };
}

async function countRows(db: Database): Promise<number> {
  const [[rows] = []] = await db.rows("select count(*) from source_text");
  return Number(rows);
}

/** Find the dialect and the columns of a file; notes on it are added to `notes`. */
async function parsed(
  db: Database,
  text: SourceText,
  { format, files }: OpenFiles,
  known: TextKnown,
  first: ParsedFile | undefined,
  notes: string[],
): Promise<ParsedFile> {
  const head = text.head ?? (await unpackedHead(db, text));
  const { sourceColumns = null } = known;
  const delimiter = known.delimiter ?? (format === "tsv" ? "\t" : undefined);
  const header = known.header ?? (sourceColumns ? ([] as const) : undefined);
  const dialectBy = (isHeader: true | readonly string[] | undefined): Dialect =>
    dialectOf(head, text.isWhole, {
      delimiter,
      header: Array.isArray(isHeader) && isHeader.length === 0 ? false : isHeader,
    });
  let dialect = dialectBy(header);
  if (dialect.header === null && header === undefined && first?.dialect.header) {
    // A first line with one of the first file's names is a header, even if it looks like a row.
    const asHeader = dialectBy(true);
    if (namesOf(asHeader, null).some((name) => first.names.includes(name))) dialect = asHeader;
  }
  const isNameless = dialect.header === null && first?.dialect.header && dialect.numColumns === first.names.length;
  const given = isNameless ? first.names : sourceColumns;
  if (sourceColumns && dialect.header === null && head !== "" && dialect.numColumns !== sourceColumns.length) {
    throw new DataError(
      `data.columns must name every column of the files, which have ${dialect.numColumns}, got ${sourceColumns.length} names: ${sourceColumns.slice(0, 5).join(", ")}${sourceColumns.length > 5 ? ", ..." : ""}.`,
    );
  }
  const where = files.length === 1 ? "the file" : text.path;
  notes.push(
    ...[...text.notes, ...dialect.notes, ...twiceNotes(dialect)].map((note) => `${where} ${note}`),
    ...(isNameless
      ? [`${where} has no header; its columns are taken to be those of ${first.text.path}, in their order`]
      : []),
  );
  return { text, dialect, names: head === "" ? [] : namesOf(dialect, given) };
}

function twiceNotes(dialect: Dialect): string[] {
  const cells = dialect.header?.map((cell) => cell.trim()) ?? [];
  const names = namesOf(dialect, null);
  const twice = cells.flatMap((cell, i) => (cell !== "" && names[i] !== cell ? [`${cell} as ${names[i]}`] : []));
  return twice.length === 0 ? [] : [`has names of columns twice, which are numbered: ${firstNames(twice, 5)}`];
}

/** The first lines of a file that DuckDB alone can unpack. */
async function unpackedHead(db: Database, { readable }: SourceText): Promise<string> {
  const rows = await db.rows(
    `select line from read_csv(${literal(readable)}, auto_detect = false, header = false, delim = '\u0001', quote = '', escape = '',
      compression = 'zstd', columns = {'line': 'VARCHAR'}) limit 1000`,
  );
  return `${rows.map(([line]) => String(line ?? "")).join("\n")}\n`;
}

/** Columns that some files lack, or have beside those of the first. */
function differenceNotes(files: readonly ParsedFile[], columns: readonly NamedColumn[]): string[] {
  const [first, ...others] = files;
  if (first === undefined) return [];
  return others
    .filter(({ names }) => names.length > 0)
    .flatMap((file) => {
      const own = placesIn(file, columns);
      const of = placesIn(first, columns);
      const named = (holds: (i: number) => boolean) =>
        columns.flatMap(({ name, header = name }, i) => (holds(i) ? [header] : []));
      const missing = named((i) => own[i] === -1 && of[i] !== -1);
      const added = named((i) => own[i] !== -1 && of[i] === -1);
      const where = file.text.path;
      return [
        ...(missing.length > 0 ? [`${where} has no column ${firstNames(missing, 5)}: missing in its rows`] : []),
        ...(added.length > 0
          ? [`${where} alone has the column ${firstNames(added, 5)}: missing in the rows of others`]
          : []),
      ];
    })
    .slice(0, 10);
}

/**
 * Count the malformed lines because of which rows could not be counted. Throws {@link DataError} unless they may be
 * left out.
 */
async function countMalformed(
  db: Database,
  files: readonly ParsedFile[],
  columns: readonly NamedColumn[],
  most: number,
  failure: unknown,
): Promise<number> {
  const [[numRows] = []] = await db
    .rows(`select count(*) from (${textQuery(files, columns, { rejects: STORE_REJECTS })})`)
    .catch(() => [[null]]);
  if (numRows === null) throw unreadableText(files, failure);
  const malformed = await takeMalformed(
    db,
    files.map(({ text }) => text),
  );
  if (malformed.count === 0) throw unreadableText(files, failure);
  const of = files.length === 1 ? `${files[0]?.text.path}` : `${files.length} files`;
  checkMalformed(malformed, Number(numRows), most, of);
  return malformed.count;
}

function unreadableText(files: readonly ParsedFile[], error: unknown): DataError {
  const message = messageOf(error).split("\n").slice(0, 2).join(" ");
  const of = files.length === 1 ? files[0]?.text.path : `one of ${count(files.length)} files`;
  return new DataError(`data: ${of} cannot be read as a table. DuckDB: ${shortened(message, 300)}`, { cause: error });
}

const SHOWN = 3;

async function repeatNote(files: readonly ParsedFile[], repeats: number): Promise<string> {
  const places: string[] = [];
  for (const { text, dialect } of files) {
    if (text.head === null || dialect.header === null) continue;
    const line = text.head.split(/\r\n|\r|\n/)[dialect.skip - 1] ?? "";
    for (const number of (await linesEqualTo(text.readable, line)).slice(1)) {
      places.push(`${files.length === 1 ? "" : `${text.path} `}line ${count(number)}`);
    }
    if (places.length > SHOWN) break;
  }
  const shown = places.slice(0, SHOWN).join(", ");
  return `${counted(repeats, "line is", "lines are")} the header once more${shown === "" ? "" : ` (${shown}${repeats > SHOWN ? ", ..." : ""})`}, and left out`;
}

/** The numbers of the first lines of a file that equal a line. */
async function linesEqualTo(path: string, wanted: string): Promise<number[]> {
  const found: number[] = [];
  let [number, rest] = [0, ""];
  for await (const { text } of textOf(path)) {
    const lines = `${rest}${text}`.split(/\r\n|\n/);
    rest = lines.pop() ?? "";
    for (const line of lines) {
      number++;
      if (line === wanted) found.push(number);
    }
    if (found.length > SHOWN + 1) return found;
  }
  return rest === wanted ? [...found, number + 1] : found;
}
