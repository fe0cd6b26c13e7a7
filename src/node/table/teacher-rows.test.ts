/** Teachers of a table that do not change: what they predict as a part of its records, and what is refused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type DrawnModel, writeDrawnModel } from "../../../test/fixtures/drawn-models.js";
import { content, csv, header, lines, specOf, workplace } from "../../../test/fixtures/table-fixture.js";
import { sha256 } from "../../checkpoint/digest.js";
import type { TableSpec, TableTeacher } from "../../data/table.js";
import { targetsOf } from "../../train/evaluate.js";
import { readRegular } from "../files/plain-files.js";
import type { PreparedTable } from "./ingest.js";
import { predict } from "./predict.js";

const { path, write, prepare, refused } = workplace();

const source = () => write("rows.csv", csv(lines).replace(header, "id,colour,size,day,late"));
/** Labels of each task, from the same columns. */
const specs = {
  binary: { task: "binary", label: "late" },
  multiclass: { task: "multiclass", label: "['a', 'b', 'c'][1 + id % 3]" },
  regression: { task: "regression", label: "id / 10" },
} as const;
const changesOf = (kind: keyof typeof specs, teachers?: readonly TableTeacher[]): Partial<TableSpec> => ({
  ...specs[kind],
  ...{ categorical: { colour: "colour" }, numeric: { size: "size" } },
  ...(teachers && { teachers }),
});

async function modelOf(
  described: DrawnModel,
  seed = 3,
  weight = 1,
): Promise<TableTeacher & { readonly model: string }> {
  const model = writeDrawnModel(
    path(`${described.kind}-${described.classes?.join("-")}-${seed}.onnx`),
    described,
    seed,
  );
  return { model, sha256: await sha256(readRegular(model)), weight };
}

/** What each split has as targets, [rows] or [rows, classes]. */
const targets = ({ train, validation, test: tested }: PreparedTable) =>
  [train, validation, tested].map((rows) => Array.from(targetsOf(rows) ?? []));

const half: TableTeacher = { column: "0.5", weight: 1 };

test("the mean of the teachers is kept beside the label, by their weights, and changes nothing else", async () => {
  const file = await source();
  const plain = await prepare(file, changesOf("binary"));
  const teachers: TableTeacher[] = [
    { column: "(id % 8) / 8", weight: 3 },
    { column: "case when late then 1 else 0.25 end", weight: 1 },
  ];
  const table = await prepare(file, { ...changesOf("binary", teachers), numeric: { size: "size", id: "id" } });
  const beside = await prepare(file, { ...changesOf("binary"), numeric: { size: "size", id: "id" } });
  assert.notEqual(table.digest, beside.digest);
  assert.deepEqual(table.preprocessing, beside.preprocessing);
  for (const split of ["train", "validation", "test"] as const) {
    const { targets: kept = [], ...rest } = content(table[split]);
    assert.deepEqual(rest, content(beside[split]), split);
    const expected = rest["features.id"]?.map((id, row) =>
      Math.fround((3 * ((id % 8) / 8) + (rest.labels?.[row] === 1 ? 1 : 0.25)) / 4),
    );
    assert.deepEqual(kept, expected, split);
  }
  assert.equal(targetsOf(plain.test), null);
});

for (const described of [
  { kind: "binary" },
  { kind: "multiclass", classes: ["c", "a", "b"] },
  { kind: "regression" },
] as const satisfies DrawnModel[]) {
  const { kind } = described;
  test(`a model teaches as the columns do that hold its predictions, to the bit: ${kind}`, async () => {
    const file = await source();
    const model = await modelOf(described);
    await predict(model.model, file, { out: path("predicted.parquet"), cacheFolder: path("cache") });
    const column = kind === "binary" ? "probability_true" : "prediction";
    const columns = { a: "probability_a", b: "probability_b", c: "probability_c" };
    const teacher: TableTeacher = kind === "multiclass" ? { columns, weight: 1 } : { column, weight: 1 };
    const byModel = await prepare(file, changesOf(kind, [model]));
    const byColumns = await prepare(path("predicted.parquet"), { ...changesOf(kind, [teacher]), shardBy: "id" });
    const again = await prepare(file, { ...changesOf(kind, [model]), shardBy: "id" });
    assert.ok(targets(byModel)[0]?.some((value) => value !== targets(byModel)[0]?.[0]));
    assert.deepEqual(targets(again), targets(byColumns));
    // Parquet has the numbers that CSV has.
    assert.deepEqual(content(again.train).labels, content(byColumns.train).labels);
    assert.equal(byModel.preprocessing.labels?.kind, kind === "regression" ? "numbers" : "classes");
  });
}

test("the classes of a teacher are matched by name, and its probabilities are made to add up to 1", async () => {
  const file = await source();
  const columns = { b: "0.2", c: "0.7", a: "0.105" };
  const { test: rows } = await prepare(file, changesOf("multiclass", [{ columns, weight: 2 }]));
  const kept = targetsOf(rows) ?? [];
  for (const [k, p] of [0.105, 0.2, 0.7].entries()) assert.equal(kept[k], Math.fround((1 * p) / (0.2 + 0.7 + 0.105)));
  const turned = await modelOf({ kind: "binary", classes: ["true", "false"] });
  const own = await modelOf({ kind: "binary", classes: ["false", "true"] });
  const [one, other] = [
    await prepare(file, changesOf("binary", [turned])),
    await prepare(file, changesOf("binary", [own])),
  ];
  const [a, b] = [targets(one).flat(), targets(other).flat()];
  assert.ok(a.every((p, i) => Math.abs(p + (b[i] ?? 0) - 1) < 1e-6));
});

test("rows keep their teachers' predictions where a split leaves some out, and several models teach together", async () => {
  const file = await source();
  const [first, second] = [await modelOf({ kind: "regression" }, 1, 1), await modelOf({ kind: "regression" }, 2, 3)];
  const split = { train: "id % 5 < 2", validation: "id % 5 = 2", test: "id % 5 = 3" };
  const of = async (teachers: readonly TableTeacher[]) =>
    targets(await prepare(file, { ...changesOf("regression", teachers), split })).flat();
  const [a, b, mean] = [await of([first]), await of([{ ...second, weight: 1 }]), await of([first, second])];
  assert.equal(mean.length, 240);
  assert.ok(mean.every((value, i) => Math.abs(value - ((a[i] ?? 0) + 3 * (b[i] ?? 0)) / 4) < 1e-5));
});

test("a label that is learned on a log scale has no target below 0", async () => {
  const teachers: TableTeacher[] = [{ column: "id - 5", weight: 1 }];
  const table = await prepare(await source(), { ...changesOf("regression", teachers), labelScale: "log" });
  assert.equal(Math.min(...targets(table).flat()), 0);
});

test("what cannot teach is refused with the rule, the rows and the cure", async () => {
  const file = await source();
  const spec = (kind: keyof typeof specs, teachers: readonly TableTeacher[]) => specOf(file, changesOf(kind, teachers));
  const column = (sql: string): TableTeacher => ({ column: sql, weight: 1 });
  await refused(
    spec("binary", [half, column("id")]),
    /^teachers\.1\.column: a teacher gives the probability of the positive label, from 0 to 1, and of 300 rows it is below 0 or above 1 in 298: id\./,
  );
  await refused(
    spec("binary", [column("nullif(id, 7) / 1000")]),
    /missing or no number in 1: /,
    /leave these rows out/,
  );
  await refused(spec("binary", [column("colour")]), /missing or no number in 300: colour\./);
  await refused(spec("binary", [column("'nan'::double")]), /missing or no number in 300/);
  await refused(
    spec("regression", [column("1e999")]),
    /a teacher gives a finite number, and of 300 rows it is infinite/,
  );
  await refused(spec("binary", [column("sise")]), /teachers\.0\.column does not compile: sise/, /Did you mean size\?/);
  await refused(spec("binary", [column("avg(id)")]), /does not compile.*\n.*aggregates/s);
  await refused(
    spec("multiclass", [{ columns: { a: "0.5", b: "0.5", c: "0.5" }, weight: 1 }]),
    /gives each class a probability from 0 to 1, and all together 1, and of 300 rows it is of a sum that is not 1 in 300/,
  );
  await refused(
    spec("multiclass", [{ columns: { a: "0.5", b: "0.5" }, weight: 1 }]),
    /predicts the classes of the label, which are 3 \(a, b, c\), and it has 2 \(a, b\)/,
  );
  await refused(
    spec("binary", [await modelOf({ kind: "binary", classes: ["no", "yes"] })]),
    /which are 2 \(false, true\), and it has 2 \(no, yes\)\. Name the positive class/,
  );
  await refused(
    spec("binary", [await modelOf({ kind: "regression" })]),
    /the student's task is "binary", that of .* "regression"\. Give a model of this label/,
  );
  const other = await write("other.csv", csv(lines));
  await refused(
    specOf(other, { ...changesOf("binary", [await modelOf({ kind: "binary" })]), categorical: { city: "city" } }),
    /the model reads the column "colour" \(text\), and the data has none of that name/,
  );
});
