/** Finds values that are absurdly far from all others of their column, by DuckDB. */
import { double, enclosed, identifier } from "../../../data/sql.js";
import type { ColumnDescription, ColumnFigures, Hint, LabelDescription } from "../../../infer/column.js";
import { areAbsurd, FAR, type Farthest, medianOfFar, outlierHint } from "../../../infer/outliers.js";
import { columnSql } from "../../../infer/sql.js";
import { count } from "../../../report/format.js";
import type { Database } from "../../sources/duckdb.js";

/** A column, or the expression of a label, that is learned as a number. */
export interface Quantity {
  readonly figures: ColumnFigures;
  readonly sql: string;
  readonly isLabel: boolean;
}

/** The most columns that are named. */
const MOST_HINTS = 5;

/** A line for each quantity of `source_rows` with such values; `isText` where the files are text. */
export async function outlierHints(db: Database, quantities: readonly Quantity[], isText: boolean): Promise<Hint[]> {
  const hints: Hint[] = [];
  for (const { figures, sql, isLabel } of quantities) {
    const median = medianOfFar(figures);
    const far = median === null ? null : await farthest(db, figures, sql, median);
    if (far === null || !areAbsurd(far, figures.numRows)) continue;
    hints.push(outlierHint(isLabel ? sql : columnSql(figures.name), far, { isLabel, isText }));
  }
  const more = hints.length - MOST_HINTS;
  return more > 0
    ? [
        ...hints.slice(0, MOST_HINTS),
        { kind: "outlier", text: `${count(more)} more columns have a value that is as far from all others` },
      ]
    : hints;
}

/**
 * Values within a {@link FAR}th of the farthest one, and all others. Marks of missing values are outside of the figures'
 * range, and left out.
 */
async function farthest(
  db: Database,
  { name, numbers }: ColumnFigures,
  sql: string,
  median: number,
): Promise<Farthest | null> {
  if (numbers === null) return null;
  const least = Math.max(median - numbers.min, numbers.max - median) / FAR;
  const isFar = `distance >= ${double(least)}`;
  const [[numFar, row, value, nearest, distance, min, max] = []] = await db.rows(
    `select count(*) filter (${isFar}), min(number) filter (${isFar}), arg_min(x, number) filter (${isFar}),
      min(distance) filter (${isFar}),
      max(distance) filter (not ${isFar}), min(x) filter (not ${isFar}), max(x) filter (not ${isFar})
    from (select number, x, abs(x - ${double(median)}) as distance
      from (select row_number() over () as number, try_cast(${enclosed(sql)} as double) as x from source_rows)
      where x between ${double(numbers.min)} and ${double(numbers.max)})`,
  );
  if (row == null || distance == null) return null;
  return {
    numFar: Number(numFar),
    row: Number(row),
    value: Number(value),
    text: await textOf(db, name, sql, Number(row)),
    nearest: Number(nearest),
    others: { distance: Number(distance), min: Number(min), max: Number(max) },
  };
}

/** A value as the file has it; of an expression, its value. */
async function textOf(db: Database, name: string, sql: string, row: number): Promise<string> {
  const of = (value: string, table: string) =>
    db.rows(
      `select cast(value as varchar) from (select row_number() over () as number, ${value} as value from ${table}) where number = ${row}`,
    );
  const [[text] = []] = await of(identifier(name), "source_text").catch(() => of(enclosed(sql), "source_rows"));
  return String(text).trim();
}

/** The label, where it is a number. */
export function labelQuantity(
  { task, sql }: Pick<LabelDescription, "task" | "sql">,
  figures: ColumnFigures,
): Quantity[] {
  return task === "regression" ? [{ figures, sql, isLabel: true }] : [];
}

/** The columns that are features as numbers. */
export function quantitiesOf(columns: readonly ColumnDescription[]): Quantity[] {
  return columns.flatMap(({ figures, role, features }) =>
    role === "numeric" && features.length > 0 ? [{ figures, sql: columnSql(figures.name), isLabel: false }] : [],
  );
}
