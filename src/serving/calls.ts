/** Functions of SQL over translated values; null where ONNX cannot say the same. */
import type { FunctionName } from "./expression.js";
import { cast, choose, compare } from "./operators.js";
import { call, isExact, isNumber, joinedKind, made, type Translated } from "./value.js";

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

export function applied(name: string, args: readonly Translated[]): Translated | null {
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

/**
 * Whether arithmetic of the two is exactly that of float64: one is a float64, and neither is a "near" number, whose
 * bits may differ from DuckDB's. Whole numbers and decimals are converted.
 */
function hasFloat64(x: Translated, y: Translated): boolean {
  return isExact(x) && isExact(y) && (x.kind === "float64" || y.kind === "float64");
}

/** Texts one after the other, whole numbers as text among them. */
function joinedText(name: "concat" | "joined", x: Translated, y: Translated): Translated | null {
  const [a, b] = [x, y].map((value) => cast(value, "VARCHAR"));
  return a && b ? made("text", name, a, b) : null;
}

/** A record's own entry, not one that it inherits. */
function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
