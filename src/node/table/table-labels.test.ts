/** Labels of classes and numbers: what they become, what is fitted, and what is refused with which cure. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { content, csv, header, lines, specOf, workplace } from "../../../test/fixtures/table-fixture.js";
import { labelsName } from "../../data/batch.js";
import { MAX_CLASSES } from "../../data/table.js";
import { openTable } from "./ingest.js";

const { write, prepare, refused } = workplace();
const source = () => write("plain.csv", csv(lines));
const labelsOf = (table: { readonly validation: Parameters<typeof content>[0] }) =>
  content(table.validation)[labelsName];

test("classes are indices into a list in the order of their text, with their numbers of training rows", async () => {
  const label = "coalesce(case when city = 'O''Hare, IL' then 'Lima' else city end, 'none')";
  const table = await prepare(await source(), { task: "multiclass", label });
  const trained = lines.slice(0, 200).map((line) => line.split(",")[1] || "none");
  const classes = ["Lima", "Oslo", "Rome", "none"];
  const counts = classes.map((name) => trained.filter((city) => city === name).length);
  assert.deepEqual(table.preprocessing.labels, { kind: "classes", classes, counts });
  assert.equal(table.layout.columns.at(-1)?.dtype, "int32");
  const expected = lines.slice(200, 250).map((line) => {
    const city = /^\d+,("[^"]*"|[^,]*),/.exec(line)?.[1] || "none";
    return classes.indexOf(city === '"O\'Hare, IL"' ? "Lima" : city);
  });
  assert.deepEqual(labelsOf(table), expected);

  const again = await openTable(table.folder);
  assert.deepEqual(again.preprocessing, table.preprocessing);
  assert.deepEqual(again.validation && content(again.validation), content(table.validation));
  const turned = await prepare(await write("turned.csv", csv(lines.toReversed())), { task: "multiclass", label });
  assert.deepEqual(turned.preprocessing.labels, table.preprocessing.labels, "the order of the rows does not matter");
});

test("classes that are numbers are in the order of numbers, and those that are yes and no in that of text", async () => {
  const byNumber = await prepare(await source(), { task: "multiclass", label: "(id % 3) * 5" });
  const { labels } = byNumber.preprocessing;
  assert.ok(labels?.kind === "classes");
  assert.deepEqual(labels.classes, ["0", "5", "10"], "by text, 10 would come before 5");
  assert.deepEqual(
    labelsOf(byNumber)?.slice(0, 4),
    [200, 201, 202, 203].map((id) => id % 3),
  );
  const byText = await prepare(await source(), { task: "multiclass", label: "late" });
  assert.deepEqual((byText.preprocessing.labels as typeof labels).classes, ["false", "true"]);
  const mixed = await prepare(await source(), {
    task: "multiclass",
    label: "case id % 3 when 0 then 'x' else cast(id % 3 as varchar) end",
  });
  assert.deepEqual((mixed.preprocessing.labels as typeof labels).classes, ["1", "2", "x"]);
});

test("numbers are float32 labels, with the mean and standard deviation of the training rows", async () => {
  for (const label of ["1000 + id / 7", "cast(1000 + id / 7 as varchar)", "cast(1000 + id / 7 as decimal(18, 9))"]) {
    const table = await prepare(await source(), { task: "regression", label });
    const values = Array.from({ length: 200 }, (_, id) => Math.fround(1000 + id / 7));
    const mean = values.reduce((sum, value) => sum + value, 0) / 200;
    const std = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 200);
    const { labels } = table.preprocessing;
    assert.ok(labels?.kind === "numbers");
    assert.ok(Math.abs(labels.mean - mean) < 1e-9 && Math.abs(labels.std - std) < 1e-9, label);
    const close = labelsOf(table)?.every((value, i) => Math.abs(value - (1000 + (200 + i) / 7)) < 1e-4);
    assert.equal(close, true, label);
  }
});

test("yes and no are counted where a task asks for it, and only there", async () => {
  const plain = await prepare(await source());
  assert.equal(plain.preprocessing.labels, undefined);
  const counted = await prepare(await source(), { task: "binary" });
  const yes = lines.slice(0, 200).filter((line) => line.endsWith("true")).length;
  assert.deepEqual(counted.preprocessing.labels, {
    kind: "classes",
    classes: ["false", "true"],
    counts: [200 - yes, yes],
  });
  assert.notEqual(counted.digest, plain.digest);
  assert.deepEqual(content(counted.train), content(plain.train));
});

test("labels that are not of the task are refused, with the value that most have and the cure", async () => {
  const plain = await source();
  await refused(
    specOf(plain, { label: "id % 3" }),
    /0 or 1.*something else in 100 rows, most often "2"/,
    /"multiclass"/,
    /"regression"/,
  );
  await refused(
    specOf(plain, { task: "regression", label: "coalesce(city, 'none')" }),
    /a label of task "regression" is a finite number, and it is something else in 300 rows, most often "Lima"/,
    /task to "multiclass"/,
  );
  await refused(specOf(plain, { task: "regression", label: "late" }), /something else in 300 rows, most often "false"/);
  await refused(
    specOf(plain, { task: "regression", label: "1 / (id - 5)" }),
    /fails on a row|null in 1 row|something else in 1 row/,
  );
  await refused(
    specOf(plain, { task: "regression", label: "if(id = 7, 1e300, id)" }),
    /has a value of the size 1e\+?300 where most/,
  );
  for (const label of ["if(id = 7, 'inf'::double, id)", "if(id = 7, 'nan'::double, id)"]) {
    await refused(specOf(plain, { task: "regression", label }), /finite number, and it is something else in 1 row/);
  }
  for (const task of ["multiclass", "regression"] as const) {
    await refused(
      specOf(plain, { task, label: "size" }),
      /every row of a split has a label, and it is null in 24 rows: size/,
      /coalesce/,
    );
  }
});

test("labels that teach nothing are refused", async () => {
  const plain = await source();
  await refused(
    specOf(plain, { task: "multiclass", label: "if(day < 20, 'a', 'b')" }),
    /needs two classes or more, and all of its rows have the label "a"/,
  );
  await refused(
    specOf(plain, { task: "binary", label: "day >= 20" }),
    /needs both labels.*all of its 200 rows have label 0/,
  );
  await refused(
    specOf(plain, { task: "regression", label: "if(day < 20, 2.5, id)" }),
    /needs labels that differ, and all of its rows have the label 2\.5/,
  );
});

test("a class that no training row has is refused where it comes first", async () => {
  await refused(
    specOf(await source(), { task: "multiclass", label: "coalesce(city, 'none')" }),
    /a class is learned from training rows, and \d+ rows of validation and test have a label that no training row has, most often "O'Hare, IL"/,
  );
});

test("more classes than there may be are refused, with some of them", async () => {
  const many = Array.from({ length: MAX_CLASSES + 1 }, (_, id) => `${id},Lima,1,0,true`);
  const others = ["5,Lima,1,20,true", "5,Lima,1,25,true"];
  const path = await write("many.csv", `${[header, ...many, ...others].join("\n")}\n`);
  await refused(
    specOf(path, { task: "multiclass", label: "id" }),
    /at most 1,000 classes, and the training split has 1,001 different ones, as "0", "1", "2", "3": id/,
    /task to "regression"/,
  );
  const table = await prepare(path, { task: "multiclass", label: "id // 2" });
  const { labels } = table.preprocessing;
  assert.equal(labels?.kind === "classes" && labels.classes.length, MAX_CLASSES / 2 + 1);
});
