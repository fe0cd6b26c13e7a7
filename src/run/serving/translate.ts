/**
 * SQL expressions as {@link Expression}s, from the syntax tree that DuckDB makes of them. What cannot be said in ONNX, or
 * not with the very same result, stays SQL: the largest such part of an expression is an input of the model.
 */
import type { Expression, FunctionName } from "./expression.js";

/** A node of DuckDB's syntax tree (json_serialize_sql), by what is used of it. */
export interface SqlNode {
  readonly class: string;
  readonly type: string;
  readonly [field: string]: unknown;
}

/** What only a database can tell. */
export interface SqlReader {
  /** The syntax tree of an expression. */
  treeOf(sql: string): Promise<SqlNode>;
  /** A node of such a tree as SQL. */
  textOf(node: SqlNode): Promise<string>;
  /** The DuckDB type of an expression over the columns. */
  typeOf(sql: string): Promise<string>;
}

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

/** A tree that has no aggregates, windows or subqueries: those are refused before. */
export async function translate(node: SqlNode, reader: SqlReader): Promise<Translated> {
  return (await partsIn(node, reader)) ?? asInput(await reader.textOf(node), reader);
}

/** Some SQL as an input of the model. */
export async function asInput(sql: string, reader: SqlReader): Promise<Translated> {
  return { kind: kindOfType(await reader.typeOf(sql)), expression: { input: sql } };
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

/** The value of a node whose parts are values, or null where it is not to be had of them. */
async function partsIn(node: SqlNode, reader: SqlReader): Promise<Translated | null> {
  const of = (child: unknown) => translate(child as SqlNode, reader);
  const all = (children: unknown) => Promise.all((children as SqlNode[]).map(of));
  switch (node.class) {
    case "CONSTANT":
      return constantOf(node.value as Constant);
    case "COMPARISON":
      return compare(node.type, await of(node.left), await of(node.right));
    case "CONJUNCTION":
      return (await all(node.children)).reduce<Translated | null>(
        (a, b) => a && logical(node.type === "CONJUNCTION_AND" ? "and" : "or", a, b),
        yes(node.type === "CONJUNCTION_AND"),
      );
    case "BETWEEN": {
      const [x, lower, upper] = await all([node.input, node.lower, node.upper]);
      if (!x || !lower || !upper || node.type !== "COMPARE_BETWEEN") return null;
      const [above, below] = [compare(LESS_OR_EQUAL, lower, x), compare(LESS_OR_EQUAL, x, upper)];
      return above && below && logical("and", above, below);
    }
    case "OPERATOR":
      return operator(node.type, await all(node.children));
    case "CASE": {
      const checks = node.case_checks as { readonly when_expr: SqlNode; readonly then_expr: SqlNode }[];
      const last = await of(node.else_expr);
      const translated = await Promise.all(
        checks.map(async ({ when_expr, then_expr }) => [await of(when_expr), await of(then_expr)] as const),
      );
      return translated.reduceRight<Translated | null>((rest, [when, then]) => rest && choose(when, then, rest), last);
    }
    case "CAST":
      return cast(await of(node.child), String((node.cast_type as { id: string }).id));
    case "FUNCTION":
      return applied(String(node.function_name), await all(node.children));
    default:
      return null;
  }
}

interface Constant {
  readonly type: { readonly id: string; readonly type_info?: { readonly scale?: number } };
  readonly is_null: boolean;
  readonly value?: unknown;
}

const LESS_OR_EQUAL = "COMPARE_LESSTHANOREQUALTO";
const NUMBERS: ReadonlySet<ValueKind> = new Set(["boolean", "whole", "float64", "float32", "decimal", "near"]);
const isNumber = ({ kind }: Translated) => NUMBERS.has(kind);
const isExact = (value: Translated) => isNumber(value) && value.kind !== "near";
const call = (name: FunctionName, ...args: Expression[]): Expression => ({ call: name, args });
const made = (kind: ValueKind, name: FunctionName, ...args: readonly Translated[]): Translated => ({
  kind,
  expression: call(name, ...args.map(({ expression }) => expression)),
});
const yes = (value: boolean): Translated => ({ kind: "boolean", expression: { number: Number(value) } });

function constantOf({ type: { id, type_info }, is_null, value }: Constant): Translated | null {
  if (is_null) return { kind: "null", expression: { number: null } };
  if (typeof value === "string")
    return id === "VARCHAR" && value !== "" ? { kind: "text", expression: { text: value } } : null;
  if (typeof value !== "number" || !Number.isFinite(value)) return null;
  if (Number.isInteger(value) && !Number.isSafeInteger(value) && id !== "DOUBLE") return null;
  if (id === "DECIMAL")
    return { kind: "decimal", expression: { number: Number(`${value}e-${type_info?.scale ?? 0}`) } };
  const kind = kindOfType(id);
  return NUMBERS.has(kind) ? { kind, expression: { number: value } } : null;
}

/** Two values brought to one type: a missing one to the other's, a text to the time that it says. */
function alike(a: Translated, b: Translated): readonly [Translated, Translated] | null {
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
function timeOf({ expression }: Translated): Translated | null {
  if (!("text" in expression)) return null;
  const parts = /^(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?))?$/.exec(expression.text);
  if (!parts) return null;
  const time = Date.parse(`${parts[1]}T${parts[2] ?? "00:00"}Z`);
  return Number.isNaN(time) ? null : { kind: "time", expression: { number: time } };
}

function compare(type: string, left: Translated, right: Translated): Translated | null {
  const both = alike(left, right);
  if (!both || both.some(({ kind }) => kind === "near" || kind === "null")) return null;
  const [a, b] = both;
  if (a.kind === "text") {
    if (type === "COMPARE_EQUAL") return made("boolean", "textEqual", a, b);
    return type === "COMPARE_NOTEQUAL" ? not(made("boolean", "textEqual", a, b)) : null;
  }
  switch (type) {
    case "COMPARE_EQUAL":
      return made("boolean", "equal", a, b);
    case "COMPARE_NOTEQUAL":
      return not(made("boolean", "equal", a, b));
    case "COMPARE_LESSTHAN":
      return made("boolean", "less", a, b);
    case "COMPARE_GREATERTHAN":
      return made("boolean", "less", b, a);
    case LESS_OR_EQUAL:
      return made("boolean", "lessOrEqual", a, b);
    case "COMPARE_GREATERTHANOREQUALTO":
      return made("boolean", "lessOrEqual", b, a);
    default:
      return null;
  }
}

function not(x: Translated): Translated {
  return made("boolean", "not", x);
}

function logical(name: "and" | "or", a: Translated, b: Translated): Translated | null {
  const isLogical = [a, b].every(({ kind }) => kind === "boolean" || kind === "null");
  return isLogical ? made("boolean", name, a, b) : null;
}

function choose(when: Translated, then: Translated, rest: Translated): Translated | null {
  const both = alike(then, rest);
  if (!both || when.kind !== "boolean") return null;
  const [a, b] = both;
  const kind = joinedKind(a, b);
  return kind && made(kind, kind === "text" ? "chooseText" : "choose", when, a, b);
}

/** The type of what is one value or the other. */
function joinedKind({ kind: a }: Translated, { kind: b }: Translated): ValueKind | null {
  if (a === b) return a;
  if (a === "boolean" || b === "boolean") return null;
  if (a === "near" || b === "near") return "near";
  // A float32 among decimals becomes neither.
  const has = (kind: ValueKind) => a === kind || b === kind;
  if (has("float64")) return "float64";
  return has("float32") ? null : "decimal";
}

function operator(type: string, args: readonly Translated[]): Translated | null {
  const [x, ...others] = args;
  if (!x) return null;
  switch (type) {
    case "OPERATOR_NOT":
      return x.kind === "boolean" ? not(x) : null;
    case "OPERATOR_IS_NULL":
      return isMissing(x);
    case "OPERATOR_IS_NOT_NULL": {
      const isNull = isMissing(x);
      return isNull && not(isNull);
    }
    case "OPERATOR_COALESCE":
      return args.reduceRight<Translated | null>((rest, value) => {
        const isNull = isMissing(value);
        return rest && isNull && choose(isNull, rest, value);
      }, args.at(-1) ?? null);
    case "COMPARE_IN":
      return among(x, others);
    case "COMPARE_NOT_IN": {
      const isAmong = among(x, others);
      return isAmong && not(isAmong);
    }
    default:
      return null;
  }
}

function isMissing(x: Translated): Translated | null {
  if (x.kind === "text") return made("boolean", "isTextMissing", x);
  return isNumber(x) || x.kind === "time" ? made("boolean", "isMissing", x) : null;
}

function among(x: Translated, candidates: readonly Translated[]): Translated | null {
  const values = candidates.map((candidate) => {
    const both = alike(x, candidate);
    const value = both && both[0] === x ? both[1].expression : null;
    if (value && "text" in value) return value.text;
    return value && "number" in value ? value.number : null;
  });
  const isOne = x.kind === "text" || x.kind === "time" || isExact(x);
  // Of float32 numbers DuckDB compares rounded ones.
  if (!isOne || x.kind === "float32" || values.includes(null)) return null;
  return { kind: "boolean", expression: { among: x.expression, values: [...new Set(values)] as number[] | string[] } };
}

function cast(x: Translated, type: string): Translated | null {
  const to = kindOfType(type);
  if (to === "time") {
    const time = x.kind === "text" ? timeOf(x) : x;
    if (time?.kind !== "time" || !/^(DATE|TIMESTAMP)$/.test(type)) return null;
    return type === "DATE" ? made("time", "startOfDay", time) : time;
  }
  if (to === "text") {
    if (x.kind === "text") return x;
    return x.kind === "whole" ? made("text", "wholeText", x) : null;
  }
  if (to === "float64") return isNumber(x) ? { ...x, kind: x.kind === "near" ? "near" : "float64" } : null;
  if (to === "whole")
    return x.kind === "boolean" ||
      (x.kind === "whole" && type === "BIGINT") ||
      (type === "INTEGER" && x.kind === "whole")
      ? { ...x, kind: "whole" }
      : null;
  if (to !== "boolean") return null;
  if (x.kind === "text" && "text" in x.expression) {
    if (/^t(rue)?$/i.test(x.expression.text)) return yes(true);
    return /^f(alse)?$/i.test(x.expression.text) ? yes(false) : null;
  }
  return x.kind === "boolean" ? x : null;
}

/** Functions of one number whose results may differ in their last bits. */
const NEAR: Readonly<Record<string, FunctionName>> = { ln: "ln", exp: "exp", sqrt: "sqrt" };

/** Functions of a point in time, under the names that SQL has for them. */
const CALENDAR: Readonly<Record<string, FunctionName>> = {
  year: "year",
  quarter: "quarter",
  month: "month",
  week: "isoWeek",
  weekofyear: "isoWeek",
  day: "dayOfMonth",
  dayofmonth: "dayOfMonth",
  dayofyear: "dayOfYear",
  doy: "dayOfYear",
  dayofweek: "weekday",
  weekday: "weekday",
  dow: "weekday",
  isodow: "isoWeekday",
  hour: "hour",
  minute: "minute",
  second: "second",
};

function applied(name: string, args: readonly Translated[]): Translated | null {
  const [x, y] = args;
  if (!x) return null;
  if (!y) return ofOne(name, x);
  if (args.length === 2) return ofTwo(name, x, y);
  const isFolded = name === "greatest" || name === "least" || name === "concat";
  return isFolded ? args.slice(1).reduce<Translated | null>((a, b) => a && ofTwo(name, a, b), x) : null;
}

function ofOne(name: string, x: Translated): Translated | null {
  const calendar = own(CALENDAR, name);
  if (calendar) return x.kind === "time" ? made("whole", calendar, x) : null;
  if (name === "epoch") return x.kind === "time" ? made("near", "epoch", x) : null;
  if (!isNumber(x) || x.kind === "boolean") return null;
  const near = own(NEAR, name);
  if (near) return made("near", near, x);
  switch (name) {
    case "log":
    case "log10":
      return logarithm(x, 10);
    case "log2":
      return logarithm(x, 2);
    case "-":
      return made(x.kind, "neg", x);
    case "+":
      return x;
    case "abs":
      return made(x.kind, "abs", x);
    case "sign":
      return made("whole", "sign", x);
    case "isfinite":
      return x.kind === "float64" ? made("boolean", "isFinite", x) : null;
    case "floor":
    case "ceil":
    case "round":
      return x.kind === "float64" ? made("float64", name, x) : null;
    case "ceiling":
      return x.kind === "float64" ? made("float64", "ceil", x) : null;
    default:
      return null;
  }
}

function logarithm(x: Translated, base: number): Translated {
  return { kind: "near", expression: call("div", call("ln", x.expression), { number: Math.log(base) }) };
}

const ARITHMETIC: Readonly<Record<string, FunctionName>> = { "+": "add", "-": "sub", "*": "mul" };

function ofTwo(name: string, x: Translated, y: Translated): Translated | null {
  if (name === "date_part" || name === "datepart") {
    return "text" in x.expression ? ofOne(x.expression.text.toLowerCase(), y) : null;
  }
  if (name === "||" || name === "concat") return joinedText(name === "||" ? "concat" : "joined", x, y);
  if (name === "nullif") {
    const isEqual = compare("COMPARE_EQUAL", x, y);
    return isEqual && choose(isEqual, { kind: "null", expression: { number: null } }, x);
  }
  const areNumbers = [x, y].every((value) => isNumber(value) && value.kind !== "boolean");
  if (!areNumbers) return null;
  const areWhole = x.kind === "whole" && y.kind === "whole";
  const kind = areWhole ? "whole" : hasFloat64(x, y) ? "float64" : "near";
  const arithmetic = own(ARITHMETIC, name);
  if (arithmetic) return made(kind, arithmetic, x, y);
  switch (name) {
    case "/":
      return made(areWhole ? "float64" : kind, "div", x, y);
    case "//":
      return areWhole ? made("whole", "wholeDiv", x, y) : null;
    case "%":
    case "mod":
      return areWhole ? made("whole", "remainder", x, y) : null;
    case "^":
    case "**":
    case "pow":
    case "power":
      return made("near", "pow", x, y);
    case "greatest":
    case "least": {
      const joined = joinedKind(x, y);
      return joined && made(joined, name, x, y);
    }
    default:
      return null;
  }
}

/** Whether arithmetic of the two is that of float64, exactly: whole numbers and decimals become such, "near" ones were none. */
function hasFloat64(x: Translated, y: Translated): boolean {
  return isExact(x) && isExact(y) && (x.kind === "float64" || y.kind === "float64");
}

/** Texts one after the other, whole numbers as text among them. */
function joinedText(name: "concat" | "joined", x: Translated, y: Translated): Translated | null {
  const [a, b] = [x, y].map((value) => cast(value, "VARCHAR"));
  return a && b ? made("text", name, a, b) : null;
}

/** An entry, unless it is one that all objects have. */
function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
