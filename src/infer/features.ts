/** The features that a column gives the network: SQL by its role, and words for what was done. */
import { count, percent } from "../report/format.js";
import {
  type ColumnDescription,
  type ColumnFigures,
  type Feature,
  FREQUENT_ROWS,
  hasFrequent,
  numPresent,
} from "./column.js";
import type { RoleChoice } from "./roles.js";
import { sentinelWords } from "./sentinels.js";
import { columnSql, inner } from "./sql.js";
import { transformOf, transformSql } from "./transform.js";

/** The most embeddings of one feature: an optimizer such as Adam updates all of them at every step. */
export const MOST_IDS = 50_000;
/** Share of missing values from which on a numeric column has an indicator of them. */
const MISSING_SHARE = 0.005;
/** The fewest missing values from which an indicator can be learned. */
const LEAST_MISSING = 10;

/** Times from which on one half hour, one minute and one day can be told from the other. */
const MANY_TIMES = 200_000;
/** The most days that become names. */
const MOST_DAYS = 3 * 366;
const DAY = 1;
const TWO_WEEKS = 14;
const TWO_YEARS = 730;
/** The fewest rows that tell a date of the year, as of a holiday, from the dates beside it. */
const ROWS_PER_DATE = 10;

export interface FeatureOptions {
  /** A name that no feature has yet. */
  readonly nameOf: (wanted: string) => string;
  /** Whether validation and test are later than training; then no feature may count time onward. */
  readonly isTimeSplit: boolean;
  /** Whether a name can have the mean of the label over its rows: of numbers, and of classes where they are few. */
  readonly hasLabelMeans?: boolean;
}

/** Makes feature names from column names: of letters, digits, "_" and "-", each once, and none that is taken. */
export function featureNames(taken: readonly string[]): (wanted: string) => string {
  // A set of lower-case names: a plain object would also have names such as "constructor".
  const used = new Set(taken.map((name) => name.toLowerCase()));
  return (wanted) => {
    const plain =
      wanted
        // Remove accents, and keep the letters under them.
        .normalize("NFKD")
        .replace(/\p{M}/gu, "")
        .replace(/ß/g, "ss")
        .replace(/[^A-Za-z0-9_-]+/g, "_")
        .replace(/^_+(?=.)|(?<=.)_+$/g, "") || "column";
    const base = /^[-_]*$/.test(plain) ? "column" : plain;
    for (let number = 1; ; number++) {
      const name = number === 1 ? base : `${base}_${number}`;
      if (used.has(name.toLowerCase())) continue;
      used.add(name.toLowerCase());
      return name;
    }
  };
}

/** The features of a column by its role. */
export function describeColumn(figures: ColumnFigures, choice: RoleChoice, options: FeatureOptions): ColumnDescription {
  switch (choice.role) {
    case "numeric":
      return described(figures, choice, numericFeatures(figures, options));
    case "categorical":
      return described(figures, choice, categoricalFeatures(figures, options));
    case "time":
      return described(figures, choice, timeFeatures(figures, options));
    default:
      return { figures, ...choice, features: [] };
  }
}

interface Made {
  readonly features: readonly Feature[];
  readonly notes: readonly string[];
}

function described(figures: ColumnFigures, { role, reason }: RoleChoice, { features, notes }: Made): ColumnDescription {
  return { figures, role, reason: [reason, ...notes].filter(Boolean).join("; "), features };
}

/** A number, transformed. A missing number becomes 0 (the mean), so an indicator tells the two apart. */
function numericFeatures(figures: ColumnFigures, options: FeatureOptions): Made {
  const { nameOf } = options;
  const { name, numbers, kind, numRows, sentinels = [] } = figures;
  const sql = valueSql(figures);
  if (numbers === null) {
    const feature: Feature = { name: nameOf(name), kind: "numeric", sql, numIds: 0 };
    return { features: [feature], notes: [kind === "boolean" ? "1 for true" : ""] };
  }
  const transform = transformOf(numbers);
  const main: Feature = { name: nameOf(name), kind: "numeric", sql: transformSql(transform, sql), numIds: 0 };
  const numMissing = numRows - numbers.count + numbers.numInfinite;
  const marked = [
    sentinelWords(sentinels),
    transform.kind === "signedLog" ? `long tail: ${transformSql(transform, "x")}` : "",
  ];
  const isSeldom = numMissing < LEAST_MISSING || numMissing < MISSING_SHARE * numRows;
  if (isSeldom && sentinels.length === 0) return { features: [main], notes: marked };
  const indicator: Feature = {
    name: nameOf(`${name}_missing`),
    kind: "numeric",
    sql: `case when ${inner(sql)} is null then 1 else 0 end`,
    numIds: 0,
  };
  return {
    features: [main, indicator, ...sentinelIndicators(figures, columnSql(name), options)],
    notes: [...marked, "with an indicator of missing values"],
  };
}

/** A value, missing where it stands for "none". */
function withoutSentinels({ sentinels = [] }: ColumnFigures, sql: string): string {
  return sentinels.reduce((value, sentinel) => `nullif(${value}, ${sentinel.sql})`, sql);
}

/**
 * An indicator of each value that stands for "none", beside the indicator of all missing values. They are made where
 * values are missing in several ways: empty values and -999, or two such numbers.
 */
function sentinelIndicators(
  { name, numMissing, sentinels = [] }: ColumnFigures,
  value: string,
  { nameOf }: FeatureOptions,
): Feature[] {
  const numMarked = sentinels.reduce((sum, { numRows }) => sum + numRows, 0);
  if (sentinels.length + Number(numMissing > numMarked) < 2) return [];
  return sentinels.map(({ sql, shown }) => ({
    name: nameOf(`${name}_is_${shown}`),
    kind: "numeric",
    sql: `case when ${inner(value)} = ${sql} then 1 else 0 end`,
    numIds: 0,
  }));
}

/** The column as a number that is finite or missing. */
function valueSql(figures: ColumnFigures): string {
  const { name, type, kind, numbers } = figures;
  const column = columnSql(name);
  const isFloat = /^(FLOAT|DOUBLE)$/.test(type);
  const value = withoutSentinels(figures, kind === "boolean" ? `cast(${column} as int)` : column);
  // Null, because the indicator tests for null; NaN is what a missing number becomes later.
  return isFloat || (numbers && numbers.numInfinite > 0) ? `case when isfinite(${value}) then ${value} end` : value;
}

/**
 * A categorical feature. Unseen and missing names share id 0; in a column of many values rare names share it too, and
 * so train it. Beside it, the mean of the label then tells them apart, as far as their few rows can.
 */
function categoricalFeatures(figures: ColumnFigures, { nameOf, hasLabelMeans = false }: FeatureOptions): Made {
  const { name, numDistinct, frequencies } = figures;
  const feature = (numNames: number): Feature => ({
    name: nameOf(name),
    kind: "categorical",
    sql: columnSql(name),
    numIds: numNames + 1,
  });
  const rowsPerValue = numPresent(figures) / Math.max(1, numDistinct);
  // Frequencies are not counted where values are few, and not used where each value has rows enough.
  if (frequencies === null || !hasFrequent(frequencies) || (rowsPerValue >= FREQUENT_ROWS && numDistinct <= MOST_IDS)) {
    return { features: [feature(numDistinct)], notes: [] };
  }
  const { numFrequent, numRowsOfFrequent } = frequencies;
  const isTooMany = numFrequent > MOST_IDS;
  const vocabulary = { minRows: FREQUENT_ROWS, ...(isTooMany && { maxNames: MOST_IDS }) };
  const kept = isTooMany
    ? `the ${count(MOST_IDS)} most frequent are kept`
    : `the ${count(numFrequent)} of at least ${FREQUENT_ROWS} rows (${percent(numRowsOfFrequent / numPresent(figures))} of the rows) are kept`;
  const whole = { ...feature(Math.min(numFrequent, MOST_IDS)), vocabulary };
  if (!hasLabelMeans) return { features: [whole], notes: [`${kept}, the others count as unseen`] };
  return {
    features: [whole, { name: nameOf(`${name}_mean`), kind: "labelMeans", sql: columnSql(name), numIds: 0 }],
    notes: [`${kept}; all have the mean of the label over their rows, shrunken and out of fold`],
  };
}

/** The cycles that the span of times contains at least twice and that their resolution shows. */
function timeFeatures(figures: ColumnFigures, options: FeatureOptions): Made {
  const { nameOf, isTimeSplit } = options;
  const { name, kind, times, type, sentinels = [] } = figures;
  if (kind === "number") return { features: [], notes: ["splits the rows and is no feature"] };
  const column = columnSql(name);
  if (kind === "timeOfDay") {
    const hour: Feature = { name: nameOf(`${name}_hour`), kind: "categorical", sql: `hour(${column})`, numIds: 25 };
    return { features: [hour], notes: ["its hour"] };
  }
  if (times === null) return { features: [], notes: ["no time that can be read"] };
  const written = type === "TIMESTAMP WITH TIME ZONE" ? `cast(${column} as timestamp)` : column;
  const time = withoutSentinels(figures, written);
  const { spanDays, numFullHour, numMidnight, numMonthStart, numYearStart, count: numTimes } = times;
  const isMany = numTimes >= MANY_TIMES;
  const isFinerThan = (numCoarse: number) => numCoarse < 0.9 * numTimes;
  const made: (Feature & { readonly word: string })[] = [];
  const add = (word: string, featureKind: Feature["kind"], sql: string, numIds: number) =>
    made.push({
      name: nameOf(`${name}_${word}`),
      kind: featureKind,
      sql,
      numIds,
      ...(word === "date" && { isDate: true }),
      word,
    });
  if (isFinerThan(numMidnight) && spanDays >= 2 * DAY) {
    if (isMany) add("half_hour", "categorical", `hour(${time}) * 2 + minute(${time}) // 30`, 49);
    else add("hour", "categorical", `hour(${time})`, 25);
    // What keeps to a timetable is told by its minute from what does not. Of fewer rows a network learns minutes by heart.
    if (isMany && isFinerThan(numFullHour)) {
      add("time_of_day", "numeric", `hour(${time}) * 60 + minute(${time})`, 0);
      add("minute", "categorical", `minute(${time})`, 61);
    }
  }
  if (isFinerThan(numMonthStart) && spanDays >= TWO_WEEKS) add("weekday", "categorical", `dayofweek(${time})`, 8);
  if (isFinerThan(numYearStart) && spanDays >= TWO_YEARS) add("month", "categorical", `month(${time})`, 13);
  if (isFinerThan(numMonthStart) && spanDays >= TWO_YEARS) {
    add("day_of_year", "numeric", `dayofyear(${time})`, 0);
    // Where a row is a day. Of several events a day, most of what a date seems to tell is chance.
    const isDaily = numTimes >= ROWS_PER_DATE * 366 && numTimes <= spanDays + 1;
    if (isDaily) add("date", "categorical", `100 * month(${time}) + day(${time})`, 367);
  }
  if (!isTimeSplit && spanDays > 0) {
    add("days", "numeric", `epoch(${time}) / 86400`, 0);
    if (isMany && spanDays >= TWO_WEEKS && spanDays <= MOST_DAYS)
      add("day", "categorical", `floor(epoch(${time}) / 86400)`, Math.ceil(spanDays) + 2);
  }
  const words = made.map(({ word }) => word.replaceAll("_", " ")).join(", ");
  const note = words === "" ? "too short a span for a feature" : `as ${words}`;
  const features = made.map(({ word: _, ...feature }): Feature => feature);
  if (sentinels.length === 0) return { features, notes: [note] };
  const indicator: Feature = {
    name: nameOf(`${name}_missing`),
    kind: "numeric",
    sql: `case when ${inner(time)} is null then 1 else 0 end`,
    numIds: 0,
  };
  return {
    features: [...features, indicator, ...sentinelIndicators(figures, written, options)],
    notes: [sentinelWords(sentinels), note, "with an indicator of missing values"],
  };
}
