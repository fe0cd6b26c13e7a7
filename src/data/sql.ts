/** Names, texts and expressions of a user as parts of SQL. */

/** A string literal. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A float64, with all of its bits. */
export function double(value: number): string {
  return `cast('${value}' as double)`;
}

/** An identifier, in quotes. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Parentheses keep a user's expression whole; the line break ends a comment at its end. */
export function enclosed(expression: string): string {
  return `(${expression}\n)`;
}

/** The path of a file as a pattern that matches it alone: DuckDB takes a star or a bracket in a name for a pattern. */
export function patternOf(path: string): string {
  return path.replace(/[*?[]/g, "[$&]");
}
