/** Readings as SQL over the text of a column. */
import { literal } from "../data/sql.js";
import { LONGEST, LOOK_NAMES, LOOKS, type Look } from "./census.js";
import { SPAN_UNITS, SPAN_WORDS } from "./durations.js";
import { APOSTROPHES, MINUSES, SPACES } from "./number-text.js";
import {
  type BooleanReading,
  type ColumnReading,
  NULL_MARKS,
  type NumberReading,
  type Reading,
  typeOf,
} from "./reading.js";
import { escaped, guardOf, ISO_TIME, TIME_EDITS } from "./time-text.js";

type Nulls = Pick<Reading, "nullValues">;

/** Whether trimmed text stands for a missing value: one of the given texts, or of the usual marks. */
export function isMarkSql(text: string, { nullValues }: Nulls): string {
  if (nullValues?.length === 0) return "false";
  return nullValues
    ? `${text} in (${nullValues.map((mark) => literal(mark.trim())).join(", ")})`
    : `lower(${text}) in (${NULL_MARKS.map(literal).join(", ")})`;
}

/** Whether trimmed text is the word of an infinite number or time. */
export function isInfiniteSql(text: string): string {
  return fits(text, LOOKS.infinite);
}

/** The look of trimmed text, as its place in LOOK_NAMES; null for no text. */
export function lookSql(text: string, nulls: Nulls): string {
  const code = (look: Look) => LOOK_NAMES.indexOf(look);
  // Numbers of 16 digits up to 2^53 are whole numbers that float64 holds.
  const isSafe = `${fits(text, "-?[1-9][0-9]{15}")} and ltrim(${text}, '-') <= '9007199254740992'`;
  const looks = Object.entries(LOOKS).map(([look, pattern]) => {
    const safe = look === "big" ? `when ${isSafe} then ${code("whole")} ` : "";
    return `${safe}when ${fits(text, pattern)} then ${code(look as Look)}`;
  });
  return [
    `case when ${text} = '' then null when ${isMarkSql(text, nulls)} then ${code("mark")}`,
    ...looks,
    `when length(${text}) <= ${LONGEST} and regexp_matches(${text}, '[0-9]') then ${code("digits")}`,
    `when ${text} is not null then ${code("other")} end`,
  ].join(" ");
}

/** The value of a column of text, of the type that its reading has; null where the text has none. */
export function valueSql(column: string, reading: ColumnReading, nulls: Nulls): string {
  if (reading.as === "text") {
    return nulls.nullValues?.length
      ? `case when not ${isMarkSql(`trim(${column})`, nulls)} then ${column} end`
      : column;
  }
  const text = `trim(${column})`;
  const value = typedSql(text, reading);
  // Texts that the user gives count as missing even where they are numbers; other marks never fit a number or a time.
  return nulls.nullValues?.length ? `case when not ${isMarkSql(text, nulls)} then ${value} end` : value;
}

function typedSql(text: string, reading: Exclude<ColumnReading, { as: "text" }>): string {
  switch (reading.as) {
    case "boolean":
      return booleanSql(text, reading);
    case "number":
      return numberSql(text, reading);
    case "timeOfDay":
      return timeOfDaySql(text, reading.formats);
    case "time":
      return reading.days ? `cast(${timeSql(text, reading.formats)} as date)` : timeSql(text, reading.formats);
  }
}

/** Yes or no in any spelling, as the reading's words where it has them, else as a boolean. */
function booleanSql(text: string, { words }: BooleanReading): string {
  const value = `try_cast(${text} as boolean)`;
  const named = words ? `case ${value} when true then ${literal(words.yes)} else ${literal(words.no)} end` : value;
  return `case when ${fits(text, LOOKS.yesNo)} then ${named} end`;
}

/**
 * A finite number or null: from plainly written text, else from text with thousands, a unit, brackets, or a minus after
 * it.
 */
function numberSql(text: string, reading: NumberReading): string {
  if (reading.duration) return durationSql(text);
  const { whole, decimal = ".", thousands, unit } = reading;
  const marked = markedSql(text, reading);
  if (thousands !== undefined || unit !== undefined) return marked;
  const plain = decimal === "." ? text : `replace(${text}, '${decimal}', '.')`;
  const value = `try_cast(${plain} as ${typeOf(reading)})`;
  if (whole) return `case when ${fits(text, "[-+]?[0-9]{1,18}")} then ${value} else ${marked} end`;
  const digits = `[-+]?([0-9]{1,60}[${decimal}]?[0-9]*|[${decimal}][0-9]+)`;
  // Exponents of three digits may be beyond the range of float64.
  const isLarge = `${fits(text, `${digits}[eE][+]?[0-9]{3}`)} and isfinite(${value})`;
  const isPlain = `${fits(text, `${digits}([eE][+]?[0-9]{1,2}|[eE]-[0-9]{1,3})?`)} or ${isLarge}`;
  return `case when ${isPlain} then ${value} else ${marked} end`;
}

function markedSql(text: string, { whole, decimal = ".", thousands, unit }: NumberReading): string {
  const marks = thousands && `[${{ "'": APOSTROPHES, " ": SPACES, ",": ",", ".": "." }[thousands]}]`;
  const grouped = marks ? `|[0-9]{1,3}(${marks}[0-9]{3})+|[0-9]{1,2}(${marks}[0-9]{2})+${marks}[0-9]{3}` : "";
  const sign = `([-+${MINUSES.slice(1)}] ?)?`;
  const space = `[${SPACES}]?`;
  const name = unit === undefined ? "" : escaped(unit);
  const [before, behind] = unit === undefined ? ["", ""] : [`(${name}${space})?`, `(${space}${name})?`];
  const integers = `([0-9]{1,${whole ? 15 : 60}}${grouped})`;
  const digits = whole ? integers : `(${integers}([${decimal}][0-9]*)?|[${decimal}][0-9]+)`;
  const pattern = `[(]?${sign}${before}[(]?${sign}${digits}( ?[${MINUSES}])?${behind}( ?[${MINUSES}])?[)]?`;
  const bare = unit === undefined ? text : `replace(${text}, ${literal(unit)}, '')`;
  const value = `try_cast(replace(regexp_replace(${bare}, '[^0-9${decimal}]', '', 'g'), '${decimal}', '.') as double)`;
  const isNegative = `regexp_matches(${bare}, '[(${MINUSES.slice(1)}-]')`;
  const signed = `case when ${fits(text, pattern)} then case when ${isNegative} then -${value} else ${value} end end`;
  return whole ? `cast(${signed} as bigint)` : signed;
}

/** A span of time, in seconds. */
function durationSql(text: string): string {
  const part = (which: number) => `try_cast(split_part(${text}, ':', ${which}) as double)`;
  const three = `3600 * ${part(1)} + 60 * ${part(2)} + ${part(3)}`;
  const clock = `case when contains(substr(${text}, strpos(${text}, ':') + 1), ':') then ${three} else 60 * ${part(1)} + ${part(2)} end`;
  const lower = `lower(${text})`;
  const words = SPAN_UNITS.map(({ name, seconds }) => {
    const number = `regexp_extract(${lower}, ${literal(`([0-9]+([.][0-9]+)?) ?(${name})([ ,0-9]|$)`)}, 1)`;
    return `${seconds} * coalesce(try_cast(${number} as double), 0)`;
  });
  return `case when ${fits(text, LOOKS.span)} then ${clock} when ${text} <> '' and ${fits(lower, SPAN_WORDS)} then ${words.join(" + ")} end`;
}

/** A TIMESTAMP, by the first pattern that the text fits; ISO 8601 without a zone first of all, which is the most usual. */
function timeSql(text: string, formats: readonly string[]): string {
  const edited = editedSql(text, formats);
  const iso = `when ${fits(edited, ISO_TIME)} then try_cast(replace(${edited}, 't', ' ') as timestamp)`;
  return [
    `case when ${fits(text, `${LOOKS.stamp}|${LOOKS.day}`)} then try_cast(${text} as timestamp) else case`,
    ...formats.filter((format) => format !== "iso").map((format) => parsedSql(edited, format)),
    `${iso} end end`,
  ].join(" ");
}

function timeOfDaySql(text: string, formats: readonly string[]): string {
  const edited = editedSql(text, formats);
  const others = formats.filter((format) => format !== "iso").map((format) => parsedSql(edited, format));
  const other = others.length === 0 ? "" : `else cast(case ${others.join(" ")} end as time)`;
  return `case when ${fits(text, LOOKS.clock)} then try_cast(${text} as time) ${other} end`;
}

function parsedSql(edited: string, format: string): string {
  return `when ${fits(edited, guardOf(format))} then try_strptime(${edited}, ${literal(format)})`;
}

/** Text after {@link TIME_EDITS}; edits of words are left out unless a pattern has words. */
function editedSql(text: string, formats: readonly string[]): string {
  const hasWords = formats.some((format) => /%[bp]/.test(format));
  const edits = TIME_EDITS.filter(({ isOfWords }) => hasWords || !isOfWords);
  return edits.reduce(
    (sql, { pattern, by }) => `regexp_replace(${sql}, ${literal(pattern)}, ${literal(by.replaceAll("$", "\\"))})`,
    `lower(${text})`,
  );
}

function fits(text: string, pattern: string): string {
  return `regexp_full_match(${text}, ${literal(pattern)})`;
}
