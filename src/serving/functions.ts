/**
 * The functions that expressions may call, as ONNX nodes. Numbers are float64 with NaN for missing, text is "" where
 * missing.
 */
import type { Nodes } from "./nodes.js";

type Emit = (g: Nodes, ...args: string[]) => string;

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Days from 1 March of the year 0 to 1 January 1970. */
const DAYS_TO_1970 = 719_468;

const unary =
  (opType: string): Emit =>
  (g, x = "") =>
    g.node(opType, [x]);
const binary =
  (opType: string): Emit =>
  (g, a = "", b = "") =>
    g.node(opType, [a, b]);

const isMissing = (g: Nodes, x: string) => g.node("IsNaN", [x]);
const isEmpty = (g: Nodes, x: string) => g.node("Equal", [x, g.text("")]);
const either = (g: Nodes, a: string, b: string) => g.node("Or", [a, b]);
const where = (g: Nodes, condition: string, a: string, b: string) => g.node("Where", [condition, a, b]);
const missing = (g: Nodes) => g.number(Number.NaN);
const is = (g: Nodes, x: string, value: number) => g.node("Equal", [x, g.number(value)]);
const floor = (g: Nodes, x: string) => g.node("Floor", [x]);

/** A yes or no of two numbers, missing where one of them is. */
const comparison =
  (opType: string): Emit =>
  (g, a = "", b = "") => {
    const isEither = either(g, isMissing(g, a), isMissing(g, b));
    return where(g, isEither, missing(g), g.cast(g.node(opType, [a, b]), "float64"));
  };

/** A function of two numbers that is missing where the second is 0. */
const unlessZero =
  (emit: Emit): Emit =>
  (g, a = "", b = "") =>
    where(g, is(g, b, 0), missing(g), emit(g, a, b));

/** Arithmetic with constants, for the calendar. */
const plus = (g: Nodes, x: string, value: number) => g.node("Add", [x, g.number(value)]);
const times = (g: Nodes, x: string, value: number) => g.node("Mul", [x, g.number(value)]);
const minus = (g: Nodes, a: string, ...others: string[]) => others.reduce((x, other) => g.node("Sub", [x, other]), a);
const floorOver = (g: Nodes, x: string, value: number) => floor(g, g.node("Div", [x, g.number(value)]));
/** x modulo a number, from 0 up. */
const modulo = (g: Nodes, x: string, value: number) => minus(g, x, times(g, floorOver(g, x, value), value));

const days = (g: Nodes, time: string) => floorOver(g, time, DAY);

/**
 * The day as year, month and day of the Gregorian calendar, from cycles of 400 years that begin in March, so that the
 * leap day is the last day of a year (H. Hinnant, "chrono-compatible low-level date algorithms", civil_from_days).
 */
function civil(g: Nodes, day: string) {
  const shifted = plus(g, day, DAYS_TO_1970);
  const era = floorOver(g, shifted, 146_097);
  const dayOfEra = minus(g, shifted, times(g, era, 146_097));
  const leaps = minus(g, floorOver(g, dayOfEra, 36_524), floorOver(g, dayOfEra, 1460), floorOver(g, dayOfEra, 146_096));
  const yearOfEra = floorOver(g, g.node("Add", [dayOfEra, leaps]), 365);
  const daysBefore = minus(
    g,
    g.node("Add", [times(g, yearOfEra, 365), floorOver(g, yearOfEra, 4)]),
    floorOver(g, yearOfEra, 100),
  );
  const dayOfYear = minus(g, dayOfEra, daysBefore);
  const shiftedMonth = floorOver(g, plus(g, times(g, dayOfYear, 5), 2), 153);
  const dayOfMonth = plus(g, minus(g, dayOfYear, floorOver(g, plus(g, times(g, shiftedMonth, 153), 2), 5)), 1);
  const isSpringOn = g.node("Less", [shiftedMonth, g.number(10)]);
  const month = where(g, isSpringOn, plus(g, shiftedMonth, 3), plus(g, shiftedMonth, -9));
  const marchYear = g.node("Add", [yearOfEra, times(g, era, 400)]);
  const year = where(g, isSpringOn, marchYear, plus(g, marchYear, 1));
  return { year, month, dayOfMonth };
}

/** The day that a year begins with, since 1970. */
function newYear(g: Nodes, year: string): string {
  const before = plus(g, year, -1);
  const leaps = g.node("Add", [
    minus(g, floorOver(g, before, 4), floorOver(g, before, 100)),
    floorOver(g, before, 400),
  ]);
  return plus(g, g.node("Add", [times(g, before, 365), leaps]), -719_162);
}

/** Monday is 1. */
const weekday = (g: Nodes, day: string) => plus(g, modulo(g, plus(g, day, 3), 7), 1);

const truncated: Emit = (g, x = "") => g.node("Mul", [g.node("Sign", [x]), floor(g, g.node("Abs", [x]))]);

/** Chooses between two values, of numbers or of text alike. */
const chosen: Emit = (g, condition = "", a = "", b = "") => where(g, is(g, condition, 1), a, b);

/** The larger or the smaller of two numbers; where one is missing, the other. */
const extreme =
  (opType: string): Emit =>
  (g, a = "", b = "") =>
    where(g, isMissing(g, a), b, where(g, isMissing(g, b), a, g.node(opType, [a, b])));

export const functions = {
  add: binary("Add"),
  sub: binary("Sub"),
  mul: binary("Mul"),
  div: binary("Div"),
  /** The quotient of whole numbers, rounded towards zero. */
  wholeDiv: unlessZero((g, a = "", b = "") => truncated(g, g.node("Div", [a, b]))),
  /** The remainder, with the sign of the first number. */
  remainder: unlessZero((g, a = "", b = "") => g.node("Mod", [a, b], { fmod: 1 })),
  pow: binary("Pow"),
  neg: unary("Neg"),
  abs: unary("Abs"),
  sign: unary("Sign"),
  ln: unary("Log"),
  exp: unary("Exp"),
  sqrt: unary("Sqrt"),
  floor: unary("Floor"),
  ceil: unary("Ceil"),
  /** Halves away from zero. */
  round: (g, x = "") => g.node("Mul", [g.node("Sign", [x]), floor(g, plus(g, g.node("Abs", [x]), 0.5))]),
  greatest: extreme("Max"),
  least: extreme("Min"),

  equal: comparison("Equal"),
  less: comparison("Less"),
  lessOrEqual: comparison("LessOrEqual"),
  textEqual: (g, a = "", b = "") =>
    where(g, either(g, isEmpty(g, a), isEmpty(g, b)), missing(g), g.cast(g.node("Equal", [a, b]), "float64")),
  /** Kleene's logic: no with anything is no, yes or anything is yes. */
  and: (g, a = "", b = "") => where(g, either(g, is(g, a, 0), is(g, b, 0)), g.number(0), g.node("Mul", [a, b])),
  or: (g, a = "", b = "") => where(g, either(g, is(g, a, 1), is(g, b, 1)), g.number(1), g.node("Add", [a, b])),
  not: (g, x = "") => g.node("Sub", [g.number(1), x]),
  isMissing: (g, x = "") => g.cast(isMissing(g, x), "float64"),
  isTextMissing: (g, x = "") => g.cast(isEmpty(g, x), "float64"),
  isFinite: (g, x = "") => where(g, isMissing(g, x), x, g.cast(g.node("Not", [g.node("IsInf", [x])]), "float64")),
  choose: chosen,
  chooseText: chosen,

  concat: (g, a = "", b = "") =>
    where(g, either(g, isEmpty(g, a), isEmpty(g, b)), g.text(""), g.node("StringConcat", [a, b])),
  /** Concatenation that leaves missing text out. */
  joined: binary("StringConcat"),
  /** A whole number as text. */
  wholeText: (g, x = "") => {
    const whole = g.cast(where(g, isMissing(g, x), g.number(0), x), "int64");
    return where(g, isMissing(g, x), g.text(""), g.cast(whole, "string"));
  },

  hour: (g, time = "") => floorOver(g, modulo(g, time, DAY), HOUR),
  minute: (g, time = "") => floorOver(g, modulo(g, time, HOUR), MINUTE),
  second: (g, time = "") => floorOver(g, modulo(g, time, MINUTE), SECOND),
  epoch: (g, time = "") => g.node("Div", [time, g.number(SECOND)]),
  startOfDay: (g, time = "") => times(g, days(g, time), DAY),
  year: (g, time = "") => civil(g, days(g, time)).year,
  quarter: (g, time = "") => floorOver(g, plus(g, civil(g, days(g, time)).month, 2), 3),
  month: (g, time = "") => civil(g, days(g, time)).month,
  dayOfMonth: (g, time = "") => civil(g, days(g, time)).dayOfMonth,
  dayOfYear: (g, time = "") => {
    const day = days(g, time);
    return plus(g, minus(g, day, newYear(g, civil(g, day).year)), 1);
  },
  /** Monday is 1, Sunday 7. */
  isoWeekday: (g, time = "") => weekday(g, days(g, time)),
  /** Sunday is 0. */
  weekday: (g, time = "") => modulo(g, weekday(g, days(g, time)), 7),
  /** The week of the year by ISO 8601: that of its Thursday. */
  isoWeek: (g, time = "") => {
    const day = days(g, time);
    const thursday = plus(g, minus(g, day, weekday(g, day)), 4);
    return plus(g, floorOver(g, minus(g, thursday, newYear(g, civil(g, thursday).year)), 7), 1);
  },
} as const satisfies Readonly<Record<string, Emit>>;
