/**
 * When two values of a label are one class. Values are compared as text without spaces around it, and whole numbers
 * without a fraction of zeros ("3.0" is "3"). Values that still differ are one class when both are the same number
 * ("0.50" and ".5", true and 1, false and 0) and no other class is that number. Case counts, and so does every other
 * character.
 */
import { literal } from "./sql.js";

/** Space, tab, line ends, form feed, no-break space. */
const SPACES = [32, 9, 10, 12, 13, 160];
const ZERO_FRACTION = "^([+-]?[0-9]+)[.]0+$";
const NUMBER = "^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?$";
/** Whole numbers from here on are names only: two of them may be one float64. */
const MOST = 2 ** 53;

/** A value as the name of a class. */
export function labelText(value: string): string {
  const spaces = SPACES.map((code) => String.fromCharCode(code)).join("");
  const trimmed = value.replace(new RegExp(`^[${spaces}]+|[${spaces}]+$`, "g"), "");
  return trimmed.replace(new RegExp(ZERO_FRACTION), "$1");
}

/** The name of a class as a number; null when it is not one. */
export function labelNumber(name: string): number | null {
  if (/^true$/i.test(name)) return 1;
  if (/^false$/i.test(name)) return 0;
  const value = new RegExp(NUMBER).test(name) ? Number(name) : Number.NaN;
  return Math.abs(value) < MOST ? value : null;
}

/** {@link labelText} of an expression as SQL. */
export function labelTextSql(sql: string): string {
  const spaces = `concat(${SPACES.map((code) => `chr(${code})`).join(", ")})`;
  return `regexp_replace(trim(cast(${sql} as varchar), ${spaces}), ${literal(ZERO_FRACTION)}, '\\1')`;
}

/** {@link labelNumber} of SQL that is a {@link labelText}. */
function labelNumberSql(text: string): string {
  const number = `case when regexp_full_match(${text}, ${literal(NUMBER)}) then try_cast(${text} as double) end`;
  return `case lower(${text}) when 'true' then 1.0 when 'false' then 0.0 else case when abs(${number}) < ${MOST} then ${number} end end`;
}

/** The index of the class of a value, by the same rule as {@link classIndexSql}; null when it is of no class. */
export function classIndex(value: string, classes: readonly string[]): number | null {
  const { names, numbers } = keysOf(classes);
  const text = labelText(value);
  const number = labelNumber(text);
  const index = [names.indexOf(text), number === null ? -1 : numbers.indexOf(number)].find((one) => one >= 0);
  return index ?? null;
}

/** SQL for the index of the class of an expression's value; null for null and for no class. It repeats `sql`. */
export function classIndexSql(sql: string, classes: readonly string[]): string {
  const { names, numbers } = keysOf(classes);
  const text = labelTextSql(sql);
  const texts = `[${names.map(literal).join(", ")}]`;
  const byName = `nullif(list_position(${texts}, ${text}), 0)`;
  if (numbers.every((number) => number === null)) return `${byName} - 1`;
  const values = `[${numbers.map((number) => (number === null ? "null" : `${number}::double`)).join(", ")}]`;
  return `coalesce(${byName}, nullif(list_position(${values}, ${labelNumberSql(text)}), 0)) - 1`;
}

/** The keys that find a class: its name, and its number when no other class has the same number. */
function keysOf(classes: readonly string[]): { names: string[]; numbers: (number | null)[] } {
  const names = classes.map(labelText);
  const all = names.map(labelNumber);
  const numbers = all.map((number) => (all.filter((one) => one === number).length === 1 ? number : null));
  return { names, numbers };
}
