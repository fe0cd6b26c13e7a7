import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type Database, openDuckdb } from "../sources/duckdb.js";
import { sqlReader } from "./sql-tree.js";

let db: Database;

before(async () => {
  db = await openDuckdb(join(mkdtempSync(join(tmpdir(), "sql-tree-")), "spill"));
  await db.run('create table source_shape (a integer, "it\'s" varchar)');
});

after(() => db.close());

/** A database that counts its statements. */
function counted(of: Database): Database & { readonly numStatements: () => number } {
  let numStatements = 0;
  const rows = (sql: string) => {
    numStatements++;
    return of.rows(sql);
  };
  return { ...of, rows, numStatements: () => numStatements };
}

/** What an expression reads as, or the error that is thrown of it. */
async function read(reader: ReturnType<typeof sqlReader>, expression: string): Promise<unknown> {
  try {
    const tree = await reader.treeOf(expression);
    return { tree, text: await reader.textOf(tree) };
  } catch (error) {
    return String(error);
  }
}

test("many expressions are read in few statements", async () => {
  const own = counted(db);
  const reader = sqlReader(own);
  await Promise.all(Array.from({ length: 500 }, (_, i) => read(reader, `a + ${i}`)));
  // Two for the trees, two for the texts, and one for the statement that these are put into.
  assert.equal(own.numStatements(), 5);
});

test("expressions that are read together have the trees, the texts and the errors that each has alone", async () => {
  // More than fit into one statement; of a text with a zero character, DuckDB reads the statement to there.
  const good = Array.from({ length: 300 }, (_, i) => `case when a > ${i} then "it's" || 'it''s ${i}' end`);
  const expressions = ["((", ...good, "a\0b", "a; select 1", "3.0"];
  const reader = sqlReader(db);
  const together = await Promise.all(expressions.map((expression) => read(reader, expression)));
  const alone: unknown[] = [];
  for (const expression of expressions) alone.push(await read(sqlReader(db), expression));
  assert.deepEqual(together, alone);
  assert.equal(together.filter((one) => typeof one === "string").length, 3);
});
