/** How many different pairs of values two columns have. */
import type { ColumnDescription } from "../../../infer/column.js";
import { choosePairs, PAIRED_ROWS, type PairFeature, pairable } from "../../../infer/pairs.js";
import type { Database } from "../../sources/duckdb.js";

/** The pairs of columns that are features. */
export async function pairFeatures(
  db: Database,
  columns: readonly ColumnDescription[],
  numRows: number,
  nameOf: (wanted: string) => string,
): Promise<readonly PairFeature[]> {
  const pairs = numRows < PAIRED_ROWS ? [] : pairable(columns);
  if (pairs.length === 0) return [];
  const counts = pairs.map(
    ({ first, second }) => `approx_count_distinct(hash(${first.features[0]?.sql}, ${second.features[0]?.sql}))`,
  );
  const [row = []] = await db.rows(`select ${counts.join(", ")} from source_rows`);
  const counted = pairs.map((pair, i) => ({ ...pair, numPairs: Number(row[i]) }));
  return choosePairs(counted, numRows, nameOf);
}
