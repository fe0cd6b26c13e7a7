/** Values that stand for "none" found in a table, and the figures of columns without them. */
import { enclosed, literal } from "../../../data/sql.js";
import type { ColumnFigures, Sentinel } from "../../../infer/column.js";
import { isSentinel, mayBeSentinel } from "../../../infer/sentinels.js";
import { numberSql } from "../../../infer/sql.js";
import type { Database } from "../../sources/duckdb.js";
import { type Measured, readFigures } from "./figures.js";

/** The most different sentinels of a column. */
const MOST = 8;
const EXACT_ROWS = 1_000_000;

/** The figures with sentinels as missing values, for columns that have them; the others as they are. */
export async function withoutSentinels(
  db: Database,
  columns: readonly Measured[],
  figures: readonly ColumnFigures[],
  isGiven: (name: string) => boolean,
): Promise<readonly ColumnFigures[]> {
  const found = [...figures];
  let open = [...columns.keys()].filter((i) => !isGiven(figures[i]?.name as string));
  for (let round = 0; round < MOST && open.length > 0; round++) {
    const changed: { readonly at: number; readonly column: Measured; readonly sentinels: readonly Sentinel[] }[] = [];
    for (const at of open) {
      const [column, own] = [columns[at] as Measured, found[at] as ColumnFigures];
      const sentinel = (await sentinelAt(db, column, own, "min")) ?? (await sentinelAt(db, column, own, "max"));
      if (sentinel === null) continue;
      const sentinels = [...(own.sentinels ?? []), sentinel];
      changed.push({ at, column: { ...column, sql: withoutSql(own, column.sql, sentinels) }, sentinels });
    }
    const without = changed.map(({ column }) => column);
    const measured = await readFigures(db, without, figures[0]?.numRows ?? 0);
    for (const [i, { at, sentinels }] of changed.entries()) {
      found[at] = { ...(measured[i] as ColumnFigures), sentinels };
    }
    open = changed.map(({ at }) => at);
  }
  return found;
}

/** The value of a column in the form that is compared with sentinels: a number, or a time. */
function comparedSql({ numbers }: ColumnFigures, sql: string): string {
  return `try_cast(${enclosed(sql)} as ${numbers !== null && numbers.count > 0 ? "double" : "timestamp"})`;
}

function withoutSql(figures: ColumnFigures, sql: string, sentinels: readonly Sentinel[]): string {
  const list = sentinels.map((one) => one.sql).join(", ");
  return `case when coalesce(${comparedSql(figures, sql)} in (${list}), false) then null else ${enclosed(sql)} end`;
}

async function sentinelAt(
  db: Database,
  { sql }: Measured,
  figures: ColumnFigures,
  end: "min" | "max",
): Promise<Sentinel | null> {
  if (!mayBeSentinel(figures, end)) return null;
  const isTime = !(figures.numbers !== null && figures.numbers.count > 0);
  const time = isTime ? (figures.times?.[end] ?? null) : null;
  const value = time === null ? numberSql(figures.numbers?.[end] ?? 0, 17) : `timestamp ${literal(time)}`;
  const { sentinels = [] } = figures;
  const rest = sentinels.length === 0 ? sql : withoutSql(figures, sql, sentinels);
  const compared = comparedSql(figures, rest);
  const d = isTime ? "epoch(x)" : "x";
  const quantiles = figures.numRows <= EXACT_ROWS ? "quantile_cont" : "approx_quantile";
  const [row = []] =
    await db.rows(`select ${isTime ? `epoch(${value})` : value}, count(*) filter (x = v), count(*) filter (x <> v),
      ${quantiles}(${d}, [0.1, 0.5, 0.9]) filter (x <> v), ${end}(${d}) filter (x <> v)
    from (select ${compared} as x, ${value} as v from source_rows) where isfinite(x)`);
  const [at, numRows, count, middle, nearest] = row;
  if (!Array.isArray(middle)) return null;
  const [low = 0, half = 0, high = 0] = middle.map(Number);
  const others = { count: Number(count), low, middle: half, high, nearest: Number(nearest) };
  const far = { value: Number(at), time, numRows: Number(numRows), others };
  if (!isSentinel(far)) return null;
  const shown = time === null ? value.replace(/[()]/g, "") : time.replace(/ 00:00:00$/, "");
  return { sql: time === null ? value : literal(shown), shown, numRows: far.numRows };
}
