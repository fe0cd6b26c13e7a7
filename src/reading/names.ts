/** Names of columns: in files, in SQL, and in flags. */
import { ConfigError } from "../errors.js";
import { nearest } from "../nearest.js";
import { firstNames } from "../report/format.js";

/** A column of a source. */
export interface NamedColumn {
  /** The name in SQL, where no two names may differ in case alone. */
  readonly name: string;
  /** The name in the files, where it differs from that in SQL. */
  readonly header?: string;
}

/** A column's name as the argument of a flag. */
export function argument(name: string): string {
  return /^\w+$/.test(name) ? name : JSON.stringify(name);
}

/** The names of a header without spaces around them, numbered where they are empty ("column3") or come twice ("a_1"). */
export function headerNames(cells: readonly string[]): string[] {
  const taken = new Set<string>();
  const all = new Set(cells);
  return cells.map((cell, i) => {
    // `trim` removes a byte order mark too.
    const name = cell.trim() || `column${i}`;
    const free = freeAmong(name, (one) => taken.has(one) || (one !== name && all.has(one)));
    taken.add(free);
    return free;
  });
}

/** Columns with these headers, with names that are unique in SQL. */
export function sqlNames(headers: readonly string[]): NamedColumn[] {
  const taken = new Set<string>();
  return headers.map((header) => {
    const name = freeAmong(header, (one) => taken.has(one.toLowerCase()));
    taken.add(name.toLowerCase());
    return name === header ? { name } : { name, header };
  });
}

function freeAmong(name: string, isTaken: (one: string) => boolean): string {
  for (let number = 0; ; number++) {
    const one = number === 0 ? name : `${name}_${number}`;
    if (!isTaken(one)) return one;
  }
}

/**
 * Finds the column that a name means: the column of exactly this name, in the files or in SQL, else the only one whose
 * header differs in case alone. "several" where more than one differs so; null where none does.
 */
export function columnFinder<T extends NamedColumn>(columns: readonly T[]): (wanted: string) => T | "several" | null {
  const [byHeader, byName, byFold] = [new Map<string, T>(), new Map<string, T>(), new Map<string, T | "several">()];
  for (const column of columns) {
    const { name, header = name } = column;
    const fold = header.toLowerCase();
    byFold.set(fold, byFold.has(fold) ? "several" : column);
    if (!byHeader.has(header)) byHeader.set(header, column);
    if (!byName.has(name)) byName.set(name, column);
  }
  return (wanted) => byHeader.get(wanted) ?? byName.get(wanted) ?? byFold.get(wanted.toLowerCase()) ?? null;
}

/** The one of some columns that a name means, as {@link columnFinder} says it. */
export function columnNamed<T extends NamedColumn>(wanted: string, columns: readonly T[]): T | "several" | null {
  return columnFinder(columns)(wanted);
}

/**
 * The column that the argument of a flag names. Throws {@link ConfigError} where it names none, or may name several.
 */
export function columnOfFlag<T extends NamedColumn>(flag: string, wanted: string, columns: readonly T[]): T {
  const found = columnNamed(wanted, columns);
  const names = columns.map(({ name, header = name }) => header);
  if (found === "several") {
    const alike = names.filter((name) => name.toLowerCase() === wanted.toLowerCase());
    throw new ConfigError(
      `${flag}: "${wanted}" may be any of the columns ${alike.join(", ")}, which differ in case alone. Write the one that is meant as it is.`,
    );
  }
  if (found !== null) return found;
  const meant = nearest(wanted, names);
  throw new ConfigError(
    `${flag}: must be a column of the table, got "${wanted}"; the columns are ${firstNames(names)}${meant === undefined ? "" : `. Did you mean ${meant}?`}`,
  );
}

/**
 * The columns that the arguments of a flag name: each argument is one name, or several separated by commas, where a
 * name that has a comma stands in quotes.
 */
export function columnsOfFlag<T extends NamedColumn>(
  flag: string,
  given: readonly string[],
  columns: readonly T[],
): T[] {
  const find = columnFinder(columns);
  return given.flatMap((text) => {
    const whole = find(text.trim());
    if (whole !== null && whole !== "several") return [whole];
    return listed(text).map((name) => columnOfFlag(flag, name, columns));
  });
}

/** The items of a list separated by commas; an item may stand in quotes, with the quotes inside it doubled. */
export function listed(text: string): string[] {
  return [...text.matchAll(/\s*(?:"((?:[^"]|"")*)"|([^,]*))\s*(?:,|$)/g)]
    .map(([, inQuotes, plain = ""]) => inQuotes?.replaceAll('""', '"') ?? plain.trim())
    .filter((name) => name !== "");
}
