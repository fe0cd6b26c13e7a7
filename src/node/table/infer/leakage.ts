/** Columns that alone tell the label: what a model would learn and nobody means. */
import { enclosed } from "../../../data/sql.js";
import type { ColumnDescription } from "../../../run/infer/column.js";
import type { LabelDescription } from "../../../run/infer/label.js";
import { type ClassCell, classPower, type NumberCell, numberPower } from "../../../run/infer/power.js";
import { columnSql } from "../../../run/infer/sql.js";
import type { Database } from "../../duckdb.js";

/** A column and how well it alone tells the label: an AUC, a share of the room above chance, or R squared. */
export interface Power {
  readonly name: string;
  readonly power: number;
}

/** Rows of the sample, about. */
const SAMPLE_ROWS = 20_000;
/** Fewer say nothing. */
const LEAST_ROWS = 200;
/** Bins of equal numbers of rows that numbers and times are put into. */
const BINS = 64;

/** The power of each column that is a feature, on a sample that is the same every time: by the hash of the row. */
export async function measurePower(
  db: Database,
  columns: readonly ColumnDescription[],
  label: LabelDescription,
  numRows: number,
): Promise<readonly Power[]> {
  const every = Math.max(1, Math.floor(numRows / SAMPLE_ROWS));
  const condition = label.condition === null ? "true" : label.condition;
  await db.run(`create or replace table sample_rows as select *, (hash(source_rows) // ${every}) % 2 as "sample half",
    ${label.task === "regression" ? `cast(${enclosed(label.sql)} as double)` : `cast(${enclosed(labelValue(label))} as varchar)`} as "sample label"
    from source_rows where hash(source_rows) % ${every} = 0 and (${condition})`);
  const [[sampled] = []] = await db.rows("select count(*) from sample_rows");
  if (Number(sampled) < LEAST_ROWS) return [];
  const powers: Power[] = [];
  for (const { figures, features } of columns) {
    if (features.length === 0) continue;
    const value = columnSql(figures.name);
    const isOrdered =
      figures.kind !== "boolean" && (figures.kind !== "text" || features.some(({ kind }) => kind === "numeric"));
    const ordered = figures.kind === "text" ? `try_cast(${value} as double)` : value;
    const bin = isOrdered
      ? `case when ${ordered} is not null then floor(percent_rank() over (order by ${ordered}) * ${BINS}) end`
      : value;
    const binned = `(select cast(${bin} as varchar) as value, "sample half" as half, "sample label" as label from sample_rows)`;
    powers.push({ name: figures.name, power: Math.max(0, await powerOf(db, binned, label)) });
  }
  return powers;
}

async function powerOf(db: Database, binned: string, { task, positive }: LabelDescription): Promise<number> {
  if (task === "regression") {
    const rows = await db.rows(
      `select value, half, count(*), sum(label), sum(label * label) from ${binned} group by 1, 2`,
    );
    const cells = rows.map(
      ([value, half, count, sum, squares]): NumberCell => ({
        value: textOf(value),
        half: Number(half) === 0 ? 0 : 1,
        count: Number(count),
        sum: Number(sum),
        squares: Number(squares),
      }),
    );
    return numberPower(cells);
  }
  const rows = await db.rows(`select value, half, label, count(*) from ${binned} group by 1, 2, 3`);
  const cells = rows.map(
    ([value, half, label, count]): ClassCell => ({
      value: textOf(value),
      half: Number(half) === 0 ? 0 : 1,
      label: String(label),
      count: Number(count),
    }),
  );
  return classPower(cells, positive === null ? null : "true");
}

/** Yes/no labels as "true" and "false", whatever they are called. */
function labelValue({ sql, task }: LabelDescription): string {
  return task === "binary" ? `try_cast(${enclosed(sql)} as boolean)` : sql;
}

function textOf(value: unknown): string | null {
  return value === null || value === undefined ? null : String(value);
}
