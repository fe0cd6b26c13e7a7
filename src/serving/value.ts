/** Values of translated expressions: their kinds, and how two values get a common kind. */
import type { Expression, FunctionName } from "./expression.js";

/**
 * The kind of a value. Numbers are whole, float64, float32 or decimal as they are stored, all exact; "near" numbers may
 * differ in their last bits from DuckDB's, so they are neither compared nor used as names.
 */
export type ValueKind =
  | "boolean"
  | "whole"
  | "float64"
  | "float32"
  | "decimal"
  | "near"
  | "text"
  | "time"
  | "null"
  | "other";

/** A value whose inputs are named by their SQL. */
export interface Translated {
  readonly kind: ValueKind;
  readonly expression: Expression;
}

/** The kind of values of a DuckDB type. */
export function kindOfType(type: string): ValueKind {
  if (type.endsWith("]")) return "other";
  if (/^U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?$/.test(type)) return "whole";
  if (/^(VARCHAR|ENUM|UUID)/.test(type)) return "text";
  if (/^(DATE$|TIMESTAMP)/.test(type)) return "time";
  if (type.startsWith("DECIMAL")) return "decimal";
  if (type === '"NULL"') return "null";
  const kinds: Readonly<Record<string, ValueKind>> = { BOOLEAN: "boolean", DOUBLE: "float64", FLOAT: "float32" };
  return kinds[type] ?? "other";
}

const NUMBERS: ReadonlySet<ValueKind> = new Set(["boolean", "whole", "float64", "float32", "decimal", "near"]);
export const isNumber = ({ kind }: Pick<Translated, "kind">) => NUMBERS.has(kind);
export const isExact = (value: Translated) => isNumber(value) && value.kind !== "near";
export const call = (name: FunctionName, ...args: Expression[]): Expression => ({ call: name, args });
export const made = (kind: ValueKind, name: FunctionName, ...args: readonly Translated[]): Translated => ({
  kind,
  expression: call(name, ...args.map(({ expression }) => expression)),
});
export const yes = (value: boolean): Translated => ({ kind: "boolean", expression: { number: Number(value) } });

/**
 * Converts two values to one kind: a missing value to the kind of the other, a text to the time that it names. Null
 * where that is not possible.
 */
export function alike(a: Translated, b: Translated): readonly [Translated, Translated] | null {
  const isText = a.kind === "text" || b.kind === "text";
  const filled = (x: Translated, other: Translated): Translated => {
    if (x.kind === "null" && other.kind !== "null")
      return { kind: other.kind, expression: isText ? { text: "" } : x.expression };
    return (x.kind === "text" && other.kind === "time" && timeOf(x)) || x;
  };
  const both = [filled(a, b), filled(b, a)] as const;
  const [{ kind: first }, { kind: second }] = both;
  if (first === "other" || second === "other") return null;
  return first === second || (isNumber(both[0]) && isNumber(both[1])) ? both : null;
}

/** A literal as a time: a day, or a day and a time of day, in ISO 8601. */
export function timeOf({ expression }: Translated): Translated | null {
  if (!("text" in expression)) return null;
  const parts = /^(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?))?$/.exec(expression.text);
  if (!parts) return null;
  const time = Date.parse(`${parts[1]}T${parts[2] ?? "00:00"}Z`);
  return Number.isNaN(time) ? null : { kind: "time", expression: { number: time } };
}

/** The kind of an expression that gives one value or the other; null where there is none. */
export function joinedKind({ kind: a }: Translated, { kind: b }: Translated): ValueKind | null {
  if (a === b) return a;
  if (a === "boolean" || b === "boolean") return null;
  if (a === "near" || b === "near") return "near";
  // A float32 and a decimal have no common kind.
  const has = (kind: ValueKind) => a === kind || b === kind;
  if (has("float64")) return "float64";
  return has("float32") ? null : "decimal";
}
