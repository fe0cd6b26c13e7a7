/** Names, texts and expressions of a user as parts of SQL. */

/** A string literal. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** An identifier, in quotes. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Parentheses keep a user's expression whole; the line break ends a comment at its end. */
export function enclosed(expression: string): string {
  return `(${expression}\n)`;
}
