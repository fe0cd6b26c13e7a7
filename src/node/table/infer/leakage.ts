/**
 * Finds columns that alone predict the label: features that give the label away, or identifiers that should not be left
 * out.
 */
import { classIndexSql, labelTextSql } from "../../../data/label-values.js";
import { enclosed } from "../../../data/sql.js";
import type { ColumnDescription, LabelDescription } from "../../../infer/column.js";
import { type ClassCell, classPower, type NumberCell, numberPower } from "../../../infer/power.js";
import { columnSql } from "../../../infer/sql.js";
import type { Database } from "../../sources/duckdb.js";
import { columnGroups, longRows } from "../per-column.js";

/** A column and how well it alone tells the label: an AUC, a share of the room above chance, or R squared. */
export interface Power {
  readonly name: string;
  readonly power: number;
}

/** Rows of the sample, about. */
const SAMPLE_ROWS = 20_000;
/** The fewest rows of a sample from which the power is measured. */
const LEAST_ROWS = 200;
/** Bins of equal numbers of rows that numbers and times are put into. */
const BINS = 64;

/**
 * The power of each column that is a feature or an identifier, on a sample that is chosen by the hash of the row and so
 * always the same.
 */
export async function measurePower(
  db: Database,
  columns: readonly ColumnDescription[],
  label: LabelDescription,
  numRows: number,
): Promise<readonly Power[]> {
  const every = Math.max(1, Math.floor(numRows / SAMPLE_ROWS));
  const condition = label.condition === null ? "true" : label.condition;
  await db.run(`create or replace table sample_rows as select *, (hash(source_rows) // ${every}) % 2 as "sample half",
    ${label.task === "regression" ? numberSql(label) : `cast(${labelValue(label)} as varchar)`} as "sample label"
    from source_rows where hash(source_rows) % ${every} = 0 and (${condition})`);
  const [[sampled] = []] = await db.rows("select count(*) from sample_rows");
  if (Number(sampled) < LEAST_ROWS) return [];
  const found = new Map<string, number>();
  for (const some of columnGroups(columns.flatMap(ordered), Number(sampled))) {
    const cells = await cellsOf(db, some, label);
    for (const [i, { name }] of some.entries()) {
      found.set(name, Math.max(found.get(name) ?? 0, powerOf(cells.get(i) ?? [], label)));
    }
  }
  return columns.flatMap(({ figures: { name } }) => {
    const power = found.get(name);
    return power === undefined ? [] : [{ name, power }];
  });
}

/**
 * A column whose power is measured, by its values or by bins of their order; columns of the same `type` are measured
 * together.
 */
interface Measured {
  readonly name: string;
  readonly type: string;
  readonly value: string;
  readonly isOrdered: boolean;
}

function ordered({ figures, features, role, isIdentifier = false }: ColumnDescription): Measured[] {
  const { name, kind, type } = figures;
  if (features.length === 0 && !isIdentifier) return [];
  // Of a time its parts, the best of which counts: noon and midnight are not in the order of days.
  if (role === "time") {
    return features.map(({ kind: of, sql }) => {
      const isOrdered = of === "numeric";
      return { name, type: isOrdered ? "number" : "part", value: `cast(${enclosed(sql)} as double)`, isOrdered };
    });
  }
  const column = columnSql(name);
  const isRead = kind === "text" && features.some((feature) => feature.kind === "numeric");
  // Values that no two rows share can only predict by their order.
  const isOrdered = isIdentifier || isRead || (kind !== "boolean" && kind !== "text");
  return [
    { name, type: isRead ? "number" : type, value: isRead ? `try_cast(${column} as double)` : column, isOrdered },
  ];
}

/** The cells of columns of one type, by the column's index: value, half, and the aggregates that the task needs. */
async function cellsOf(
  db: Database,
  columns: readonly Measured[],
  { task }: LabelDescription,
): Promise<ReadonlyMap<number, (readonly unknown[])[]>> {
  const long = longRows(
    columns.map(({ value }) => value),
    "sample_rows",
    ['"sample half" as half', '"sample label" as label'],
  );
  const rank = "percent_rank() over (partition by column_number order by value)";
  const bin = columns[0]?.isOrdered ? `case when value is not null then floor(${rank} * ${BINS}) end` : "value";
  const binned = `(select column_number, cast(${bin} as varchar) as value, half, label from ${long})`;
  const asked =
    task === "regression"
      ? `select column_number, value, half, count(*), sum(label), sum(label * label) from ${binned} group by 1, 2, 3`
      : `select column_number, value, half, label, count(*) from ${binned} group by 1, 2, 3, 4`;
  const cells = new Map<number, (readonly unknown[])[]>(columns.map((_, i) => [i, []]));
  for (const [number, ...cell] of await db.rows(asked)) cells.get(Number(number))?.push(cell);
  return cells;
}

function powerOf(rows: readonly (readonly unknown[])[], { task, positive }: LabelDescription): number {
  if (task === "regression") {
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

/** Numbers in the scale in which they are learned: a few large ones would drown the rest. */
function numberSql({ sql, options }: LabelDescription): string {
  const label = `cast(${enclosed(sql)} as double)`;
  if (options?.scale !== "log") return label;
  return `ln(1 + ${label} / (select quantile_disc(${label}, 0.05) from source_rows where ${label} > 0))`;
}

/** Binary labels as "true" and "false", whatever they are called; else the name of the class. */
function labelValue({ sql, positive }: LabelDescription): string {
  return positive === null ? labelTextSql(enclosed(sql)) : `${classIndexSql(enclosed(sql), [positive])} is not null`;
}

function textOf(value: unknown): string | null {
  return value === null || value === undefined ? null : String(value);
}
