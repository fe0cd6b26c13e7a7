/** Takes the census of the text of columns, by DuckDB. */
import { identifier, literal } from "../../data/sql.js";
import { type Census, LOOK_NAMES, type Look, MOST_SHAPES, type Shape } from "../../reading/census.js";
import type { NamedColumn } from "../../reading/names.js";
import type { ColumnReading, Reading } from "../../reading/reading.js";
import { isInfiniteSql, isMarkSql, lookSql, valueSql } from "../../reading/sql.js";
import type { Database } from "../sources/duckdb.js";
import { aggregatesOf, columnGroups, longRows } from "./per-column.js";

type Nulls = Pick<Reading, "nullValues">;

/** The table with the text of columns, and its number of rows. */
export interface TextRows {
  readonly table: string;
  readonly numRows: number;
}

/** The text of columns without spaces around it. */
const trimmed = (columns: readonly NamedColumn[], table: string) =>
  `(select ${columns.map(({ name }) => `trim(${identifier(name)}) as ${identifier(name)}`).join(", ")} from ${table})`;

const typed = (columns: readonly NamedColumn[]) =>
  columns.map((column) => ({ ...column, type: "VARCHAR", sql: identifier(column.name) }));

/** The looks of all columns, and the shapes of those for which `wantShapes`, given all looks, asks. */
export async function takeCensus(
  db: Database,
  columns: readonly NamedColumn[],
  { table, numRows }: TextRows,
  nulls: Nulls,
  wantShapes: (columns: readonly Census[]) => readonly boolean[],
): Promise<Census[]> {
  const from = trimmed(columns, table);
  const found = await aggregatesOf(db, typed(columns), {
    aggregates: (value) => [`histogram(${lookSql(value, nulls)})`],
    from,
    numRows,
  });
  const looked = columns.map(({ name }, i): Census => ({ name, counts: countsOf(found[i]?.[0]), shapes: null }));
  const areWanted = wantShapes(looked);
  const open = typed(columns).filter((_, i) => areWanted[i]);
  const shapes = await shapesOf(db, open, from, numRows, nulls);
  return looked.map((census) => ({ ...census, shapes: shapes.get(census.name) ?? null }));
}

/** A map of DuckDB, as the client gives it. */
function countsOf(histogram: unknown): Record<Look, number> {
  const entries = (histogram ?? []) as readonly { readonly key: number; readonly value: bigint }[];
  const counts = new Map(entries.map(({ key, value }) => [Number(key), Number(value)]));
  return Object.fromEntries(LOOK_NAMES.map((look, code) => [look, counts.get(code) ?? 0])) as Record<Look, number>;
}

async function shapesOf(
  db: Database,
  columns: readonly { readonly name: string; readonly type: string; readonly sql: string }[],
  from: string,
  numRows: number,
  nulls: Nulls,
): Promise<ReadonlyMap<string, readonly Shape[]>> {
  const found = new Map<string, Shape[]>(columns.map(({ name }) => [name, []]));
  for (const some of columnGroups(columns, numRows)) {
    const rows = await db.rows(
      shapesQuery(
        longRows(
          some.map(({ sql }) => sql),
          from,
          [],
        ),
        nulls,
      ),
    );
    for (const [column, look, shape, count, distinct, min, max, zeros, ...numbers] of rows) {
      found.get(some[Number(column)]?.name ?? "")?.push({
        shape: String(shape),
        look: LOOK_NAMES[Number(look)] as Look,
        count: Number(count),
        distinct: Number(distinct),
        min: String(min),
        max: String(max),
        zeros: Number(zeros),
        first: [Number(numbers[0] ?? 0), Number(numbers[1] ?? 0)],
        second: [Number(numbers[2] ?? 0), Number(numbers[3] ?? 0)],
        third: [Number(numbers[4] ?? 0), Number(numbers[5] ?? 0)],
      });
    }
  }
  return found;
}

function shapesQuery(values: string, nulls: Nulls): string {
  const number = (which: 1 | 2 | 3) => {
    const pattern = literal("^[^0-9]*([0-9]+)[^0-9]+([0-9]+)(?:[^0-9]+([0-9]+))?");
    return `try_cast(regexp_extract(value, ${pattern}, ${which}) as integer)`;
  };
  const isWritten = `look in (${LOOK_NAMES.indexOf("mark")}, ${LOOK_NAMES.indexOf("infinite")})`;
  return `select column_number, look, shape, count(*) as n, approx_count_distinct(value), min(value), max(value),
      count(*) filter (regexp_matches(value, ${literal("^[^0-9]*0[0-9.,]")})), min(a), max(a), min(b), max(b), min(c), max(c)
    from (select *, case when ${isWritten} then value else translate(value, '123456789', '000000000') end as shape,
        ${number(1)} as a, ${number(2)} as b, ${number(3)} as c
      from (select *, ${lookSql("value", nulls)} as look from ${values}) where look is not null)
    group by column_number, look, shape
    qualify row_number() over (partition by column_number order by n desc, shape) <= ${MOST_SHAPES}
    order by column_number, n desc, shape`;
}

/** Values of a column that its reading cannot read. */
export interface Unread {
  readonly name: string;
  readonly count: number;
  readonly example: string;
}

/**
 * For columns with their readings, the text that is neither infinite nor a mark of a missing value, and still cannot be
 * read.
 */
export async function unreadIn(
  db: Database,
  columns: readonly (NamedColumn & { readonly reading: ColumnReading })[],
  { table, numRows }: TextRows,
  nulls: Nulls,
): Promise<Unread[]> {
  // Columns with the same reading are queried together, as elsewhere columns of the same type.
  const asked = columns.map((column) => ({
    ...column,
    type: JSON.stringify(column.reading),
    sql: identifier(column.name),
  }));
  const counts = await aggregatesOf(db, asked, {
    aggregates: (value, { reading }) => {
      const text = `trim(${value})`;
      const isUnread = `${text} <> '' and not ${isMarkSql(text, nulls)} and not ${isInfiniteSql(text)} and ${valueSql(value, reading, nulls)} is null`;
      return [`count(*) filter (${isUnread})`, `min(${value}) filter (${isUnread})`];
    },
    from: table,
    numRows,
  });
  return columns.flatMap(({ name }, i) => {
    const [count, example] = counts[i] ?? [];
    return Number(count) > 0 ? [{ name, count: Number(count), example: String(example) }] : [];
  });
}
