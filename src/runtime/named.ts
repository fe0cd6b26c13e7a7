/** Records of values by dotted path: params, grads, optimizer memory, inputs. */

import type { NamedArrays } from "./array.js";

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

/** The value under a name that must be there. */
export function named<T>(record: Readonly<Record<string, T>>, name: string): T {
  const value = record[name];
  if (value === undefined) throw new Error(`internal: "${name}" is missing from [${Object.keys(record).join(", ")}]`);
  return value;
}

/** How arrays differ from the float32 arrays that are expected: a sentence for each difference, none when they fit. */
export function misfits(
  arrays: NamedArrays,
  expected: Readonly<Record<string, { readonly shape: readonly number[] }>>,
): string[] {
  const wrong = Object.entries(expected).flatMap(([name, { shape }]) => {
    const array = arrays[name];
    if (array?.dtype === "float32" && array.shape.join() === shape.join()) return [];
    const got = array ? `${array.dtype}[${array.shape.join(", ")}]` : "nothing";
    return [`${name} must be float32[${shape.join(", ")}], got ${got}`];
  });
  const foreign = Object.keys(arrays).filter((name) => !Object.hasOwn(expected, name));
  return [...wrong, ...foreign.map((name) => `${name} is not part of the model`)];
}
