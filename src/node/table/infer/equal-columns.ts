/** Columns that are the same. */
import type { ColumnDescription } from "../../../run/infer/column.js";
import { columnSql } from "../../../run/infer/sql.js";
import type { Database } from "../../duckdb.js";

/** Of columns that have the same figures, those that are equal in every row: the later one, and the one that it equals. */
export async function equalColumns(
  db: Database,
  columns: readonly ColumnDescription[],
): Promise<ReadonlyMap<string, string>> {
  const equal = new Map<string, string>();
  const bySigns = new Map<string, string[]>();
  for (const { figures, role } of columns) {
    const { name, type, numMissing, numDistinct, numbers, times, text, example } = figures;
    if (role === "ignored") continue;
    const signs = JSON.stringify([type, numMissing, numDistinct, numbers?.min, numbers?.max, times, text, example]);
    bySigns.set(signs, [...(bySigns.get(signs) ?? []), name]);
  }
  for (const names of bySigns.values()) {
    for (const [i, name] of names.entries()) {
      for (const before of names.slice(0, i).filter((one) => !equal.has(one))) {
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
