/** The label as the user wrote it: a column or an expression, its columns and its values. */
import { labelTextSql } from "../../../data/label-values.js";
import { enclosed, literal } from "../../../data/sql.js";
import { MAX_CLASSES } from "../../../data/table.js";
import { DataError } from "../../../errors.js";
import { kindOf, type LabelFigures } from "../../../infer/column.js";
import { columnSql } from "../../../infer/sql.js";
import { nearest } from "../../../nearest.js";
import { columnNamed, columnOfFlag } from "../../../reading/names.js";
import { firstNames } from "../../../report/format.js";
import type { Database } from "../../sources/duckdb.js";
import { checkExpressions } from "../table-checks.js";
import { readFigures } from "./figures.js";
import type { OpenSource } from "./source.js";

/** A label, and the columns that its expression reads, which must not be features. */
export interface MeasuredLabel extends LabelFigures {
  readonly columns: readonly string[];
}

/** Throws {@link DataError} when the expression does not compile, with the nearest column, or reads no column. */
export async function readLabel(db: Database, label: string, source: OpenSource): Promise<MeasuredLabel> {
  const names = source.columns.map(({ name }) => name);
  const column =
    columnNamed(label, source.columns) === null ? undefined : columnOfFlag("--label", label, source.columns).name;
  const sql = column === undefined ? label : columnSql(column);
  if (column === undefined) await checkLabel(db, label, names);
  const [[, type] = []] = await db.rows(`describe select ${enclosed(sql)} from source_shape`);
  const columns = column === undefined ? await columnsOf(db, sql, names) : [column];
  if (columns.length === 0) {
    throw new DataError(
      `label: it is an expression over the columns of a row, and ${label} reads none of them. The columns are ${firstNames(names)}.`,
    );
  }
  // Text is counted by the names of its classes, without spaces around them.
  const name = labelTextSql(enclosed(sql));
  const isText = kindOf(String(type)) === "text";
  const measured = { name: label, type: String(type), sql: isText ? name : sql };
  const [figures] = await readFigures(db, [measured], source.numRows);
  if (figures === undefined) throw new Error("internal: one column has one set of figures");
  const isCounted = kindOf(String(type)) !== "other";
  const isFloat = /^(FLOAT|DOUBLE)$/.test(String(type));
  const present = `${enclosed(sql)} is not null ${isFloat ? `and not isnan${enclosed(sql)}` : ""}`;
  const classes = isCounted
    ? await db.rows(`select ${name} as value, count(*) from source_rows where ${present}
        group by 1 order by 2 desc, 1 limit ${MAX_CLASSES + 1}`)
    : [];
  return {
    sql,
    figures,
    columns,
    classes: classes.map(([value, count]) => ({ value: String(value), count: Number(count) })),
    numSpellings: isCounted ? await numSpellings(db, enclosed(sql), name, present) : null,
  };
}

/** The number of different spellings of the values; null where every value is spelt like its class. */
async function numSpellings(db: Database, sql: string, name: string, present: string): Promise<number | null> {
  const text = `cast(${sql} as varchar)`;
  const [different] = await db.rows(`select 1 from source_rows where ${present} and ${text} <> ${name} limit 1`);
  if (different === undefined) return null;
  const [[found] = []] = await db.rows(`select count(distinct ${text}) from source_rows where ${present}`);
  return Number(found);
}

async function checkLabel(db: Database, label: string, names: readonly string[]): Promise<void> {
  const looksLikeName = /^[\p{L}\p{N}_ .-]+$/u.test(label);
  const near = looksLikeName ? nearest(label, names) : undefined;
  if (near !== undefined) {
    throw new DataError(
      `label: must be a column or an expression over columns, and none is called "${label}"; the columns are ${firstNames(names)}. Did you mean ${near}?`,
    );
  }
  if (names.every((name, i) => name === `column${i}`)) {
    throw new DataError(
      `label: the first line of the data names no columns, so there is none called "${label}". Name all ${names.length} of them with --columns, as in --columns id,age,late.`,
    );
  }
  await checkExpressions(db, [{ role: "label", expression: label, sql: enclosed(label) }], names);
}

/** The columns that an expression names, by DuckDB's own parser. */
export async function columnsOf(db: Database, sql: string, names: readonly string[]): Promise<string[]> {
  const [[text] = []] = await db.rows(`select json_serialize_sql(${literal(`select ${enclosed(sql)}`)})`);
  const found = new Set<string>();
  const visit = (node: unknown): void => {
    if (typeof node !== "object" || node === null) return;
    const { column_names: path } = node as { readonly column_names?: unknown };
    if (Array.isArray(path)) {
      for (const part of path) {
        const name = names.find((one) => one.toLowerCase() === String(part).toLowerCase());
        if (name !== undefined) found.add(name);
      }
    }
    for (const child of Object.values(node)) visit(child);
  };
  visit(JSON.parse(String(text)));
  return [...found];
}
