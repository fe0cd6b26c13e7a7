/**
 * Text from files of others, as it may reach a terminal. Names of columns, runs and labels, and messages about them, may hold
 * what a terminal obeys (escape sequences) or what turns around or hides the text beside it.
 */

/** C0, DEL and C1 controls, separators of lines and paragraphs, and marks of direction. */
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;

/**
 * Text of several lines: everything unsafe but line feeds and tabs is written as `\uXXXX`. Of JSON it makes the same JSON, since
 * there such characters stand in strings alone.
 */
export function printable(text: string): string {
  return text.replace(UNSAFE, (character) =>
    character === "\n" || character === "\t" ? character : escaped(character),
  );
}

/** Text of one line, as a name: line feeds and tabs too. */
export function printableName(name: string): string {
  return name.replace(UNSAFE, escaped);
}

/** An event, or any other record, with its texts made printable. A text of several lines cannot pass for lines of ours. */
export function printableRecord<T>(value: T): T {
  if (typeof value === "string") return printable(value).replaceAll("\n", "\n  ") as T;
  if (Array.isArray(value)) return value.map(printableRecord) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, printableRecord(part)])) as T;
}
