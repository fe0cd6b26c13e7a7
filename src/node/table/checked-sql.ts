/** Checks of the SQL in a model: before it runs, and before a model is trained that would contain it. */
import { DataError } from "../../errors.js";
import { shortened } from "../../report/format.js";
import type { ServedInput } from "../../serving/expression.js";
import { LONGEST_EXPRESSION, verdictOf } from "../../serving/model-sql.js";
import type { SqlNode, SqlReader } from "../../serving/translate.js";

/** SQL that may run, though it comes from a model; {@link checkedSql} alone makes it. */
export type CheckedSql = string & { readonly checked: unique symbol };

/**
 * Check an expression and write it anew from its syntax tree, so that exactly the checked expression runs.
 *
 * Throws {@link DataError} when it is more than one expression over a row, or has a part that a model may not contain.
 */
export async function checkedSql(reader: SqlReader, what: string, sql: string): Promise<CheckedSql> {
  const { problem, tree } = await looked(reader, sql);
  if (tree !== undefined) return (await reader.textOf(tree)) as CheckedSql;
  throw new DataError(
    `model: SQL of a model computes a value of one row, by functions on a list (docs/security.md), and ${what} has ${problem}: ${shortened(sql, 200)}. Do not use a model of somebody you do not trust; if it is yours, compute this in the data and train again.`,
  );
}

/** Throws {@link DataError} when a model that reads these inputs would be refused by {@link checkedSql}. */
export async function checkServable(reader: SqlReader, inputs: readonly ServedInput[]): Promise<void> {
  const all = await Promise.all(inputs.map(async ({ sql }) => ({ sql, ...(await looked(reader, sql)) })));
  for (const { sql, problem } of all) {
    if (problem === null) continue;
    throw new DataError(
      `table: a trained model computes its features itself, by functions on a list (docs/security.md), and a feature has ${problem}: ${shortened(sql, 200)}. Compute it in the source, as a column of its own.`,
    );
  }
}

type Looked =
  | { readonly problem: string; readonly tree?: undefined }
  | { readonly problem: null; readonly tree: SqlNode };

async function looked(reader: SqlReader, sql: string): Promise<Looked> {
  if (sql.length > LONGEST_EXPRESSION) return { problem: `more than ${LONGEST_EXPRESSION} characters` };
  const tree = await reader.treeOf(sql).catch(() => null);
  if (tree === null) return { problem: "more, or something else, than one expression" };
  const problem = verdictOf(tree);
  return problem === null ? { problem, tree } : { problem };
}
