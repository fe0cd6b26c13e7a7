/** The rows of CSV: every field as it is written, nothing guessed but the delimiter. */
import { Readable } from "node:stream";
import { CsvError, type Info, type Options, parse } from "csv-parse";
import { DataError } from "../../errors.js";
import { count, counted } from "../../report/format.js";
import type { FileText } from "../sources/text-file.js";

export interface CsvRow {
  readonly fields: readonly string[];
  /** Where it begins, counted from 1. */
  readonly line: number;
  readonly bytesRead: number;
}

/** Bytes that a row may have. */
const LONGEST_ROW = 1 << 28;

/** RFC 4180 with any line end; quotes inside an unquoted field are plain characters. */
const DIALECT: Options = {
  record_delimiter: ["\r\n", "\n", "\r"],
  relax_quotes: true,
  relax_column_count: true,
  skip_empty_lines: true,
  max_record_size: LONGEST_ROW,
  info: true,
};

/**
 * Rows with as many fields as the first; empty lines are left out. A field in quotes may have delimiters, line ends,
 * and quotes written twice. The delimiter is found from the first line: the first of comma, semicolon, tab and bar that
 * makes `field` one of its columns.
 *
 * Throws {@link DataError} for a row that breaks these rules, with its line.
 */
export async function* csvRows(
  path: string,
  parts: AsyncIterable<FileText>,
  field: string,
  delimiters: readonly string[],
): AsyncGenerator<CsvRow, void, void> {
  const source = parts[Symbol.asyncIterator]();
  const first = await source.next();
  if (first.done) return;
  let bytesRead = 0;
  async function* texts(): AsyncGenerator<string, void, void> {
    for (let part = first; !part.done; part = await source.next()) {
      bytesRead = part.value.bytesRead;
      yield part.value.text;
    }
  }
  // On an error the stream drops the rows that it has parsed, so the parser itself records its last line.
  let lastLine = 0;
  const parser = parse({
    ...DIALECT,
    delimiter: delimiterOf(first.value.text, field, delimiters),
    on_record(row: string[], { lines }: Info) {
      lastLine = lines;
      return row;
    },
  });
  const input = Readable.from(texts());
  input.once("error", (error) => parser.destroy(error));
  let width = 0;
  const broken = (line: number, why: string, cause?: unknown) =>
    new DataError(
      `text: ${path} must be CSV as RFC 4180 has it, and its row in line ${count(line)} is not: ${why}. Put fields with delimiters, quotes or line ends in quotes, and write quotes in them twice; or make JSON lines of it.`,
      { cause },
    );
  try {
    for await (const { record, info } of input.pipe(parser) as AsyncIterable<{ record: string[]; info: Info }>) {
      width ||= record.length;
      const inRow = record.reduce((sum, value) => sum + lineEndsIn(value), 0);
      const line = info.lines - inRow;
      if (record.length !== width)
        throw broken(line, `it has ${counted(record.length, "field")}, and the first line has ${count(width)}`);
      yield { fields: record, line, bytesRead };
    }
  } catch (error) {
    if (error instanceof CsvError) throw broken(lastLine + 1, reasonOf(error), error);
    throw error;
  } finally {
    input.destroy();
    await source.return?.();
  }
}

function reasonOf({ code, message }: CsvError): string {
  if (code === "CSV_QUOTE_NOT_CLOSED") return "its quotes do not end";
  if (code === "CSV_MAX_RECORD_SIZE") return "its quotes do not end, or it has more than 256 million bytes";
  return message;
}

function lineEndsIn(text: string): number {
  return text.match(/\r\n|\n|\r/g)?.length ?? 0;
}

function delimiterOf(text: string, field: string, delimiters: readonly string[]): string {
  const [first = ""] = /^[^\r\n]*/.exec(text) ?? [];
  const names = (delimiter: string) => first.split(delimiter).map((name) => name.replace(/^\s*"?|"?\s*$/g, ""));
  const has = (delimiter: string) => names(delimiter).some((name) => name.toLowerCase() === field.toLowerCase());
  const most = delimiters.toSorted((a, b) => names(b).length - names(a).length);
  return delimiters.find(has) ?? (most[0] as string);
}
