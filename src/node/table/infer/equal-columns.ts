/** Columns that are the same. */
import { identifier } from "../../../data/sql.js";
import type { ColumnDescription, ColumnFigures } from "../../../infer/column.js";
import { columnSql } from "../../../infer/sql.js";
import type { Database } from "../../sources/duckdb.js";
import { aggregatesOf, grouped } from "../per-column.js";

const rowHash = identifier("codistill row hash");

/**
 * The columns that equal an earlier column in every row, with the name of that column. Only columns with the same
 * figures are compared.
 */
export async function equalColumns(
  db: Database,
  columns: readonly ColumnDescription[],
): Promise<ReadonlyMap<string, string>> {
  const equal = new Map<string, string>();
  const candidates = columns.filter(({ role }) => role !== "ignored").map(({ figures }) => figures);
  const alike = sharing(candidates, signsOf).flat();
  const digests = await digestsOf(db, alike);
  for (const same of sharing(alike, (one) => `${signsOf(one)} ${digests.get(one.name)}`)) {
    for (const [i, { name }] of same.entries()) {
      for (const { name: before } of same.slice(0, i).filter((one) => !equal.has(one.name))) {
        const differ = `${columnSql(name)} is distinct from ${columnSql(before)}`;
        const [different] = await db.rows(`select 1 from source_rows where ${differ} limit 1`);
        if (different !== undefined) continue;
        equal.set(name, before);
        break;
      }
    }
  }
  return equal;
}

/** The figures of a column that equal columns share, as a key. */
function signsOf({ type, numMissing, numDistinct, numbers, times, text, example }: ColumnFigures): string {
  return JSON.stringify([type, numMissing, numDistinct, numbers?.min, numbers?.max, times, text, example]);
}

/** The columns that share their key with another column, in groups by key, each in the order of the columns. */
function sharing(columns: readonly ColumnFigures[], keyOf: (column: ColumnFigures) => string) {
  return [...grouped(columns, keyOf).values()].filter(({ length }) => length > 1);
}

/**
 * For each column, the sum over the rows of a hash of its value and the whole row. Equal columns have equal sums, and
 * other columns hardly ever, so that columns with the same figures, such as a thousand binary ones, need not be
 * compared with one another.
 */
async function digestsOf(db: Database, columns: readonly ColumnFigures[]): Promise<ReadonlyMap<string, string>> {
  const digests = await aggregatesOf(
    db,
    columns.map(({ name, type }) => ({ type, sql: columnSql(name) })),
    {
      aggregates: (value) => [`sum(hash(${value}, ${rowHash}))`],
      from: `(select *, hash(source_rows) as ${rowHash} from source_rows)`,
      numRows: columns[0]?.numRows ?? 0,
      beside: [rowHash],
    },
  );
  return new Map(columns.map(({ name }, i) => [name, String(digests[i]?.[0])]));
}
