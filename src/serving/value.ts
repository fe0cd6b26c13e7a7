/** Values of translated expressions: what is known of them, and how two are brought together. */
import type { Expression, FunctionName } from "./expression.js";

/**
 * What is known of a value. Of numbers: whole, float64, float32 or decimal as they are stored, all exact; "near" numbers
 * may differ in their last bits from DuckDB's, so they are not compared and are no names.
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

/** What a value of a DuckDB type is. */
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

/** Two values brought to one type: a missing one to the other's, a text to the time that it says. */
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

/** The type of what is one value or the other. */
export function joinedKind({ kind: a }: Translated, { kind: b }: Translated): ValueKind | null {
  if (a === b) return a;
  if (a === "boolean" || b === "boolean") return null;
  if (a === "near" || b === "near") return "near";
  // A float32 among decimals becomes neither.
  const has = (kind: ValueKind) => a === kind || b === kind;
  if (has("float64")) return "float64";
  return has("float32") ? null : "decimal";
}
