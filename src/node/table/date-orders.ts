/** Reads the dates of a column in both orders of day and month, by DuckDB. */
import { identifier } from "../../data/sql.js";
import { type BothOrders, inOtherOrder, type OrderedDates } from "../../reading/open-order.js";
import type { DateSpan, Reading, TimeReading } from "../../reading/reading.js";
import { valueSql } from "../../reading/sql.js";
import type { Database } from "../sources/duckdb.js";

const spanSql = (time: string) => `strftime(min(${time}), '%Y-%m-%d'), strftime(max(${time}), '%Y-%m-%d')`;

/** The first and the last day of a column of times in a table; null where it has none. */
export async function dateSpan(db: Database, column: string, table: string): Promise<DateSpan | null> {
  const [[first, last] = []] = await db.rows(`select ${spanSql(identifier(column))} from ${table}`);
  return first == null || last == null ? null : [String(first), String(last)];
}

/** The dates of a column of text in both orders; null where no value is a date in both. */
export async function datesInBothOrders(
  db: Database,
  column: string,
  reading: TimeReading,
  nulls: Pick<Reading, "nullValues">,
): Promise<BothOrders | null> {
  const read = (as: TimeReading) => valueSql(identifier(column), as, nulls);
  const figures = (time: string) =>
    `${spanSql(time)}, count(*) filter (${time} < ${time}_before), count(*) filter (${time} > ${time}_before)`;
  const [row = []] = await db.rows(
    `select ${figures("own")}, ${figures("other")}
      from (select own, other, lag(own) over () as own_before, lag(other) over () as other_before
        from (select ${read(reading)} as own, ${read(inOtherOrder(reading))} as other from source_text)
        where own is not null and other is not null)`,
  );
  const of = (values: readonly unknown[]): OrderedDates => ({
    span: [String(values[0]), String(values[1])],
    numFalling: Number(values[2]),
    numRising: Number(values[3]),
  });
  return row[0] == null ? null : { own: of(row.slice(0, 4)), other: of(row.slice(4)) };
}
