/** A configuration as plain data, as JSON has it, so that it can be shown, compared and stored. */
import { ConfigError, messageOf } from "../errors.js";
import { shortened } from "../report/format.js";

/** Deeper than any configuration; recursion over a value would overflow the stack at some thousands of levels. */
const MAX_DEPTH = 32;
/** Far more than any configuration has. */
const MAX_VALUES = 1_000_000;

/**
 * A copy of records, lists, strings, numbers (bigints too, which the schema refuses by name) and booleans; getters are
 * read once.
 *
 * Throws {@link ConfigError} with the path of a value that is something else (such as a function or a date), contains
 * itself, nests more than 32 deep or cannot be read, and for more than a million values.
 */
export function plainCopy(value: unknown): unknown {
  let numValues = 0;

  function copy(of: unknown, path: readonly string[], within: readonly unknown[]): unknown {
    const refuse = (why: string, cause?: unknown): never => {
      const place = shortened(path.join("."), 200) || "it";
      throw new ConfigError(`a configuration must be plain data, and ${place} ${why}`, { cause });
    };
    if (++numValues > MAX_VALUES) refuse(`is more than its value number ${MAX_VALUES}`);
    if (typeof of === "function" || typeof of === "symbol") refuse(`is a ${typeof of}`);
    if (typeof of !== "object" || of === null) return of;
    if (within.includes(of)) refuse("contains itself");
    if (within.length === MAX_DEPTH) refuse(`nests more than ${MAX_DEPTH} deep`);
    const inside = [...within, of];
    if (Array.isArray(of)) return Array.from(of, (item, i) => copy(item, [...path, String(i)], inside));
    const kind = Object.prototype.toString.call(of).slice("[object ".length, -1);
    if (kind !== "Object" && kind !== "Module") refuse(`is a ${kind}`);
    const entries = Object.keys(of).map((name) => {
      const at = [...path, name];
      let item: unknown;
      try {
        item = (of as Record<string, unknown>)[name];
      } catch (error) {
        return refuse(`has ${shortened(name, 100)}, which cannot be read: ${shortened(messageOf(error), 500)}`, error);
      }
      return [name, copy(item, at, inside)] as const;
    });
    // Defines its keys, so that one named "__proto__" is a key like any other.
    return Object.fromEntries(entries);
  }

  return copy(value, [], []);
}

/** Whether a value is an object: a record, or a list. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
