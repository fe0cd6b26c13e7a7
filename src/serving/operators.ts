/** Operators of SQL over translated values; null where ONNX cannot say the same. */
import { alike, isExact, isNumber, joinedKind, kindOfType, made, type Translated, timeOf, yes } from "./value.js";

export const LESS_OR_EQUAL = "COMPARE_LESSTHANOREQUALTO";

export function compare(type: string, left: Translated, right: Translated): Translated | null {
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

export function logical(name: "and" | "or", a: Translated, b: Translated): Translated | null {
  const isLogical = [a, b].every(({ kind }) => kind === "boolean" || kind === "null");
  return isLogical ? made("boolean", name, a, b) : null;
}

export function choose(when: Translated, then: Translated, rest: Translated): Translated | null {
  const both = alike(then, rest);
  if (!both || when.kind !== "boolean") return null;
  const [a, b] = both;
  const kind = joinedKind(a, b);
  return kind && made(kind, kind === "text" ? "chooseText" : "choose", when, a, b);
}

export function operator(type: string, args: readonly Translated[]): Translated | null {
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
  // DuckDB compares float32 numbers after rounding, so these stay SQL.
  if (!isOne || x.kind === "float32" || values.includes(null)) return null;
  return { kind: "boolean", expression: { among: x.expression, values: [...new Set(values)] as number[] | string[] } };
}

export function cast(x: Translated, type: string): Translated | null {
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
