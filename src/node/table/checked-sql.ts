/** SQL that a model brings along: looked at before it runs, and before a model is trained that would bring it. */
import { DataError } from "../../errors.js";
import { shortened } from "../../report/format.js";
import type { ServedInput } from "../../run/serving/expression.js";
import { LONGEST_EXPRESSION, verdictOf } from "../../run/serving/model-sql.js";
import type { SqlReader } from "../../run/serving/translate.js";
import type { Database } from "../duckdb.js";
import { sqlReader } from "./sql-tree.js";

/** SQL that may run, though it comes from a model; {@link checkedSql} alone makes it. */
export type CheckedSql = string & { readonly checked: unique symbol };

/**
 * The expression written anew from its syntax tree, so that what runs is what was looked at.
 *
 * Throws {@link DataError} when it is more than one expression over a row, or has a part that a model may not bring along.
 */
export async function checkedSql(db: Database, what: string, sql: string): Promise<CheckedSql> {
  const { problem, text } = await looked(sqlReader(db), sql);
  if (problem === null) return text as CheckedSql;
  throw new DataError(
    `model: SQL of a model computes a value of one row, by functions on a list (docs/security.md), and ${what} has ${problem}: ${shortened(sql, 200)}. Do not use a model of somebody you do not trust; if it is yours, compute this in the data and train again.`,
  );
}

/** Throws {@link DataError} when a model that reads these inputs would be refused by {@link checkedSql}. */
export async function checkServable(db: Database, inputs: readonly ServedInput[]): Promise<void> {
  const reader = sqlReader(db);
  for (const { sql } of inputs) {
    const { problem } = await looked(reader, sql);
    if (problem === null) continue;
    throw new DataError(
      `table: a trained model computes its features itself, by functions on a list (docs/security.md), and a feature has ${problem}: ${shortened(sql, 200)}. Compute it in the source, as a column of its own.`,
    );
  }
}

async function looked(
  reader: SqlReader,
  sql: string,
): Promise<{ readonly problem: string | null; readonly text: string }> {
  if (sql.length > LONGEST_EXPRESSION) return { problem: `more than ${LONGEST_EXPRESSION} characters`, text: "" };
  const tree = await reader.treeOf(sql).catch(() => null);
  if (tree === null) return { problem: "more, or something else, than one expression", text: "" };
  return { problem: verdictOf(tree), text: await reader.textOf(tree) };
}
