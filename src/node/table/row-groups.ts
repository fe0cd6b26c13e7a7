/** Notes on the groups of rows that a split keeps together: very large ones, few of them, rows without one. */
import { identifier } from "../../data/sql.js";
import type { Hint } from "../../infer/column.js";
import { count, counted, percent, shortened } from "../../report/format.js";
import type { Database } from "../sources/duckdb.js";
import { groupPart, splitCodes, splitColumn } from "./table-query.js";

/** The share of the rows from which on one group is too much of a table. */
const LARGE = 0.5;
/** The number of groups in a split below which its figures are those of few cases. */
const FEW = 10;
const LONGEST_VALUE = 30;

/** What a user should know of the groups, by SQL over a row of `source_rows`, whose splits are in `row_splits`. */
export async function groupNotes(db: Database, groupBy: string): Promise<Hint[]> {
  const group = identifier("codistill group");
  const from = `(select ${groupPart(groupBy).sql} as ${group}, ${splitColumn} as split
    from source_rows positional join row_splits where ${splitColumn} is not null)`;
  const splits = await db.rows(
    `select split, count(*), count(${group}), count(distinct ${group}) from ${from} group by 1`,
  );
  const [largest, size] = (
    await db.rows(
      `select ${group}, count(*) from ${from} where ${group} is not null group by 1 order by 2 desc, 1 limit 1`,
    )
  )[0] ?? ["", 0];
  const figures = (name: keyof typeof splitCodes) =>
    (splits.find(([split]) => Number(split) === splitCodes[name]) ?? []).map(Number);
  const sum = (column: number) => splits.reduce((total, row) => total + Number(row[column]), 0);
  const [numRows, numGrouped] = [sum(1), sum(2)];
  const note = (text: string): Hint => ({ kind: "groups", text });
  const few = (["train", "validation", "test"] as const).flatMap((name) => {
    const [, , , numGroups = 0] = figures(name);
    return numGroups < FEW ? [`${name} has ${count(numGroups)}`] : [];
  });
  const isLarge = Number(size) > LARGE * numRows;
  return [
    ...(numGrouped < numRows
      ? [
          note(
            `${counted(numRows - numGrouped, "row has", "rows have")} no value of ${groupBy}, and each is split by itself`,
          ),
        ]
      : []),
    ...(isLarge
      ? [
          note(
            `one value of ${groupBy}, ${JSON.stringify(shortened(String(largest), LONGEST_VALUE))}, has ${percent(Number(size) / numRows)} of the rows and is in one split whole: the shares of the splits, and of the groups of a run, are far from even`,
          ),
        ]
      : []),
    ...(few.length > 0
      ? [
          note(
            `of different values of ${groupBy} ${few.join(", ")}: figures of so few may be chance, however many rows they have`,
          ),
        ]
      : []),
  ];
}
