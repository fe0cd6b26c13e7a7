/** Weights of rows in a table: what is refused, and how they are kept. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { content, csv, lines, specOf, workplace } from "../../../test/fixtures/table-fixture.js";

const { write, prepare, refused } = workplace();

test("weights are kept beside the label, divided by their mean over the training rows", async () => {
  const source = await write("plain.csv", csv(lines));
  const plain = await prepare(source);
  const table = await prepare(source, { weight: "id % 4" });
  // Rows 0 to 199 train: 50 of each remainder.
  assert.equal(table.preprocessing.meanWeight, 1.5);
  assert.notEqual(table.digest, plain.digest);
  assert.deepEqual(table.preprocessing, { ...plain.preprocessing, meanWeight: 1.5 });
  for (const split of ["train", "validation", "test"] as const) {
    const { weights, ...rest } = content(table[split]);
    assert.deepEqual(rest, content(plain[split]), split);
    assert.deepEqual(
      weights,
      rest["features.id"]?.map((id) => Math.fround((id % 4) / 1.5)),
    );
  }
  assert.deepEqual(
    table.layout.columns.slice(-2).map(({ name }) => name),
    ["weights", "labels"],
  );
});

test("a weight stays apart from very many numbers, which are one array", async () => {
  const numeric = Object.fromEntries(Array.from({ length: 70 }, (_, i) => [`n${i}`, `id + ${i}`]));
  const table = await prepare(await write("plain.csv", csv(lines)), { numeric, weight: "1 + id" });
  const { numbers = [], weights = [] } = content(table.test);
  assert.equal(numbers.length, 70 * 50);
  assert.deepEqual(numbers.slice(70, 72), [251, 252]);
  assert.ok(Math.abs((weights[1] ?? 0) - 252 / 100.5) < 1e-6, `${weights[1]}`);
});

test("what is no weight is refused, with the number of rows and the cure", async () => {
  const source = await write("plain.csv", csv(lines));
  const spec = (weight: string) => specOf(source, { weight });
  await refused(
    spec("case when id < 3 then null when id < 7 then -1 when id = 9 then 1e999 else 1 end"),
    /the weight of a row is a finite number of 0 or more, and of 300 rows it is missing or no number in 3, infinite in 1, negative in 4: /,
    /Leave these rows out .*, or write an expression .*coalesce\(/,
  );
  await refused(spec("case when id = 5 then 'nan'::double else 1 end"), /missing or no number in 1: /);
  await refused(spec("city"), /missing or no number in 300: city\. Name a column of numbers\.$/);
  await refused(spec("sise"), /`weight` does not compile: sise/, /Did you mean size\?/);
  await refused(
    spec("case when day between 20 and 24 then 0 else id + 1 end"),
    /some row of validation must have a weight above 0, and the weight is 0 in all 50 rows/,
  );
  await refused(spec("0"), /some row of train must have a weight above 0, and the weight is 0 in all 200 rows/);
  // Rows that are in no split may have any weight.
  const split = { train: "day < 20 and id > 5", validation: "day >= 20 and day < 25", test: "day >= 25" };
  await prepare(source, { split, weight: "case when id < 6 then -1 else 1e-300 end" });
});
