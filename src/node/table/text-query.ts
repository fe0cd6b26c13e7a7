/** Writes SQL for the rows of CSV and TSV as text: columns by their names, in whatever order each file has them. */
import { identifier, literal, patternOf } from "../../data/sql.js";
import type { Dialect } from "../../reading/dialect.js";
import { columnFinder, headerNames, type NamedColumn, sqlNames } from "../../reading/names.js";
import type { SourceText } from "./text-files.js";

/** A file and how its lines are taken apart. */
export interface ParsedFile {
  readonly text: SourceText;
  readonly dialect: Dialect;
  /** The names of its columns, in its own order. */
  readonly names: readonly string[];
}

/** The columns of all files: those of the first file, then those that only others have. */
export function columnsOf(files: readonly Pick<ParsedFile, "names">[]): NamedColumn[] {
  const all: string[] = [];
  for (const { names } of files) {
    const find = columnFinder(sqlNames(all));
    const own = new Set(names);
    // A name that differs from a known one in case alone is the known column, unless the file has both.
    all.push(
      ...names.filter((name) => {
        const found = find(name);
        const exact = found === null || found === "several" ? null : (found.header ?? found.name);
        return exact === null || (exact !== name && own.has(exact));
      }),
    );
  }
  return sqlNames(all);
}

/**
 * Columns, where those with the names of `others` get their SQL names; a further column gets none of these SQL names.
 */
export function namedAs(columns: readonly NamedColumn[], others: readonly NamedColumn[]): NamedColumn[] {
  const find = columnFinder(others);
  const found = columns.map(({ name, header = name }) => {
    const other = find(header);
    return { header, own: other === null || other === "several" ? null : other.name };
  });
  const taken = found.map(({ own }) => own).filter((own) => own !== null);
  const free = sqlNames([...taken, ...found.filter(({ own }) => own === null).map(({ header }) => header)]);
  let next = taken.length;
  return found.map(({ header, own }) => {
    const name = own ?? (free[next++]?.name as string);
    return name === header ? { name } : { name, header };
  });
}

/** For each of the columns, its place in a file; -1 where the file has none. */
export function placesIn({ names }: Pick<ParsedFile, "names">, columns: readonly NamedColumn[]): number[] {
  const find = columnFinder(sqlNames(names).map((named, place) => ({ ...named, place })));
  return columns.map(({ name, header = name }) => {
    const found = find(header);
    return found === null || found === "several" ? -1 : found.place;
  });
}

export interface TextQueryOptions {
  /** Leave out malformed lines; `rejects` are SQL options by which DuckDB leaves them out and records them. */
  readonly isLenient?: boolean | undefined;
  readonly rejects?: string | undefined;
  /** Leave out rows that are the header once more. */
  readonly dropHeaders?: boolean | undefined;
}

/** All rows of files, every value as its text; empty ones are null. Rows keep their order. */
export function textQuery(
  files: readonly ParsedFile[],
  columns: readonly NamedColumn[],
  options: TextQueryOptions = {},
): string {
  return groupsOf(files)
    .map((group) => groupQuery(group, columns, options))
    .join(" union all ");
}

/** How many rows are the header once more. */
export function repeatedHeadersQuery(files: readonly ParsedFile[]): string {
  const counts = groupsOf(files)
    .filter(([first]) => first?.dialect.header)
    .map(
      (group) =>
        `(select count(*) from ${readCall(group, { isLenient: true })} where ${isHeaderSql(group[0]?.dialect.header ?? [])})`,
    );
  return `select ${["0", ...counts].join(" + ")}`;
}

/** Files one after the other that one call can read. */
function groupsOf(files: readonly ParsedFile[]): ParsedFile[][] {
  const groups: ParsedFile[][] = [];
  for (const file of files) {
    const last = groups.at(-1);
    if (last?.[0] && keyOf(last[0]) === keyOf(file)) last.push(file);
    else groups.push([file]);
  }
  return groups;
}

function keyOf({ text, dialect, names }: ParsedFile): string {
  const { delimiter, quote, escapeMark, skip, header } = dialect;
  return JSON.stringify([text.compression, delimiter, quote, escapeMark, skip, header, names]);
}

const place = (i: number) => identifier(`c${i}`);

function groupQuery(files: readonly ParsedFile[], columns: readonly NamedColumn[], options: TextQueryOptions): string {
  const [first] = files as [ParsedFile];
  const places = placesIn(first, columns);
  const outputs = columns.map(
    ({ name }, i) =>
      `${places[i] === -1 ? "cast(null as varchar)" : place(places[i] as number)} as ${identifier(name)}`,
  );
  const where = options.dropHeaders && first.dialect.header ? ` where not ${isHeaderSql(first.dialect.header)}` : "";
  return `select ${outputs.join(", ")} from ${readCall(files, options)}${where}`;
}

function readCall(files: readonly ParsedFile[], { isLenient = false, rejects }: TextQueryOptions): string {
  const [{ text, dialect, names }] = files as [ParsedFile];
  const { delimiter, quote, escapeMark, skip } = dialect;
  const options = [
    `[${files.map((file) => literal(patternOf(file.text.readable))).join(", ")}]`,
    "auto_detect = false, header = false, hive_partitioning = false, nullstr = ''",
    `delim = ${literal(delimiter)}, quote = ${literal(quote)}, escape = ${literal(escapeMark)}`,
    `skip = ${skip}, compression = ${literal(text.compression)}`,
    `columns = {${names.map((_, i) => `${literal(`c${i}`)}: 'VARCHAR'`).join(", ")}}`,
    ...(rejects ? [rejects] : isLenient ? ["ignore_errors = true"] : []),
  ];
  return `read_csv(${options.join(", ")})`;
}

function isHeaderSql(header: readonly string[]): string {
  const same = header.map((cell, i) => `${place(i)} is not distinct from nullif(${literal(cell)}, '')`);
  return `(${same.join(" and ")})`;
}

/** The names of a file's columns by its header, or those that are given where it has none. */
export function namesOf({ header, numColumns }: Dialect, given: readonly string[] | null): string[] {
  if (header !== null) return headerNames(header);
  return given ? [...given] : Array.from({ length: numColumns }, (_, i) => `column${i}`);
}
