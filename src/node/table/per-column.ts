/**
 * Values and aggregates of many columns in few statements. DuckDB plans a statement in time that grows with the square
 * of the number of expressions in it. So the columns of a table with few rows are unnested into one long column, larger
 * tables are queried for some columns at a time, and values of many columns are computed on lists.
 */
import { enclosed, identifier } from "../../data/sql.js";
import type { Database } from "../sources/duckdb.js";

/** Rows up to which a statement costs more than its values. */
const SHORT_ROWS = 20_000;
/** The most values of one long column. */
const VALUES_AT_ONCE = 2_000_000;
/** The columns of one statement where columns are not unnested. */
const COLUMNS_AT_ONCE = 16;

/** The most columns with the same SQL whose values are computed one by one; more of them are computed on a list. */
export const COLUMNS_BESIDE = 100;

/** A column, or an expression over the columns of a row, with its type in DuckDB. */
export interface TypedSql {
  readonly type: string;
  readonly sql: string;
}

/** A query of aggregates of columns. */
export interface Asked<T extends TypedSql> {
  /** The aggregates of a column, as SQL over the SQL of its value; the same for columns of one type. */
  readonly aggregates: (value: string, column: T) => readonly string[];
  /** The rows, and how many there are. */
  readonly from?: string;
  readonly numRows: number;
  /** Further columns of the rows that the aggregates read. */
  readonly beside?: readonly string[];
}

/** The aggregates of each column, in the order of the columns. */
export async function aggregatesOf<T extends TypedSql>(
  db: Database,
  columns: readonly T[],
  { aggregates, from = "source_rows", numRows, beside = [] }: Asked<T>,
): Promise<readonly (readonly unknown[])[]> {
  const found = new Map<T, readonly unknown[]>();
  if (numRows <= SHORT_ROWS) {
    for (const some of columnGroups(columns, numRows)) {
      const asked = aggregates("value", some[0] as T).join(", ");
      const rows = await db.rows(`select ${asked} from ${longRows(some.map(sqlOf), from, beside)}
        group by column_number order by column_number`);
      for (const [i, column] of some.entries()) found.set(column, rows[i] ?? []);
    }
  } else {
    for (const some of chunksOf(columns, COLUMNS_AT_ONCE)) {
      const asked = some.map((column) => aggregates(sqlOf(column), column));
      const [row = []] = await db.rows(`select ${asked.flat().join(", ")} from ${from}`);
      const cells = [...row];
      for (const [i, column] of some.entries()) found.set(column, cells.splice(0, asked[i]?.length));
    }
  }
  return columns.map((column) => found.get(column) ?? []);
}

/**
 * A query for all rows of a table, in which `compute` turns the SQL of each column's value into the SQL of its new
 * value.
 */
export function computedQuery(
  columns: readonly { readonly name: string; readonly compute: (value: string) => string }[],
  table: string,
): string {
  const element = identifier("codistill element");
  const lists: string[] = [];
  const outputs = new Map<string, string>();
  for (const [sql, same] of grouped(columns, ({ compute }) => compute(element))) {
    const isList = same.length > COLUMNS_BESIDE && sql !== element;
    const list = identifier(`codistill list ${lists.length}`);
    if (isList) {
      const names = same.map(({ name }) => identifier(name)).join(", ");
      lists.push(`list_transform([${names}], lambda ${element}: ${sql}) as ${list}`);
    }
    for (const [i, { name, compute }] of same.entries()) {
      outputs.set(name, isList ? `${list}[${i + 1}]` : compute(identifier(name)));
    }
  }
  const all = columns.map(({ name }) => `${outputs.get(name)} as ${identifier(name)}`).join(", ");
  return `select ${all || "*"} from ${lists.length === 0 ? table : `(select *, ${lists.join(", ")} from ${table})`}`;
}

/** Columns in groups of one type, each small enough for one statement, in their order within a group. */
export function columnGroups<T extends Pick<TypedSql, "type">>(columns: readonly T[], numRows: number): T[][] {
  const most = Math.max(1, Math.floor(VALUES_AT_ONCE / Math.max(1, numRows)));
  return [...grouped(columns, ({ type }) => type).values()].flatMap((same) => chunksOf(same, most));
}

/**
 * A subquery that unnests some expressions of one type: a row with `column_number` and `value` for each expression and
 * each row of a table, with further columns of the row.
 */
export function longRows(values: readonly string[], from: string, beside: readonly string[]): string {
  const all = [
    `unnest(range(${values.length})) as column_number`,
    `unnest([${values.join(", ")}]) as value`,
    ...beside,
  ];
  return `(select ${all.join(", ")} from ${from})`;
}

/** Items by a key, in their order. */
export function grouped<T, K>(items: readonly T[], keyOf: (item: T) => K): ReadonlyMap<K, readonly T[]> {
  const byKey = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const same = byKey.get(key);
    if (same) same.push(item);
    else byKey.set(key, [item]);
  }
  return byKey;
}

/**
 * Call `ask` with some items at a time; where that fails, with each of them alone, so that an error belongs to one
 * item. Throws what `ask` throws for one item.
 */
export async function askSome<T>(items: readonly T[], ask: (some: readonly T[]) => Promise<void>): Promise<void> {
  for (const some of chunksOf(items, COLUMNS_AT_ONCE)) {
    try {
      await ask(some);
    } catch (error) {
      if (some.length === 1) throw error;
      for (const one of some) await ask([one]);
    }
  }
}

/** Items in their order, in chunks of `size`. */
export function chunksOf<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}

function sqlOf({ sql }: TypedSql): string {
  return enclosed(sql);
}
