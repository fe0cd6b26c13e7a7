import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { ColumnDescription } from "../../infer/column.js";
import { type Database, openDuckdb } from "../sources/duckdb.js";
import { equalColumns } from "./infer/equal-columns.js";
import { measuredColumn, readFigures } from "./infer/figures.js";
import { aggregatesOf, askSome, computedQuery } from "./per-column.js";

const NUM_COLUMNS = 300;
let db: Database;
let numStatements = 0;

/** The database, with a count of what is asked of it. */
function counting(): Database {
  return {
    ...db,
    rows(sql) {
      numStatements++;
      return db.rows(sql);
    },
  };
}

before(async () => {
  db = await openDuckdb(join(mkdtempSync(join(tmpdir(), "per-column-")), "spill"));
  // Numbers with gaps, names, and yes or no; the last of each is equal to the first.
  const columns = Array.from({ length: NUM_COLUMNS }, (_, i) => {
    const k = Math.floor(i / 3) === NUM_COLUMNS / 3 - 1 ? i % 3 : i;
    const sql = [
      `case when row % 7 > 0 then (md5_number_lower(row || '-${k}') % 1000) / 8 end`,
      `'name ' || md5_number_lower(row || '-${k}') % 5`,
      `md5_number_lower(row || '-${k}') % 2 = 0`,
    ][i % 3];
    return `${sql} as c${i}`;
  });
  await db.run(`create table source_rows as select ${columns.join(", ")} from range(200) as t(row)`);
});

after(() => db.close());

async function figures(of: Database) {
  const described = await db.rows("describe source_rows");
  const columns = described.map(([name, type]) => measuredColumn({ name: String(name), type: String(type) }));
  return readFigures(of, columns, 200);
}

test("many columns have as a list the values that they have beside one another", async () => {
  // One has the name that an element of the list has.
  const names = Array.from({ length: 150 }, (_, i) => (i === 7 ? "codistill element" : `t${i}`));
  const texts = names.map((name, i) => `case when row % 5 > 0 then cast(row * ${i} as varchar) end as "${name}"`);
  await db.run(`create table texts as select ${texts.join(", ")} from range(50) as t(row)`);
  const columns = names.map((name, i) => ({
    name,
    compute: (value: string) => (i % 10 === 0 ? value : `try_cast(${value} as double) + length(${value})`),
  }));
  const lists = computedQuery(columns, "texts");
  assert.match(lists, /list_transform/);
  const parts = [columns.slice(0, 75), columns.slice(75)].map((some) => computedQuery(some, "texts"));
  for (const part of parts) assert.doesNotMatch(part, /list_transform/);
  const rows = await db.rows(lists);
  const [left = [], right = []] = await Promise.all(parts.map((part) => db.rows(part)));
  assert.deepEqual(
    rows,
    left.map((row, i) => [...row, ...(right[i] ?? [])]),
  );
});

test("columns below one another have the aggregates that they have beside one another", async () => {
  const columns = Array.from({ length: 40 }, (_, i) => ({
    type: ["DOUBLE", "VARCHAR", "BOOLEAN"][i % 3] ?? "",
    sql: `c${i}`,
  }));
  const asked = { aggregates: (value: string) => [`count(${value})`, `count(distinct ${value})`, `min(${value})`] };
  const below = await aggregatesOf(db, columns, { ...asked, numRows: 200 });
  const beside = await aggregatesOf(db, columns, { ...asked, numRows: 1e6 });
  assert.deepEqual(below, beside);
  const [numbers, names] = await db.rows(
    "select count(c0), count(distinct c0), min(c0) from source_rows union all select count(c1), count(distinct c1), null from source_rows",
  );
  assert.deepEqual(below[0], numbers);
  assert.deepEqual(below[1]?.slice(0, 2), names?.slice(0, 2));
});

test("the figures of many columns take a statement for each type", async () => {
  numStatements = 0;
  const found = await figures(counting());
  assert.equal(found.length, NUM_COLUMNS);
  assert.deepEqual(
    found.slice(0, 3).map(({ name, kind, numMissing }) => [name, kind, numMissing]),
    [
      ["c0", "number", 29],
      ["c1", "text", 0],
      ["c2", "boolean", 0],
    ],
  );
  assert.equal(numStatements, 3);
});

test("columns that look alike are not compared two by two", async () => {
  const columns = (await figures(db)).map(
    (one): ColumnDescription => ({ figures: one, role: "numeric", reason: "", features: [] }),
  );
  numStatements = 0;
  const equal = await equalColumns(counting(), columns);
  assert.deepEqual(
    [...equal].sort(),
    [0, 1, 2].map((k) => [`c${NUM_COLUMNS - 3 + k}`, `c${k}`]),
  );
  assert.ok(numStatements <= 6, `${numStatements} statements`);
});

test("what fails for some items together fails for the first of them that fails alone", async () => {
  const asked: number[] = [];
  const items = Array.from({ length: 40 }, (_, i) => i);
  const ask = async (some: readonly number[]) => {
    asked.push(some.length);
    if (some.some((item) => item === 21 || item === 23)) throw new Error(`item ${some[0]}`);
  };
  await assert.rejects(askSome(items, ask), { message: "item 21" });
  assert.deepEqual(asked, [16, 16, 1, 1, 1, 1, 1, 1]);
});
