/** Labels of other tables than the one that a model was trained on. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { literal } from "../../data/sql.js";
import { DataError } from "../../errors.js";
import { type Database, openDuckdb } from "../sources/duckdb.js";
import { type ReadModel, servedLabels } from "./served-labels.js";

let folder = "";
let db: Database;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "codistill-labels-"));
  db = await openDuckdb(join(folder, "spill"));
});
after(async () => {
  await db.close();
  await rm(folder, { recursive: true, force: true });
});

const binary = (...classes: readonly [string, string]): ReadModel => ({
  task: { kind: "binary" },
  classes,
  isPlainBinary: false,
});
const plain: ReadModel = { ...binary("false", "true"), isPlainBinary: true };
const ofClasses = (...classes: readonly string[]): ReadModel => ({
  task: { kind: "multiclass" },
  classes,
  isPlainBinary: false,
});

/** What values of a DuckDB type are to a model: an index, null without a label, "other"; and the others that are told. */
async function read(model: ReadModel, values: readonly (string | null)[], type = "varchar", sql = "y") {
  const list = values.map((value) => (value === null ? "null" : literal(value))).join(", ");
  await db.run(
    `create or replace table source_rows as select cast(y as ${type}) as y from (select unnest([${list}]) as y)`,
  );
  await db.run("create or replace table source_shape as select * from source_rows limit 0");
  const labels = await servedLabels(db, model, sql);
  const found = await db.rows(`select ${labels.sql} from source_rows`);
  const told = found.map(([value]) => (Number.isNaN(value) ? null : Number(value) === -1 ? "other" : Number(value)));
  return [told, labels.others.map(({ value, count }) => `${value} ${count}`)];
}

test("a label is a class by its name or its number, and anything else is told as it is written", async () => {
  const income = binary("<=50K", ">50K");
  assert.deepEqual(await read(income, ["<=50K", " >50K ", ">50k", null, ">50K", "<=50K", ">50k", "?"]), [
    [0, 1, "other", null, 1, 0, "other", "other"],
    [">50k 2", "? 1"],
  ]);
  assert.deepEqual(await read(binary("0", "1"), ["0.0", "1.0", "01", "true", "2"]), [[0, 1, 1, 1, "other"], ["2 1"]]);
  assert.deepEqual(await read(binary("0", "1"), ["0", "1"], "double"), [[0, 1], []]);
  assert.deepEqual(await read(binary("1", "0"), ["0", "1"], "boolean"), [[1, 0], []], "yes may be 0");
  assert.deepEqual(await read(ofClasses("3", "7", "40"), ["3", "7", "40", null], "double"), [[0, 1, 2, null], []]);
  assert.deepEqual(await read(ofClasses("A", "a", "b"), ["a", "A", "B", "b"]), [[1, 0, "other", 2], ["B 1"]]);
});

test("a comparison says whether a row is of the positive class", async () => {
  assert.deepEqual(await read(binary("dog", "cat"), ["C", "D"], "varchar", "(y = 'C')"), [[1, 0], []]);
});

test("labels without words of their own are yes and no in any form that DuckDB reads so", async () => {
  assert.deepEqual(await read(plain, ["yes", "f", "1", "0.0", "TRUE", null, "maybe"]), [
    [1, 0, 1, 0, 1, null, "other"],
    ["maybe 1"],
  ]);
});

test("yes and no that were booleans to training are known as words too", async () => {
  const values = ["yes", "No", "true", "0", "perhaps"];
  assert.deepEqual(await read(binary("false", "true"), values), [[1, 0, 1, 0, "other"], ["perhaps 1"]]);
  assert.deepEqual(await read(binary("true", "false"), values), [[0, 1, 0, 1, "other"], ["perhaps 1"]]);
});

test("labels that are mostly others are refused, with both", async () => {
  const refused = async (attempt: Promise<unknown>, pattern: RegExp) =>
    assert.rejects(attempt, (error) => {
      assert.ok(error instanceof DataError);
      assert.match(error.message, pattern);
      return true;
    });
  await refused(
    read(binary("<=50K", ">50K"), ["<=50K.", ">50K.", ">50K", "<=50K."]),
    /classes, "<=50K", ">50K", and 3 of 4 \(75 %\) are others: "<=50K\." \(2\), ">50K\." \(1\)\..*true where it is ">50K", as in --label "y = '<=50K\.'"/,
  );
  await refused(read(ofClasses("a", "b", "c"), ["A", "B"]), /"a", "b", "c", and 2 of 2/);
  await refused(
    read({ task: { kind: "regression" }, classes: null, isPlainBinary: false }, ["1", "far"]),
    /is a number, and it is something else in 1 rows, as "far"/,
  );
});
