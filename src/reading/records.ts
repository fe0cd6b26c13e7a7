/** Lines of delimited text as cells, as RFC 4180 has them. */

export interface Parsing {
  readonly delimiter: string;
  readonly quote: string;
  /** The character before a quote that is part of a text in quotes: a second quote, or a backslash. */
  readonly escapeMark: string;
}

export interface ParsedRecord {
  readonly cells: readonly string[];
  /** Its first line in the file, from 1. */
  readonly line: number;
  /** How many records stand above it, blank lines included. */
  readonly above: number;
}

/**
 * The records at the beginning of a text, without blank lines. `numOdd` counts texts in quotes that do not end before a
 * delimiter or at the end of a line, a sign of another dialect.
 */
export function recordsOf(
  text: string,
  { delimiter, quote, escapeMark }: Parsing,
  isWhole: boolean,
  most: number,
): { readonly records: readonly ParsedRecord[]; readonly numOdd: number } {
  const records: ParsedRecord[] = [];
  let cells: string[] = [];
  let [cell, line, start, above, numOdd] = ["", 1, 1, 0, 0];
  let inQuotes = false;
  let wasQuoted = false;
  let at = text.startsWith("\uFEFF") ? 1 : 0;
  const endRecord = () => {
    cells.push(cell);
    if (cells.length > 1 || cell !== "" || wasQuoted) records.push({ cells, line: start, above });
    above++;
    [cells, cell, wasQuoted] = [[], "", false];
  };
  for (; at < text.length && records.length < most; at++) {
    const character = text[at] as string;
    if (character === "\n") line += inQuotes ? 1 : 0;
    if (inQuotes) {
      if (character === escapeMark && text[at + 1] === quote) cell += text[++at];
      else if (character === quote) inQuotes = false;
      else cell += character;
    } else if (character === delimiter) {
      cells.push(cell);
      [cell, wasQuoted] = ["", false];
    } else if (character === "\n" || character === "\r") {
      endRecord();
      if (character === "\r" && text[at + 1] === "\n") at++;
      start = ++line;
    } else if (character === quote && cell.trim() === "" && !wasQuoted) {
      [inQuotes, wasQuoted, cell] = [true, true, ""];
    } else {
      if (wasQuoted && character.trim() !== "") numOdd++;
      cell += character;
    }
  }
  if (inQuotes) numOdd++;
  else if (isWhole && records.length < most && (cell !== "" || cells.length > 0)) endRecord();
  return { records, numOdd };
}
