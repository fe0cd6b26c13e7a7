/** Describes the weight of a row: its figures in the rows that are in a split. */
import type { Database } from "../../sources/duckdb.js";
import { checkWeights, type WeightFigures } from "../row-weights.js";
import type { SourceColumn } from "../source-rows.js";
import { checkExpressions } from "../table-checks.js";
import { splitColumn, weightPart } from "../table-query.js";

export interface WeightDescription extends WeightFigures {
  readonly given: string;
  /** The weight of a configuration. */
  readonly sql: string;
}

/** The figures of a weight in the rows that are in a split. Throws DataError when it is none. */
export async function describeWeight(
  db: Database,
  { given, sql }: { readonly given: string; readonly sql: string },
  columns: readonly SourceColumn[],
): Promise<WeightDescription> {
  const part = weightPart(sql);
  await checkExpressions(
    db,
    [{ ...part, role: "--weight" }],
    columns.map(({ name }) => name),
  );
  const from = `(select ${part.sql} as weight, ${splitColumn} as split from source_rows positional join row_splits where ${splitColumn} is not null)`;
  return { given, sql, ...(await checkWeights(db, { from, expression: sql, leaveOut: "from the data" })) };
}
