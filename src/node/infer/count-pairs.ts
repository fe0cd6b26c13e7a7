/** How many different pairs of values two columns have. */
import type { ColumnDescription } from "../../run/infer/column.js";
import { choosePairs, PAIRED_ROWS, type PairFeature, pairable } from "../../run/infer/pairs.js";
import type { Database } from "../duckdb.js";

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
    (pair) => `approx_count_distinct(hash(${pair.map(({ features }) => features[0]?.sql).join(", ")}))`,
  );
  const [row = []] = await db.rows(`select ${counts.join(", ")} from source_rows`);
  const counted = pairs.map(([first, second], i) => {
    if (first === undefined || second === undefined) throw new Error("internal: a pair is of two");
    return { first, second, numPairs: Number(row[i]) };
  });
  return choosePairs(counted, numRows, nameOf);
}
