/** The figures of columns, asked of DuckDB in few statements for many columns. */
import { enclosed } from "../../../data/sql.js";
import {
  type ColumnFigures,
  distinctShare,
  FREQUENT_ROWS,
  kindOf,
  type NumberFigures,
  QUANTILES,
  type TimeFigures,
  type ValueKind,
} from "../../../infer/column.js";
import { MOST_IDS } from "../../../infer/features.js";
import { columnSql } from "../../../infer/sql.js";
import type { Database } from "../../sources/duckdb.js";
import { aggregatesOf, type TypedSql } from "../per-column.js";

/** A column, or an expression over columns, to be looked at. */
export interface Measured extends TypedSql {
  readonly name: string;
}

/** Rows up to which different values and quantiles are counted exactly. */
const EXACT_ROWS = 1_000_000;
/**
 * Columns of more different values than this have their frequencies counted; likewise columns of more than the second
 * number, where most values occur once.
 */
const MANY_VALUES = 1000;
const SOME_VALUES = 50;

/** The figures of columns of `source_rows`, in their order. */
export async function readFigures(
  db: Database,
  columns: readonly Measured[],
  numRows: number,
): Promise<readonly ColumnFigures[]> {
  const isExact = numRows <= EXACT_ROWS;
  const found = await aggregatesOf(db, columns, {
    aggregates: (value, { type }) => outputsOf(value, type, isExact),
    numRows,
  });
  const figures: ColumnFigures[] = [];
  for (const [i, column] of columns.entries()) {
    figures.push(await withFrequencies(db, figuresOf(column, found[i] ?? [], numRows, isExact), column));
  }
  return figures;
}

/** Aggregates of a column by their names: over its value C, which is also D as a number, T as a time, and S as text. */
type Aggregates = { readonly [name: string]: (isExact: boolean) => string };

const finite = "filter (isfinite(D))";
const aggregates = {
  present: () => "count(C)",
  distinct: (isExact) => (isExact ? "count(distinct C)" : "approx_count_distinct(C)"),
  example: () => "cast(min(C) as varchar)",
  meanLength: () => "avg(length(S))",
  meanWords: () => "avg(length(S) - length(replace(S, ' ', '')) + 1)",
  numbers: () => "count(D) filter (not isnan(D))",
  nan: () => "count(D) filter (isnan(D))",
  infinite: () => "count(D) filter (isinf(D))",
  whole: () => "count(D) filter (isfinite(D) and D = trunc(D))",
  min: () => `min(D) ${finite}`,
  max: () => `max(D) ${finite}`,
  quantiles: (isExact) => `${isExact ? "quantile_cont" : "approx_quantile"}(D, [${QUANTILES.join(", ")}]) ${finite}`,
  numOthers: () => "count(distinct S) filter (S is not null and D is null)",
  other: () => "min(S) filter (D is null)",
  times: () => "count(T)",
  first: () => "cast(min(T) as varchar)",
  last: () => "cast(max(T) as varchar)",
  days: () => "epoch(max(T) - min(T)) / 86400",
  fullHour: () => "count(T) filter (T = date_trunc('hour', T))",
  midnight: () => "count(T) filter (T = date_trunc('day', T))",
  monthStart: () => "count(T) filter (T = date_trunc('month', T))",
  yearStart: () => "count(T) filter (T = date_trunc('year', T))",
} satisfies Aggregates;

type Asked = keyof typeof aggregates;
const ASKED = Object.keys(aggregates) as readonly Asked[];

/** The aggregates that values of a kind have; the others are null. */
const ofNumbers: readonly Asked[] = ["numbers", "nan", "infinite", "whole", "min", "max", "quantiles"];
const ofTimes: readonly Asked[] = ["times", "first", "last", "days", "fullHour", "midnight", "monthStart", "yearStart"];
const always: readonly Asked[] = ["present", "distinct", "example"];
const asked: { readonly [K in ValueKind]: readonly Asked[] } = {
  number: [...always, ...ofNumbers],
  text: [...always, "meanLength", "meanWords", ...ofNumbers, "numOthers", "other"],
  boolean: always,
  time: [...always, ...ofTimes],
  timeOfDay: always,
  other: ["present"],
};

/** {@link ASKED} as aggregates over a value of a type. */
function outputsOf(value: string, type: string, isExact: boolean): readonly string[] {
  const kind = kindOf(type);
  const views: Readonly<Record<string, string>> = {
    C: value,
    D: `try_cast(${value} as double)`,
    T: `try_cast(${value} as timestamp)`,
    S: `cast(${value} as varchar)`,
  };
  return ASKED.map((name) =>
    asked[kind].includes(name)
      ? aggregates[name](isExact).replace(/\b[CDTS]\b/g, (letter) => views[letter] ?? "")
      : "null",
  );
}

function figuresOf(
  { name, type }: Measured,
  cells: readonly unknown[],
  numRows: number,
  isExact: boolean,
): ColumnFigures {
  const cell = (asked: Asked) => cells[ASKED.indexOf(asked)];
  const number = (asked: Asked) => Number(cell(asked) ?? 0);
  const kind = kindOf(type);
  return {
    name,
    type,
    kind,
    numRows,
    numMissing: numRows - number("present") + (kind === "number" ? number("nan") : 0),
    numDistinct: Math.max(0, number("distinct") - (kind === "number" && number("nan") > 0 ? 1 : 0)),
    isExact,
    example: cell("example") === null || cell("example") === undefined ? null : String(cell("example")),
    numbers: numbersOf(cell, number),
    times: timesOf(cell, number),
    text: kind === "text" ? { meanLength: number("meanLength"), meanWords: number("meanWords") } : null,
    frequencies: null,
  };
}

function numbersOf(cell: (asked: Asked) => unknown, number: (asked: Asked) => number): NumberFigures | null {
  const quantiles = cell("quantiles");
  if (!Array.isArray(quantiles)) return null;
  return {
    count: number("numbers"),
    numInfinite: number("infinite"),
    numWhole: number("whole"),
    min: number("min"),
    max: number("max"),
    quantiles: quantiles.map(Number),
    numOthers: number("numOthers"),
    other: (cell("other") as string | null) ?? null,
  };
}

function timesOf(cell: (asked: Asked) => unknown, number: (asked: Asked) => number): TimeFigures | null {
  if (number("times") === 0) return null;
  return {
    count: number("times"),
    min: String(cell("first")).slice(0, 19),
    max: String(cell("last")).slice(0, 19),
    spanDays: number("days"),
    numFullHour: number("fullHour"),
    numMidnight: number("midnight"),
    numMonthStart: number("monthStart"),
    numYearStart: number("yearStart"),
  };
}

/** Adds the frequencies of names, where there are too many names for each to have an embedding. */
async function withFrequencies(db: Database, figures: ColumnFigures, { sql }: Measured): Promise<ColumnFigures> {
  const isName =
    figures.kind === "text" || (figures.kind === "number" && figures.numbers?.numWhole === figures.numbers?.count);
  const share = distinctShare(figures);
  const isMany =
    (figures.numDistinct > SOME_VALUES && share >= 0.5) ||
    (figures.numDistinct > MANY_VALUES && (share * FREQUENT_ROWS > 1 || figures.numDistinct > MOST_IDS));
  if (!isName || !isMany || share >= 0.95) return figures;
  const counts = `(select count(*) as n from source_rows where ${enclosed(sql)} is not null
    group by ${enclosed(sql)} having count(*) >= ${FREQUENT_ROWS})`;
  const asked = ["count(*)", "coalesce(sum(n), 0)", "coalesce(max(n), 0)"];
  const [row = []] = await db.rows(`select ${asked.join(", ")} from ${counts}`);
  const [numFrequent = 0, numRowsOfFrequent = 0, mostRows = 0] = row.map(Number);
  const frequencies = { numFrequent, numRowsOfFrequent, mostRows };
  return { ...figures, frequencies };
}

/** A column of the source, to be looked at. */
export function measuredColumn({ name, type }: { readonly name: string; readonly type: string }): Measured {
  return { name, type, sql: columnSql(name) };
}
