/** Records of values by dotted path: params, grads, optimizer state, inputs. */

/** A record with each value mapped. */
export function mapValues<T, U>(
  record: Readonly<Record<string, T>>,
  map: (value: T, name: string) => U,
): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value, name)]));
}

/** A record whose names all get a prefix: `prefix.name`. */
export function withPrefix<T>(prefix: string, record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [`${prefix}.${name}`, value]));
}

/** The part of a record under a prefix, with the prefix taken off. */
export function underPrefix<T>(prefix: string, record: Readonly<Record<string, T>>): Record<string, T> {
  const start = `${prefix}.`;
  const entries = Object.entries(record).filter(([name]) => name.startsWith(start));
  return Object.fromEntries(entries.map(([name, value]) => [name.slice(start.length), value]));
}

/**
 * A record divided by the first part of its names, so that `a.b.c` becomes `b.c` under `a`, in one pass; names of one
 * part are under null.
 */
export function byFirstPart<T>(record: Readonly<Record<string, T>>): ReadonlyMap<string | null, Record<string, T>> {
  const parts = new Map<string | null, [string, T][]>();
  for (const [name, value] of Object.entries(record)) {
    const dot = name.indexOf(".");
    const first = dot < 0 ? null : name.slice(0, dot);
    const part = parts.get(first) ?? [];
    parts.set(first, part);
    part.push([name.slice(dot + 1), value]);
  }
  return new Map([...parts].map(([first, entries]) => [first, Object.fromEntries(entries)]));
}

/** The value under a name that must be there. */
export function named<T>(record: Readonly<Record<string, T>>, name: string): T {
  const value = record[name];
  if (value === undefined) throw new Error(`internal: "${name}" is missing from [${Object.keys(record).join(", ")}]`);
  return value;
}
