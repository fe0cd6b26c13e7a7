/** Selects params by patterns on their dotted names. */

/** Names that at least one of `only` matches (all if left out) and none of `except`. */
export interface Selection {
  readonly only?: readonly string[];
  readonly except?: readonly string[];
}

/** Whether a pattern matches a name: "*" matches any characters, dots included, and all else matches itself. */
export function matches(pattern: string, name: string): boolean {
  const [start = "", ...parts] = pattern.split("*");
  const end = parts.pop();
  if (end === undefined) return name === pattern;
  if (!name.startsWith(start)) return false;
  let position = start.length;
  for (const part of parts) {
    const found = name.indexOf(part, position);
    if (found < 0) return false;
    position = found + part.length;
  }
  return name.length - end.length >= position && name.endsWith(end);
}

/** The first of the patterns that matches a name. */
export function firstMatch(patterns: readonly string[], name: string): string | undefined {
  return patterns.find((pattern) => matches(pattern, name));
}

/** Whether a selection holds a name. */
export function isSelected({ only, except = [] }: Selection, name: string): boolean {
  return (only === undefined || firstMatch(only, name) !== undefined) && firstMatch(except, name) === undefined;
}
