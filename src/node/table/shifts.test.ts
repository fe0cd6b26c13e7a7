/** What float32 alone would lose: kept less a center and over a scale, in the cache and in what a model is served. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { content, csv, lines, specOf, workplace } from "../../../test/fixtures/table-fixture.js";

const { write, prepare, refused } = workplace();
const source = () => write("plain.csv", csv(lines));
const trained = Array.from({ length: 200 }, (_, id) => id);

/** What is kept of a feature or of labels, by the ids of training rows. */
async function kept(numeric: string, label?: string) {
  const table = await prepare(await source(), {
    categorical: {},
    numeric: { id: "id", x: numeric },
    ...(label && { task: "regression", label }),
  });
  const { "features.id": ids = [], "features.x": values = [], labels = [] } = content(table.train);
  const byId = (list: readonly number[]) => {
    const found = new Map(ids.map((id, row) => [id, list[row] as number]));
    return trained.map((id) => found.get(id) as number);
  };
  return { values: byId(values), labels: byId(labels), preprocessing: table.preprocessing };
}

test("values that float32 tells apart stay as they are", async () => {
  const plain = [
    "id / 7",
    "1e4 + id / 7",
    "2000 + id % 3",
    "16000000 + id",
    "case when id % 50 = 0 then 1e20 else id end",
  ];
  for (const sql of [...plain, "cast(id / 7 as decimal(18, 9))", "42"]) {
    assert.equal((await kept(sql)).preprocessing.numeric.x?.shift, undefined, sql);
  }
  const { values } = await kept("id / 7");
  assert.deepEqual(
    values,
    trained.map((id) => Math.fround(id / 7)),
  );
});

test("values that are close to one another and far from 0 are kept less their median", async () => {
  for (const [sql, of] of [
    ["1e9 + id / 7", (id: number) => 1e9 + id / 7],
    ["1700000000123 + id * 20", (id: number) => 1700000000123 + id * 20],
    ["-1e15 + id", (id: number) => -1e15 + id],
    [
      "cast(100000000.25 + id / 8 as decimal(18, 3))",
      (id: number) => Math.round(1000 * (100000000.25 + id / 8)) / 1000,
    ],
  ] as const) {
    const { values, preprocessing } = await kept(sql);
    const { shift, mean = 0, std } = preprocessing.numeric.x ?? {};
    assert.ok(shift, sql);
    assert.equal(shift.scale, 1);
    assert.ok(
      trained.some((id) => of(id) === shift.center),
      `${sql}: the center is a value`,
    );
    assert.deepEqual(
      values,
      trained.map((id) => Math.fround(of(id) - shift.center)),
    );
    const spread = Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length);
    assert.ok(Math.abs((std ?? 0) / spread - 1) < 1e-6);
  }
});

test("sizes beyond those of float32 have a scale, a power of two", async () => {
  for (const unit of [1e-300, 1e-46, 1e39, 1e300]) {
    const { values, preprocessing } = await kept(`id * ${unit}`);
    const { shift, std = 0 } = preprocessing.numeric.x ?? {};
    assert.ok(shift && Number.isInteger(Math.log2(shift.scale)), String(unit));
    assert.deepEqual(
      values,
      trained.map((id) => Math.fround((id * unit - shift.center) / shift.scale)),
    );
    assert.ok(std > 0.1 && std < 1);
  }
  await refused(
    specOf(await source(), { numeric: { x: "if(id = 7, 1e300, id)" } }),
    /numeric feature "x".* has a value of the size 1e\+?300 where most lie between/,
  );
});

test("labels are kept in the same way", async () => {
  const { labels, preprocessing } = await kept("size", "1700000000 + id * 20");
  const found = preprocessing.labels;
  assert.ok(found?.kind === "numbers" && found.shift);
  const { center } = found.shift;
  assert.deepEqual(
    labels,
    trained.map((id) => 1700000000 + id * 20 - center),
  );
});
