/** The rows of CSV as RFC 4180 has it: every field as it is written, nothing guessed but the delimiter. */
import { DataError } from "../../errors.js";
import { count, counted } from "../../report/format.js";
import { type FileText, linesIn } from "./text-file.js";

export interface CsvRow {
  readonly fields: readonly string[];
  /** Where it begins, counted from 1. */
  readonly line: number;
  readonly bytesRead: number;
}

/** Characters that a row may have. */
const LONGEST_ROW = 1 << 28;

/**
 * Rows with as many fields as the first; empty lines are left out. A field in quotes may have delimiters, line ends, and
 * quotes written twice. The delimiter is found from the first line: the first of comma, semicolon, tab and bar that makes
 * `field` one of its columns.
 *
 * Throws {@link DataError} for what is no such row, with its line.
 */
export async function* csvRows(
  path: string,
  parts: AsyncIterable<FileText>,
  field: string,
  delimiters: readonly string[],
): AsyncGenerator<CsvRow, void, void> {
  let delimiter: string | null = null;
  let [line, rowLine, length, lastRead, width] = [1, 1, 0, 0, 0];
  let row: string[] = [];
  let value = "";
  let place: "begin" | "bare" | "quoted" | "quote" = "begin";
  let wasReturn = false;

  const broken = (why: string) =>
    new DataError(
      `text: ${path} must be CSV as RFC 4180 has it, and its row in line ${count(rowLine)} is not: ${why}. Put fields with delimiters, quotes or line ends in quotes, and write quotes in them twice; or make JSON lines of it.`,
    );
  const endField = () => {
    row.push(value);
    [value, place] = ["", "begin"];
  };
  const isEmptyLine = () => row.length === 0 && value === "" && place === "begin";
  const rowOf = (bytesRead: number): CsvRow => {
    endField();
    width ||= row.length;
    if (row.length !== width)
      throw broken(`it has ${counted(row.length, "field")}, and the first line has ${count(width)}`);
    const found = { fields: row, line: rowLine, bytesRead };
    [row, length] = [[], 0];
    return found;
  };

  for await (const { text, bytesRead } of parts) {
    lastRead = bytesRead;
    delimiter ??= delimiterOf(text, field, delimiters);
    const special = new RegExp(`[${delimiter === "\t" ? "\\t" : delimiter}\r\n]`, "g");
    for (let at = 0; at < text.length; ) {
      if (place === "quoted") {
        const end = text.indexOf('"', at);
        const part = text.slice(at, end < 0 ? text.length : end);
        value += part;
        line += linesIn(part);
        length += part.length;
        if (length > LONGEST_ROW) throw broken("its quotes do not end, or it has more than 256 million characters");
        if (end >= 0) place = "quote";
        at += part.length + Number(end >= 0);
        continue;
      }
      const sign = text[at] as string;
      const isSecondOfTwo = sign === "\n" && wasReturn;
      wasReturn = sign === "\r";
      if (sign === '"' && place !== "bare") {
        if (place === "quote") value += '"';
        place = "quoted";
        at++;
      } else if (sign === delimiter) {
        endField();
        at++;
      } else if (sign === "\n" || sign === "\r") {
        if (!isEmptyLine()) yield rowOf(bytesRead);
        line += Number(!isSecondOfTwo);
        rowLine = line;
        at++;
      } else if (place === "quote") {
        throw broken(`a field in quotes is followed by ${JSON.stringify(sign)}`);
      } else {
        special.lastIndex = at;
        const end = special.exec(text)?.index ?? text.length;
        value += text.slice(at, end);
        place = "bare";
        at = end;
      }
    }
  }
  if (place === "quoted") throw broken("its quotes do not end");
  if (!isEmptyLine()) yield rowOf(lastRead);
}

function delimiterOf(text: string, field: string, delimiters: readonly string[]): string {
  const [first = ""] = /^[^\r\n]*/.exec(text) ?? [];
  const names = (delimiter: string) => first.split(delimiter).map((name) => name.replace(/^\s*"?|"?\s*$/g, ""));
  const has = (delimiter: string) => names(delimiter).some((name) => name.toLowerCase() === field.toLowerCase());
  const most = delimiters.toSorted((a, b) => names(b).length - names(a).length);
  return delimiters.find(has) ?? (most[0] as string);
}
