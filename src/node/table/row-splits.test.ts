/** Splits by rank, as DuckDB makes them of rows. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { content, csv, lines, specOf, workplace } from "../../../test/fixtures/table-fixture.js";
import { classIndex, classIndexSql, labelText, labelTextSql } from "../../data/label-values.js";
import { numSlots, slotRange } from "../../data/shard.js";
import type { RowSplit } from "../../data/split.js";
import { literal } from "../../data/sql.js";
import { DataError } from "../../errors.js";
import { type Database, openDuckdb } from "../sources/duckdb.js";
import { equalColumn, makeRowSplits } from "./row-splits.js";
import { splitColumn } from "./table-query.js";

let folder = "";
let db: Database;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "codistill-splits-"));
  db = await openDuckdb(join(folder, "spill"));
});
after(async () => {
  await db.close();
  await rm(folder, { recursive: true, force: true });
});
const { write, prepare, refused } = workplace();

const byChance: RowSplit = {
  kind: "rows",
  shares: { validation: 0.1, test: 0.1 },
  seed: 1,
  keepEqual: true,
  stratify: true,
};

/** Rows of features, label and further columns; each row's cells with its split behind them. */
async function splitsOf(
  query: string,
  changes: Partial<RowSplit> = {},
  features = ["a", "b"],
): Promise<(readonly unknown[])[]> {
  await db.run(`create or replace table source_rows as ${query}`);
  const columns = (await db.rows("describe source_rows")).map(([name]) => String(name));
  await makeRowSplits(db, { ...byChance, ...changes }, { columns, features, label: "y" });
  return [...(await db.rows(`select source_rows.*, ${splitColumn} from source_rows positional join row_splits`))];
}

const counts = (rows: readonly (readonly unknown[])[], isOf: (row: readonly unknown[]) => boolean = () => true) =>
  [0, 1, 2].map((code) => rows.filter((row) => row.at(-1) === code && isOf(row)).length);

const cells = "select i % 2 as a, i % 3 as b, (i * 7919) % 1000 < 300 as y from range(2000) t(i)";
const plain = "select i / 7 as a, hash(i) % 50 as b, hash(i + 1) % 40 = 0 as y, i as id from range(1000) t(i)";

test("few different rows are split row by row, so that shares and classes come out", async () => {
  const rows = await splitsOf(cells);
  assert.deepEqual(counts(rows), [1600, 200, 200]);
  const numYes = rows.filter(([, , y]) => y).length;
  assert.deepEqual(
    counts(rows, ([, , y]) => y === true),
    [numYes - 2 * (numYes / 10), numYes / 10, numYes / 10],
  );
});

test("which rows are where depends on the rows and the seed, and on nothing else", async () => {
  const sorted = (rows: readonly (readonly unknown[])[]) => rows.map((row) => row.join()).sort();
  const first = sorted(await splitsOf(plain));
  assert.deepEqual(sorted(await splitsOf(`${plain} order by hash(i * 3)`)), first, "in another order");
  assert.notDeepEqual(sorted(await splitsOf(plain, { seed: 2 })), first, "with another seed");
  // Values by hand: whoever changes the hash parts every table anew.
  const few = await splitsOf("select i as a, i % 2 as b, i % 2 = 0 as y from range(12) t(i)");
  assert.equal(few.map((row) => row.at(-1)).join(""), FEW);
  const grown = await splitsOf(plain.replace("range(1000)", "range(1100)"));
  const before_ = new Map((await splitsOf(plain)).map((row) => [row[3], row.at(-1)]));
  const moved = grown.filter((row) => before_.has(row[3]) && before_.get(row[3]) !== row.at(-1)).length;
  assert.ok(moved <= 40, `${moved} of 1,000 rows moved when 100 were added`);
});
const FEW = "000002112000";

test("rows that are equal in all features stay together, whatever their labels", async () => {
  const rows = await splitsOf(
    "select i // 3 as a, 5 as b, (i * 7919) % 1000 < 300 as y, i as id from range(3000) t(i)",
  );
  const splits = new Map<unknown, Set<unknown>>();
  for (const row of rows) splits.set(row[0], (splits.get(row[0]) ?? new Set()).add(row.at(-1)));
  assert.ok([...splits.values()].every((codes) => codes.size === 1));
  const [train = 0, validation = 0, test_ = 0] = counts(rows);
  assert.ok(Math.abs(validation - 300) <= 3 && Math.abs(test_ - 300) <= 3 && train > 2390, `${counts(rows)}`);
  const [[different] = []] = await db.rows(`select count(distinct ${equalColumn}) from row_splits`);
  assert.equal(Number(different), 1000);
  const apart = await splitsOf(
    "select i // 3 as a, 5 as b, (i * 7919) % 1000 < 300 as y, i as id from range(3000) t(i)",
    { keepEqual: false },
  );
  assert.deepEqual(counts(apart), [2400, 300, 300]);
});

test("all columns count, the last of many too", async () => {
  const columns = Array.from({ length: 60 }, (_, i) => `0 as f${i}`).join(", ");
  const features = Array.from({ length: 60 }, (_, i) => `f${i}`);
  const rows = await splitsOf(`select ${columns}, i as a, i % 2 = 0 as y from range(1000) t(i)`, {}, [
    ...features,
    "a",
  ]);
  assert.deepEqual(counts(rows), [800, 100, 100]);
});

test("many features are hashed as few are, in one order", async () => {
  const names = Array.from({ length: 600 }, (_, i) => `f${i}`);
  const values = names.map((name, i) => `case when (i + ${i}) % 7 > 0 then (i * ${i}) % 10 end as ${name}`);
  await splitsOf(`select ${values.join(", ")}, i % 2 = 0 as y from range(20) t(i)`, {}, names);
  const texts = names.map((name) => `coalesce(cast(${name} as varchar), chr(30))`);
  const [[numDifferent] = []] = await db.rows(`select count(*) filter (${equalColumn} is distinct from
    md5_number_lower(concat_ws(chr(31), '1', ${texts.join(", ")}))) from source_rows positional join row_splits`);
  assert.equal(Number(numDifferent), 0);
});

test("rows of one group are in one split, those without a group each by itself, and rare classes everywhere", async () => {
  const query = `select i as a, i % 5 as b, i % 100 = 3 as y,
    case when i % 11 > 0 then 'customer ' || (hash(i) % 60) end as customer from range(2000) t(i)`;
  const rows = await splitsOf(query, { groupBy: "customer" });
  const splits = new Map<unknown, Set<unknown>>();
  for (const row of rows) splits.set(row[3], (splits.get(row[3]) ?? new Set()).add(row.at(-1)));
  assert.equal(splits.get(null)?.size, 3);
  splits.delete(null);
  assert.ok(splits.size > 50 && [...splits.values()].every((codes) => codes.size === 1));
  for (const count of counts(rows).slice(1)) assert.ok(Math.abs(count - 200) <= 40, `${counts(rows)}`);
  assert.ok(counts(rows, ([, , y]) => y === true).every((count) => count > 0));
  await assert.rejects(
    splitsOf(query, { groupBy: "i % 2" }).catch(() => splitsOf(query, { groupBy: "b % 2" })),
    (error) => {
      assert.ok(error instanceof DataError);
      assert.match(error.message, /at least 3 different values of b % 2, and there are 2/);
      return true;
    },
  );
});

describe("folds", () => {
  const query = `select i as a, i % 5 as b, case when i % 50 = 3 then 'rare' when i = 7 then 'once' else 'usual' end as y,
    case when i % 11 > 0 then 'customer ' || (hash(i) % 60) end as customer, i as id from range(1000) t(i)`;
  const folds = async (of: number, changes: Partial<RowSplit> = {}) => {
    const all = [];
    for (let number = 1; number <= of; number++) all.push(await splitsOf(query, { ...changes, fold: { number, of } }));
    return all;
  };
  const tested = (rows: readonly (readonly unknown[])[]) => rows.filter((row) => row.at(-1) === 2);

  test("test every row once but those of a class of one row, which trains, each class in proportion", async () => {
    const runs = await folds(4);
    const ids = runs.flatMap((rows) => tested(rows).map((row) => Number(row[4])));
    assert.deepEqual(
      ids.toSorted((a, b) => a - b),
      Array.from({ length: 1000 }, (_, id) => id).filter((id) => id !== 7),
    );
    for (const rows of runs) {
      assert.equal(rows.find((row) => row[4] === 7n || row[4] === 7)?.at(-1), 0);
      const [train = 0, validation = 0, test_ = 0] = counts(rows);
      assert.ok(Math.abs(test_ - 250) <= 1 && Math.abs(validation - 100) <= 1 && train > 640, `${counts(rows)}`);
      assert.deepEqual(
        counts(rows, ([, , y]) => y === "rare"),
        [13, 2, 5],
      );
    }
    assert.deepEqual(await folds(4), runs, "the same every time");
    assert.notDeepEqual(await folds(4, { seed: 2 }), runs);
  });

  test("keep groups whole: a group is tested in one fold, and in each other one trains or validates", async () => {
    const runs = await folds(3, { groupBy: "customer" });
    const foldsOf = new Map<unknown, Set<number>>();
    for (const [fold, rows] of runs.entries()) {
      const splits = new Map<unknown, Set<unknown>>();
      for (const row of rows) {
        if (row[3] === null) continue;
        splits.set(row[3], (splits.get(row[3]) ?? new Set()).add(row.at(-1)));
        if (row.at(-1) === 2) foldsOf.set(row[3], (foldsOf.get(row[3]) ?? new Set()).add(fold));
      }
      assert.ok([...splits.values()].every((codes) => codes.size === 1));
      assert.ok(Math.abs(tested(rows).length - 333) < 25, `${counts(rows)}`);
    }
    assert.ok(foldsOf.size > 50 && [...foldsOf.values()].every((own) => own.size === 1));
  });

  test("are refused where there are fewer rows, or groups, than folds", async () => {
    await assert.rejects(
      folds(10, { groupBy: "b" }),
      /10 folds need at least as many different values of b, and there are 5/,
    );
  });
});

test("a rare class is in every split from three rows on, and below that in training", async () => {
  const query = (numRare: number) =>
    `select i as a, i % 7 as b, case when i < ${numRare} then 'rare' else 'usual ' || (i % 2) end as y from range(500) t(i)`;
  const ofRare = async (numRare: number) => counts(await splitsOf(query(numRare)), ([, , y]) => y === "rare");
  assert.deepEqual(await ofRare(3), [1, 1, 1]);
  assert.deepEqual(await ofRare(2), [2, 0, 0]);
  assert.deepEqual(await ofRare(40), [32, 4, 4]);
  assert.deepEqual(counts(await splitsOf(query(3))), [400, 50, 50]);
  // Where all classes are so rare, the splits have a row each nevertheless.
  assert.deepEqual(counts(await splitsOf("select i as a, i as b, i % 2 = 0 as y from range(4) t(i)")), [2, 1, 1]);
});

test("rows that the condition leaves out are in no split", async () => {
  const rows = await splitsOf(plain, { where: "id >= 500" });
  assert.deepEqual(counts(rows), [400, 50, 50]);
  assert.ok(rows.every((row) => (row.at(-1) === null) === Number(row[3]) < 500));
});

test("a table is trained on by such a split, and its cache is named by it", async () => {
  const source = await write("plain.csv", csv(lines));
  const table = await prepare(source, { split: byChance });
  assert.deepEqual([table.train.numRows, table.validation.numRows, table.test.numRows], [240, 30, 30]);
  const ids = [table.train, table.validation, table.test].flatMap((rows) => content(rows)["features.id"] ?? []);
  assert.equal(new Set(ids).size, 300);
  const parts = [table.validation, table.test].map((rows) => content(rows)["features.id"] ?? []);
  for (const part of parts)
    assert.deepEqual(
      part,
      part.toSorted((a, b) => a - b),
      "in the order of the source",
    );
  assert.notEqual((await prepare(source, { split: { ...byChance, seed: 2 } })).digest, table.digest);
  await refused(
    specOf(source, { split: { ...byChance, groupBy: "ctiy" } }),
    /split\.groupBy does not compile: ctiy/,
    /Did you mean city\?/,
  );
});

test("rows of one group are in one slot, and so with one group of a run; those without a group each by itself", async () => {
  const source = await write("plain.csv", csv(lines));
  const slotsOf = async (changes: Parameters<typeof prepare>[1]) => {
    const { train } = await prepare(source, changes);
    const ids = content(train)["features.id"] ?? [];
    const slots = new Map<unknown, Set<number>>();
    for (let slot = 0; slot < numSlots; slot++) {
      const { start, end } = slotRange(train.slotOffsets, slot);
      for (const id of ids.slice(start, end)) {
        const group = id % 7 === 0 ? "" : String(id % 40);
        slots.set(group, (slots.get(group) ?? new Set()).add(slot));
      }
    }
    return slots;
  };
  const groupBy = "case when id % 7 > 0 then id % 40 end";
  const grouped = await slotsOf({ split: { ...byChance, groupBy } });
  const alone = grouped.get("")?.size ?? 0;
  grouped.delete("");
  assert.ok([...grouped.values()].every((slots) => slots.size === 1) && grouped.size >= 30, `${grouped.size}`);
  assert.ok(alone > 5, `${alone}`);
  const parted = await slotsOf({ split: { ...byChance, groupBy }, shardBy: "id" });
  assert.ok((parted.get("1")?.size ?? 0) > 3, "shardBy says otherwise");
});

test("the names of classes are the same in DuckDB", async () => {
  const values = [
    " a",
    "a\t",
    "\u00a0a",
    "3.0",
    "3",
    "03",
    "3.50",
    "3.5",
    ".5",
    "1e3",
    "true",
    "False",
    "1",
    "0",
    "A",
    "",
    "x",
    "9007199254740993",
    "nan",
    "it's",
  ];
  const list = `unnest([${values.map(literal).join(", ")}])`;
  const names = await db.rows(`select ${labelTextSql("v")} from (select ${list} as v)`);
  assert.deepEqual(
    names.map(([name]) => name),
    values.map(labelText),
  );
  for (const classes of [
    ["a", "A"],
    ["3", "7"],
    ["3.5", "0.50", "1000"],
    ["0", "1"],
    ["False", "True"],
    ["03", "003"],
    ["it's", "x"],
  ]) {
    const found = await db.rows(`select ${classIndexSql("v", classes)} from (select ${list} as v)`);
    const expected = values.map((value) => classIndex(value, classes));
    assert.deepEqual(
      found.map(([index]) => (index === null ? null : Number(index))),
      expected,
      classes.join(),
    );
  }
});
