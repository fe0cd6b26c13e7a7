/** Reads the rows of JSON: successive values, as in JSON lines, or the elements of one list. */
import { DataError, messageOf } from "../../errors.js";
import { count, shortened } from "../../report/format.js";
import { type FileText, linesIn } from "../sources/text-file.js";

export interface JsonRow {
  readonly value: unknown;
  /** Where it begins, counted from 1. */
  readonly line: number;
  readonly bytesRead: number;
}

/** Characters that a row may have. */
const LONGEST_ROW = 1 << 28;

/** The rows of a file. Throws {@link DataError} for invalid JSON, with its line. */
export async function* jsonRows(path: string, parts: AsyncIterable<FileText>): AsyncGenerator<JsonRow, void, void> {
  let line = 1;
  let place: "begin" | "rows" | "list" | "over" = "begin";
  let [heldLength, lastRead] = [0, 0];
  /** The beginning of the present row, and the scanner that looks for its end. */
  let held: string[] = [];
  let scan: ((text: string, from: number) => number) | null = null;

  const broken = (why: string, cause?: unknown) =>
    new DataError(
      `text: ${path} must be JSON lines or a list of records, and its line ${count(line)} is not: ${why}. Mend that line, or leave it out.`,
      { cause },
    );
  const rowOf = (bytesRead: number): JsonRow => {
    const text = held.join("");
    const begin = line;
    try {
      return { value: JSON.parse(text), line: begin, bytesRead };
    } catch (error) {
      throw broken(`${messageOf(error)} (${JSON.stringify(shortened(text, 60))})`, error);
    } finally {
      line += linesIn(text);
      [held, heldLength, scan] = [[], 0, null];
    }
  };

  for await (const { text, bytesRead } of parts) {
    lastRead = bytesRead;
    for (let at = 0; at < text.length; ) {
      if (scan === null) {
        const sign = text[at] as string;
        const isSpace = " \t\r\n".includes(sign);
        if (sign === "\n") line++;
        else if (place === "begin" && sign === "[") place = "list";
        else if (place === "list" && sign === "]") place = "over";
        else if (!isSpace && !(place === "list" && sign === ",")) {
          if (place === "over") throw broken("something follows the list");
          if (place === "begin") place = "rows";
          scan = valueScanner();
        }
        if (scan === null) at++;
        continue;
      }
      const end = scan(text, at);
      const part = text.slice(at, end < 0 ? text.length : end);
      held.push(part);
      heldLength += part.length;
      at += part.length;
      if (end >= 0) yield rowOf(bytesRead);
      else if (heldLength > LONGEST_ROW) throw broken("its value has no end, or more than 256 million characters");
    }
  }
  if (scan !== null) yield rowOf(lastRead);
  if (place === "list") throw broken("the file ends before its list does");
}

/**
 * A scanner for the end of a value that begins where it is first called. It is called with piece after piece, and
 * returns the index after the value's last character, or -1 when the value ends in a later piece.
 */
function valueScanner(): (text: string, from: number) => number {
  let [depth, isText, isEscaped, isFirst] = [0, false, false, true];
  return (text, from) => {
    for (let at = from; at < text.length; at++) {
      const sign = text[at] as string;
      const begins = isFirst;
      isFirst = false;
      if (isText) {
        if (isEscaped) isEscaped = false;
        else if (sign === "\\") isEscaped = true;
        else if (sign === '"') {
          isText = false;
          if (depth === 0) return at + 1;
        } else if (sign === "\n") return at; // Texts have no line ends as they are: this one is broken.
      } else if (sign === '"') isText = true;
      else if (sign === "{" || sign === "[") depth++;
      else if (depth === 0 && !begins && " \t\r\n,]".includes(sign)) return at;
      else if ((sign === "}" || sign === "]") && --depth <= 0) return at + 1;
    }
    return -1;
  };
}
