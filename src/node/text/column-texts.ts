/** Reads a column of texts as they are written; a value that is not a text is refused, not converted. */
import { join } from "node:path";
import { identifier } from "../../data/sql.js";
import { DataError } from "../../errors.js";
import { nearest } from "../../nearest.js";
import { count, firstNames, shortened } from "../../report/format.js";
import { openDuckdb } from "../sources/duckdb.js";
import type { SourceFormat } from "../sources/source-files.js";
import { type TextFileOptions, textOf } from "../sources/text-file.js";
import { parquetQuery, unreadable } from "../table/typed-rows.js";
import { csvRows } from "./csv-rows.js";
import { jsonRows } from "./json-rows.js";

export interface ColumnOptions extends TextFileOptions {
  readonly cacheFolder: string;
  /** The column that has the text, of files that have columns; "text" by default. */
  readonly field?: string | undefined;
}

/** The text of a row; "" where it has none. */
export interface RowText {
  readonly text: string;
  /** The row's place in its file, as "line 3". */
  readonly place: string;
  readonly bytesRead: number;
}

/**
 * The texts of a file's column. Throws {@link DataError} for a file that cannot be read or has no such column, and for
 * a value that is not a text.
 */
export function columnTexts(
  path: string,
  format: SourceFormat,
  { field = "text", ...options }: ColumnOptions,
): AsyncGenerator<RowText, void, void> {
  if (format === "json") return jsonTexts(path, field, options);
  if (format === "parquet") return parquetTexts(path, field, options);
  return csvTexts(path, field, format === "tsv" ? ["\t"] : [",", ";", "\t", "|"], options);
}

async function* jsonTexts(path: string, field: string, options: ColumnOptions): AsyncGenerator<RowText, void, void> {
  let names = new Set<string>();
  let isFound = false;
  let known = field;
  for await (const { value, line, bytesRead } of jsonRows(path, textOf(path, options))) {
    const place = `line ${count(line)}`;
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new DataError(
        `text: ${path}, ${place}: a row is a record with a text "${field}", and this one is ${kindOf(value)}. Write {"${field}": "..."} for each.`,
      );
    }
    const row = value as Readonly<Record<string, unknown>>;
    if (!Object.hasOwn(row, known)) {
      const name = nameLike(field, Object.keys(row));
      if (name !== undefined) known = name;
      else if (!isFound && names.size < 100) names = new Set([...names, ...Object.keys(row)]);
    }
    const found = Object.hasOwn(row, known) ? row[known] : null;
    isFound ||= Object.hasOwn(row, known);
    if (found !== null && typeof found !== "string") throw noText(path, place, known, kindOf(found));
    yield { text: found ?? "", place, bytesRead };
  }
  if (!isFound && names.size > 0) throw noColumn(path, field, [...names]);
}

async function* csvTexts(
  path: string,
  field: string,
  delimiters: readonly string[],
  options: ColumnOptions,
): AsyncGenerator<RowText, void, void> {
  let column = -1;
  for await (const { fields, line, bytesRead } of csvRows(path, textOf(path, options), field, delimiters)) {
    if (column >= 0) {
      yield { text: fields[column] as string, place: `line ${count(line)}`, bytesRead };
      continue;
    }
    const names = fields.map((name) => name.trim());
    const name = nameLike(field, names);
    if (name === undefined) throw noColumn(path, field, names);
    column = names.indexOf(name);
  }
}

async function* parquetTexts(
  path: string,
  field: string,
  { cacheFolder, signal }: ColumnOptions,
): AsyncGenerator<RowText, void, void> {
  // Not `inTemporaryFolder`, which would remove the folder at the end of a callback, while a generator is still giving
  // rows.
  const db = await openDuckdb(join(cacheFolder, "spill"), { reads: [path], signal });
  const unreadableBy = (error: unknown) => {
    signal?.throwIfAborted();
    return error instanceof DataError ? error : unreadable("parquet", [path], error);
  };
  try {
    const query = parquetQuery([path]);
    const found = await db.rows(`describe ${query}`).catch((error: unknown) => {
      throw unreadableBy(error);
    });
    const types = new Map(found.map(([name, type]) => [String(name), String(type)]));
    const name = nameLike(field, [...types.keys()]);
    if (name === undefined) throw noColumn(path, field, [...types.keys()]);
    const type = types.get(name) as string;
    const isBinary = type === "BLOB";
    if (!isBinary && type !== "VARCHAR" && !type.startsWith("ENUM"))
      throw noText(path, "every row", name, `of type ${shortened(type, 80)}`);
    const column = identifier(name);
    const text = isBinary ? `try(decode(${column}))` : `cast(${column} as varchar)`;
    const isNone = `${column} is not null and ${text} is null`;
    const sql = `select coalesce(${text}, ''), cast(coalesce(${isNone}, false) as double) from (${query})`;
    let row = 0;
    for await (const [texts = [], none = []] of db.columns(sql, ["text", "number"])) {
      for (const [i, one] of (texts as string[]).entries()) {
        const place = `row ${count(++row)}`;
        if (none[i] === 1) throw noText(path, place, name, "bytes that are not UTF-8");
        yield { text: one, place, bytesRead: 0 };
      }
    }
  } catch (error) {
    throw unreadableBy(error);
  } finally {
    await db.close();
  }
}

/** The name itself, or the one that differs from it by case alone. */
function nameLike(field: string, names: readonly string[]): string | undefined {
  if (names.includes(field)) return field;
  const alike = names.filter((name) => name.toLowerCase() === field.toLowerCase());
  return alike.length === 1 ? alike[0] : undefined;
}

function noColumn(path: string, field: string, names: readonly string[]): DataError {
  const near = nearest(field, names);
  return new DataError(
    `text: the documents of ${path} are in its column "${field}", and it has none of that name: ${firstNames(names)}. ${near === undefined ? "Name another with --field (data.field)" : `Did you mean ${near} (--field, data.field)?`}`,
  );
}

function noText(path: string, place: string, name: string, kind: string): DataError {
  return new DataError(
    `text: ${path}, ${place}: a document is a text, and "${name}" is ${kind}. Name a column of texts (--field, data.field), or make a text of each value first.`,
  );
}

function kindOf(value: unknown): string {
  const shown = shortened(JSON.stringify(value), 60);
  if (Array.isArray(value)) {
    const isOfRecords = value.length > 0 && value.every((one) => typeof one === "object" && one !== null);
    return `a list${isOfRecords ? " of records" : ""} (${shown})`;
  }
  if (value === null) return "null";
  if (typeof value === "string") return `a text (${shown})`;
  return `${typeof value === "object" ? "a record" : `a ${typeof value}`} (${shown})`;
}
