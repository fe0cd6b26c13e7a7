import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { ColumnDescription } from "../../run/infer/column.js";
import { type Database, openDuckdb } from "../duckdb.js";
import { equalColumns } from "./infer/equal-columns.js";
import { measuredColumn, readFigures } from "./infer/figures.js";
import { aggregatesOf } from "./per-column.js";

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
