/** Numbers as people read them. */
import { printableName } from "./printable.js";

/** 3660 as 3,660. */
export function count(n: number): string {
  return n.toLocaleString("en-US");
}

/** 1 as "1 row", and 3660 as "3,660 rows". */
export function counted(n: number, one: string, several = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : several}`;
}

/** A count of repetitions, in total or per second, in two digits: 0.43, 7.5, 120. */
export function times(n: number): string {
  return n >= 9.95 ? count(Math.round(n)) : n.toPrecision(2);
}

/** A share in percent, with so many digits that a share below 1 is not shown as 100 %. */
export function percent(share: number): string {
  const text = (100 * share)
    .toFixed(share > 0.999 && share < 1 ? 3 : 1)
    .replace(/\.0+$/, "")
    .replace(/^-0$/, "0");
  return `${text === "100" && share < 1 ? "99.999" : text} %`;
}

/** A loss in nats, four digits. */
export function loss(nats: number): string {
  return nats.toFixed(4);
}

/** A number of any size, five digits. */
export function quantity(x: number): string {
  const size = Math.abs(x);
  return size >= 1e5 && size < 1e15 ? x.toFixed(0) : x.toPrecision(5);
}

/** A value of a table: a whole number as it is, others by four digits, or by as many as are asked for. */
export function short(value: number, digits = 4): string {
  const isPlain = Number.isInteger(value) && Math.abs(value) < 1e12;
  return isPlain ? count(value) : String(Number(value.toPrecision(digits)));
}

/** Values of a table, by as many digits as it takes to tell the least from the largest. */
export function shortTogether(values: readonly number[]): string[] {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  // Enough digits for two digits of the difference.
  const needed =
    most > least ? Math.ceil(Math.log10(Math.max(Math.abs(least), Math.abs(most)) / (most - least))) + 2 : 4;
  const digits = Math.min(17, Math.max(4, needed));
  return values.map((value) => short(value, digits));
}

/** Seconds with one digit. */
export function seconds(s: number): string {
  return `${s.toFixed(1)} s`;
}

/** Seconds as m:ss or h:mm:ss. */
export function duration(s: number): string {
  const whole = Math.max(0, Math.round(s));
  const pad = (n: number) => String(n).padStart(2, "0");
  const [h, m] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  return h > 0 ? `${h}:${pad(m)}:${pad(whole % 60)}` : `${m}:${pad(whole % 60)}`;
}

/** Bytes in decimal units. */
export function bytes(n: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let [value, power] = [n, 0];
  // From 999.95 on, one digit after the point would round up to a thousand.
  for (; value >= (power === 0 ? 1000 : 999.95) && power < units.length - 1; power++) value /= 1000;
  return power === 0 ? `${n} B` : `${value.toFixed(1)} ${units[power]}`;
}

/** Text of at most `length` characters, the last one being an ellipsis where something is cut off. */
export function shortened(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

/** Names separated by commas; of those after the first `most`, only the number is given. */
export function firstNames(names: readonly string[], most = 30): string {
  const numMore = names.length - most;
  return names.slice(0, most).join(", ") + (numMore > 0 ? `, and ${numMore} more` : "");
}

/** A bar of block characters for a fraction from 0 to 1. */
export function bar(fraction: number, width: number): string {
  const filled = Math.round(Math.min(1, Math.max(0, Number.isFinite(fraction) ? fraction : 0)) * width);
  return "█".repeat(filled) + "░".repeat(width - filled);
}

/** Words on lines of at most `width`, the first after `head`, the others after `indent`. */
export function wrapped(text: string, width: number, head = "", indent = ""): string[] {
  const lines: string[] = [];
  let line = head;
  let isEmpty = true;
  for (const word of text.split(/\s+/)) {
    if (!isEmpty && line.length + 1 + word.length > width) {
      lines.push(line);
      line = indent;
      isEmpty = true;
    }
    line = isEmpty ? `${line}${word}` : `${line} ${word}`;
    isEmpty = false;
  }
  return [...lines, line.trimEnd()];
}

const NUMBER = /^[-+\d.,:/]*(e[-+]\d+)?( ?([kMGT]?B|%))?~?$/;

/** Rows of cells as aligned lines, the first row being the head: columns of numbers to the right, others to the left. */
export function table(given: readonly (readonly string[])[]): string[] {
  const rows = given.map((row) => row.map(printableName));
  const [head = [], ...body] = rows;
  const columns = head.map((_, column) => ({
    width: Math.max(...rows.map((row) => (row[column] ?? "").length)),
    isNumeric: body.every((row) => NUMBER.test(row[column] ?? "")),
  }));
  return rows.map((row) =>
    columns
      .map(({ width, isNumeric }, i) => (isNumeric ? (row[i] ?? "").padStart(width) : (row[i] ?? "").padEnd(width)))
      .join("  ")
      .trimEnd(),
  );
}

/**
 * {@link table} in lines of a width: columns that do not fit beside the others stand below them, in a table of their own
 * whose first column is the same. There rows that are empty but for that one are left out. Nothing is cut: a column that
 * is wider than the width stands alone.
 */
export function fittedTable(rows: readonly (readonly string[])[], width: number): string[] {
  const [head = []] = rows;
  const lines: string[] = [];
  for (let first = 1; first < head.length || lines.length === 0; ) {
    const until = (end: number) => tableOf(rows, first, end);
    let end = Math.min(first + 1, head.length);
    while (end < head.length && until(end + 1).every((line) => line.length <= width)) end++;
    lines.push(...(lines.length > 0 ? [""] : []), ...until(end));
    first = Math.max(end, 1);
  }
  return lines;
}

/** The first column and some others; but in the first table, without rows that are empty in these. */
function tableOf(rows: readonly (readonly string[])[], first: number, end: number): string[] {
  const isFilled = (row: readonly string[]) => first <= 1 || row.slice(first, end).some((cell) => cell !== "");
  return table(rows.filter(isFilled).map((row) => [row[0] ?? "", ...row.slice(first, end)]));
}
