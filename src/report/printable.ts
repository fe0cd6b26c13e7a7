/**
 * Makes foreign text safe for a terminal. Names of columns, runs and labels, and messages about them, may hold
 * characters that a terminal obeys (escape sequences), or that hide or reverse the text beside them.
 */

/** C0, DEL and C1 controls, separators of lines and paragraphs, and marks of direction. */
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;

/**
 * Text of several lines, in which unsafe characters except line feeds and tabs are written as `\uXXXX`. JSON stays the
 * same JSON, as it has such characters in strings alone.
 */
export function printable(text: string): string {
  return text.replace(UNSAFE, (character) =>
    character === "\n" || character === "\t" ? character : escaped(character),
  );
}

/** Text of one line, such as a name, in which line feeds and tabs are escaped too. */
export function printableName(name: string): string {
  return name.replace(UNSAFE, escaped);
}

/**
 * An event, or any other record, with its strings made printable. Further lines of a string are indented, so that they
 * cannot pass for lines of ours.
 */
export function printableRecord<T>(value: T): T {
  if (typeof value === "string") return printable(value).replaceAll("\n", "\n  ") as T;
  if (Array.isArray(value)) return value.map(printableRecord) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, printableRecord(part)])) as T;
}
