/**
 * The first look at a table, before a label is named: its columns, their contents, and the roles that they would have.
 */
import { enclosed } from "../../../data/sql.js";
import type { ColumnDescription, Hint } from "../../../infer/column.js";
import { groupAdvice } from "../../../infer/groups.js";
import { columnSql } from "../../../infer/sql.js";
import type { Database } from "../../sources/duckdb.js";
import { columnGroups, longRows } from "../per-column.js";
import type { OpenFiles } from "../text-files.js";
import {
  type DescribeOptions,
  type DescribeOverrides,
  describeColumns,
  isText,
  openColumns,
  readColumns,
  withTable,
} from "./describe.js";
import { sourceHints } from "./hints.js";
import { outlierHints, quantitiesOf } from "./outliers.js";
import type { OpenSource } from "./source.js";

/** A value of a column, and its rows. */
export interface ValueCount {
  readonly value: string;
  readonly count: number;
}

export interface FirstLook {
  readonly source: Omit<OpenSource, "columns">;
  /** In the order of the source, with the features that they would be for any label. */
  readonly columns: readonly (ColumnDescription & {
    /** The most frequent values, most rows first, of columns of few different ones. */
    readonly frequent: readonly ValueCount[];
  })[];
  readonly hints: readonly Hint[];
}

/** Different values up to which the most frequent ones say something. */
const FEW_VALUES = 1000;
const SHOWN_VALUES = 3;

/**
 * Look at the columns of some files.
 *
 * Throws DataError when the files are of no use, and ConfigError for overrides that do not fit.
 */
export function lookAtTable(
  source: string | readonly string[],
  overrides: DescribeOverrides,
  options: DescribeOptions,
): Promise<FirstLook> {
  return withTable(source, overrides, options, (db, open) => lookIn(db, open, overrides));
}

/** {@link lookAtTable} in an open database without tables. */
export async function lookIn(db: Database, open: OpenFiles, overrides: DescribeOverrides): Promise<FirstLook> {
  const { source, measured, roles } = await openColumns(db, open, overrides);
  const figures = await readColumns(db, measured, source.numRows, (name) => roles.has(name));
  const columns = await describeColumns(db, figures, roles);
  const frequent = await frequentValues(db, columns, source.numRows);
  return {
    source,
    columns: columns.map((column) => ({ ...column, frequent: frequent.get(column.figures.name) ?? [] })),
    hints: [
      ...sourceHints(source, columns),
      ...(await outlierHints(db, quantitiesOf(columns), isText(open))),
      ...groupAdvice(figures),
    ],
  };
}

async function frequentValues(
  db: Database,
  columns: readonly ColumnDescription[],
  numRows: number,
): Promise<ReadonlyMap<string, readonly ValueCount[]>> {
  const few = columns.flatMap(({ role, figures: { name, kind, type, numDistinct } }) => {
    const isOfNames = role === "categorical" || kind === "text" || kind === "boolean";
    return isOfNames && numDistinct > 0 && numDistinct <= FEW_VALUES ? [{ name, type, sql: columnSql(name) }] : [];
  });
  const found = new Map<string, ValueCount[]>();
  for (const some of columnGroups(few, numRows)) {
    const texts = longRows(
      some.map(({ sql }) => `cast(${enclosed(sql)} as varchar)`),
      "source_rows",
      [],
    );
    const rows = await db.rows(`select column_number, value, n from (
      select column_number, value, count(*) as n,
        row_number() over (partition by column_number order by count(*) desc, value) as place
      from ${texts} where value is not null group by column_number, value
    ) where place <= ${SHOWN_VALUES} order by column_number, place`);
    for (const [number, value, n] of rows) {
      const { name } = some[Number(number)] as { readonly name: string };
      found.set(name, [...(found.get(name) ?? []), { value: String(value), count: Number(n) }]);
    }
  }
  return found;
}
