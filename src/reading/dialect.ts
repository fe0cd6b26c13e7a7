/** Finds the dialect of a delimited file from its beginning: delimiter, quotes, header, and the lines above it. */
import { LONGEST, LOOKS } from "./census.js";
import { amountOf, marksOf } from "./number-text.js";
import { NULL_MARKS } from "./reading.js";
import { type ParsedRecord, type Parsing, recordsOf } from "./records.js";
import { writtenAs } from "./time-text.js";

export interface Dialect extends Parsing {
  /** Records above the first row, blank lines included: the header, and lines that are not part of the table. */
  readonly skip: number;
  /** The cells of the header; null where the first line is a row. */
  readonly header: readonly string[] | null;
  readonly numColumns: number;
  /** What else was found: phrases that continue a sentence after the file's name. */
  readonly notes: readonly string[];
}

/** What is known before the file is looked at. */
export interface DialectKnown {
  readonly delimiter?: string | undefined;
  /** Whether there is a header, or names of columns that a header must all have; found out when left out. */
  readonly header?: boolean | readonly string[] | undefined;
}

const DELIMITERS = [",", ";", "\t", "|", "^", "~"];
/** Other quotes than RFC 4180's are tried where they are found. */
const QUOTES = [
  { quote: '"', escapeMark: '"', isThere: /^/ },
  { quote: '"', escapeMark: "\\", isThere: /\\"/ },
  { quote: "'", escapeMark: "'", isThere: /(^|[\n,;\t|])'[^'\n]*'([\r\n,;\t|]|$)/ },
];
/** Lines that are looked at, and those above a header at most. */
const MOST_RECORDS = 1000;
const MOST_ABOVE = 30;

/** The dialect of a file that begins with `head`, which ends in the middle of a line unless it is the whole file. */
export function dialectOf(head: string, isWhole: boolean, known: DialectKnown): Dialect {
  const said = /^\uFEFF?sep=([^\r\n])\r?\n/i.exec(head);
  const delimiters = known.delimiter ? [known.delimiter] : said ? [said[1] ?? ","] : DELIMITERS;
  const quotes = QUOTES.filter(({ isThere }) => isThere.test(head));
  const candidates = delimiters.flatMap((delimiter) =>
    quotes.map(({ quote, escapeMark }) => ({ delimiter, quote, escapeMark })),
  );
  const tried = candidates.map((parsing, order) => {
    const { records, numOdd } = recordsOf(head, parsing, isWhole, MOST_RECORDS);
    return { parsing, records, order, ...agreementOf(records), numOdd };
  });
  const [best] = tried.sort(
    (a, b) => b.share - a.share || a.numOdd - b.numOdd || b.numColumns - a.numColumns || a.order - b.order,
  );
  if (best === undefined) throw new Error("internal: there is a delimiter");
  const isApart = best.numColumns > 1;
  return dialectIn(best.records, isApart ? best.numColumns : 1, best.parsing, known.header, said !== null);
}

/**
 * The number of values that most records have, and the share of these records; below two values, the table is not
 * separated.
 */
function agreementOf(records: readonly ParsedRecord[]): { readonly numColumns: number; readonly share: number } {
  const counts = new Map<number, number>();
  for (const { cells } of records) counts.set(cells.length, (counts.get(cells.length) ?? 0) + 1);
  const [most] = [...counts].filter(([width]) => width > 1).sort((a, b) => b[1] - a[1] || b[0] - a[0]);
  const share = most ? most[1] / records.length : 0;
  return most && share >= 0.5 ? { numColumns: most[0], share } : { numColumns: 1, share: 0 };
}

function dialectIn(
  all: readonly ParsedRecord[],
  width: number,
  parsing: Parsing,
  known: DialectKnown["header"],
  isSaid: boolean,
): Dialect {
  const notes: string[] = [];
  const above = isSaid ? 1 : numAbove(all, width);
  if (above > 0 && !isSaid)
    notes.push(`begins with ${above} ${above === 1 ? "line" : "lines"} above the table, left out`);
  const [first, ...rows] = all.slice(above);
  const start = { ...parsing, numColumns: width, notes };
  if (first === undefined) return { ...start, skip: 0, header: null };
  const isHeader =
    typeof known === "boolean" ? known : known ? hasNames(first.cells, known) : looksLikeHeader(first.cells, rows);
  if (!isHeader) return { ...start, skip: first.above, header: null };
  const header = fitted(first.cells, rows, width, notes);
  const second = rows[0];
  const isSecond = known === undefined && second !== undefined && isSecondHeader(second.cells, rows.slice(1));
  if (isSecond)
    notes.push(
      `has a second header in line ${second.line} (${second.cells.slice(0, 4).join(", ")}), which is left out`,
    );
  return { ...start, skip: (isSecond ? second : first).above + 1, header };
}

/** The number of lines of one cell above the first record of about `width` cells. */
function numAbove(records: readonly ParsedRecord[], width: number): number {
  if (width === 1) return 0;
  const first = records.findIndex(({ cells }) => cells.length >= width - 1 && cells.length > 1);
  const isAbove = ({ cells }: ParsedRecord) => cells.slice(1).every((cell) => cell.trim() === "");
  return first > 0 && first <= MOST_ABOVE && records.slice(0, first).every(isAbove) ? first : 0;
}

function hasNames(cells: readonly string[], names: readonly string[]): boolean {
  const own = new Set(cells.map((cell) => cell.trim().toLowerCase()));
  return names.every((name) => own.has(name.toLowerCase()));
}

/**
 * The header with one name for each column. A header with one name fewer lacks that of row names, or of the empty
 * column that a trailing delimiter makes.
 */
function fitted(
  cells: readonly string[],
  rows: readonly ParsedRecord[],
  width: number,
  notes: string[],
): readonly string[] {
  if (cells.length === width + 1 && cells.at(-1)?.trim() === "") return cells.slice(0, width);
  if (cells.length !== width - 1 || rows.length === 0) return cells;
  const isTrailing = rows.every(({ cells: row }) => row.length !== width || row.at(-1)?.trim() === "");
  notes.push(
    isTrailing
      ? "has lines that end in a delimiter: a last column without values"
      : "has a first column without a name",
  );
  return isTrailing ? [...cells, ""] : ["", ...cells];
}

type Kind = "number" | "time" | "text" | null;

const NUMBER = new RegExp(
  `^(?:${[LOOKS.whole, LOOKS.plus, LOOKS.big, LOOKS.zeros, LOOKS.fraction, LOOKS.exponent].join("|")})$`,
);

function kindOfCell(cell: string): Kind {
  const text = cell.trim();
  if (text === "" || NULL_MARKS.some((mark) => mark === text.toLowerCase())) return null;
  if (text.length > LONGEST || !/[0-9]/.test(text)) return "text";
  if (NUMBER.test(text)) return "number";
  const amount = amountOf(text);
  if (amount && marksOf(amount.digits)) return "number";
  return writtenAs(text) ? "time" : "text";
}

/** The kind of each column whose values are all numbers or all times; null for other columns. */
function kindsOf(rows: readonly ParsedRecord[], width: number): Kind[] {
  return Array.from({ length: width }, (_, i) => {
    const kinds = new Set(rows.map(({ cells }) => kindOfCell(cells[i] ?? "")).filter((kind) => kind !== null));
    const [only = null] = kinds;
    return kinds.size === 1 && only !== "text" ? only : null;
  });
}

/**
 * Whether the first line consists of names: where columns of numbers or times follow, one of its cells above them is
 * text; where none follow, no cell occurs again below it.
 */
function looksLikeHeader(first: readonly string[], rows: readonly ParsedRecord[]): boolean {
  const kinds = kindsOf(rows.slice(0, 200), first.length);
  const typed = first.map((cell, i) => (kinds[i] === null ? null : kindOfCell(cell))).filter((kind) => kind !== null);
  if (typed.length > 0) return typed.some((kind) => kind === "text");
  if (rows.length === 0) return first.every((cell) => kindOfCell(cell) === "text");
  const others = rows.filter(({ cells }) => cells.join("\n") !== first.join("\n"));
  return first.every((cell, i) => cell.trim() === "" || others.every(({ cells }) => cells[i] !== cell));
}

/** Whether the first row has text in every column of numbers or times. */
function isSecondHeader(cells: readonly string[], rows: readonly ParsedRecord[]): boolean {
  if (rows.length < 3) return false;
  const typed = kindsOf(rows.slice(0, 200), cells.length).flatMap((kind, i) =>
    kind === null ? [] : [kindOfCell(cells[i] ?? "")],
  );
  return typed.some((kind) => kind === "text") && typed.every((kind) => kind === "text" || kind === null);
}
