import assert from "node:assert/strict";
import { test } from "node:test";
import { content, csv, header, lines, specOf, workplace } from "../../../test/fixtures/table-fixture.js";

const { path, write, prepare, refused } = workplace();

test("files that are missing, foreign or torn are refused", async () => {
  await refused(specOf(path("nowhere.csv")), /no file matches/, /nowhere\.csv/);
  await refused(specOf(path("nowhere*.csv")), /no file matches/);
  await refused(specOf([]), /names no file/);
  await refused(specOf(await write("data.xls", "x")), /extension.*data\.xls/);
  await refused(specOf(await write("torn.parquet", "PAR1 but not really")), /cannot be read as parquet/);
  await refused(specOf([await write("a.csv", csv(lines)), await write("a.jsonl", "{}")]), /one format/);
  await refused(specOf(await write("empty.csv", `${header}\n`)), /source has no rows/);
});

test("an expression that does not compile is shown with DuckDB's message and the columns", async () => {
  const source = await write("plain.csv", csv(lines));
  await refused(
    specOf(source, { categorical: { town: "upper(ctiy)" } }),
    /categorical feature "town" does not compile: upper\(ctiy\)/,
    /DuckDB: Binder Error.*ctiy/,
    /Columns of the source: id, city, size, day, late/,
    /Did you mean city\?/,
  );
  await refused(specOf(source, { numeric: { n: "size +" } }), /numeric feature "n" does not compile: size \+/);
  await refused(specOf(source, { numeric: { n: "size) + (1" }, label: "late) or (" }), /label does not compile/);
  await refused(specOf(source, { label: "latte" }), /label does not compile/, /Did you mean late\?/);
  await refused(specOf(source, { shardBy: "xyzzy" }), /`shardBy` does not compile/);
  await refused(specOf(source, { numeric: { n: "avg(size)" } }), /one row only/);
  await refused(specOf(source, { numeric: { n: "lag(size) over ()" } }), /one row only/);
  await refused(
    specOf(source, { split: { train: "days < 20", validation: "day = 20", test: "day > 20" } }),
    /split "train" does not compile: days < 20/,
    /Did you mean day\?/,
  );
  // A comment at the end of an expression stays its own.
  await prepare(source, { categorical: { city: "city -- as it is spelled" } });
});

test("an expression that fails on some row is named", async () => {
  const source = await write("plain.csv", csv(lines));
  await refused(specOf(source, { numeric: { town: "city" } }), /numeric feature "town" fails on a row: city/, /DOUBLE/);
  await refused(specOf(source, { numeric: { log: "ln(size)" } }), /numeric feature "log" fails.*ln\(size\)/, /zero/);
  await refused(specOf(source, { numeric: { inverse: "1 / size" } }), /"inverse" is infinite in \d+ rows/, /nullif/);
});

test("a categorical feature that never has a value is refused", async () => {
  const source = await write("plain.csv", csv(lines));
  const refusal =
    /categorical feature needs a value in the training split, and none is missing in all.*nullif\(city, city\)/;
  await refused(specOf(source, { categorical: { none: "nullif(city, city)" } }), refusal);
});

test("labels are 0 or 1, in every form that means so, and anything else is refused", async () => {
  const source = await write("plain.csv", csv(lines));
  const plain = content((await prepare(source)).validation).labels;
  for (const label of [
    "late::integer",
    "late::double",
    "late::varchar",
    "case when late then 'TRUE' else '0' end",
    "case when late then 'Yes' else 'n' end",
  ]) {
    assert.deepEqual(content((await prepare(source, { label })).validation).labels, plain, label);
  }
  await refused(
    specOf(source, { label: "city" }),
    /something else in \d+ rows, most often "Lima"/,
    /\(city\) = 'Lima'/,
  );
  await refused(specOf(source, { label: "id % 3" }), /something else in 100 rows, most often "2"/);
  await refused(specOf(source, { label: "size > 3" }), /label, and it is null in 24 rows: size > 3/);
  await refused(specOf(source, { label: "day >= 20" }), /all of its 200 rows have label 0/);
  await refused(specOf(source, { label: "day >= 0" }), /all of its 200 rows have label 1/);
});

test("splits exclude one another and have rows; the rest is left out", async () => {
  const source = await write("plain.csv", csv(lines));
  const split = { train: "day < 20", validation: "day = 20", test: "day = 21" };
  await refused(specOf(source, { split: { ...split, validation: "day in (19, 20)" } }), /10 rows match two/);
  await refused(specOf(source, { split: { ...split, test: "day > 99" } }), /300 rows .* split "test": day > 99/);
  const table = await prepare(source, { split: { ...split, train: "day < 10" } });
  assert.deepEqual([table.train.numRows, table.validation.numRows, table.test.numRows], [100, 10, 10]);
  // A null label in a row that is left out does no harm.
  const label = "case when day < 25 then late end";
  await prepare(source, { label, split });
});

test("feature names are used once", async () => {
  const source = await write("plain.csv", csv(lines));
  await refused(specOf(source, { categorical: { size: "city" } }), /"size" is both categorical \(city\)/);
});
