/** Means of the label by name: their values by hand, in and out of fold, what leaks, and what a served model computes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { content, workplace } from "../../../test/fixtures/table-fixture.js";
import { priorRows } from "../../data/label-means.js";
import type { TableSpec } from "../../data/table.js";
import { toModel } from "../../graph/onnx.js";
import { encodeModel } from "../../graph/onnx-proto.js";
import { input } from "../../graph/ops.js";
import { rootKey, uniform } from "../../runtime/random.js";
import { servedFrom } from "../../serving/prelude.js";
import { InferenceSession, Tensor } from "../ort/library.js";
import type { PreparedTable } from "./ingest.js";

const { write, prepare, refused } = workplace();

interface Row {
  readonly name: string;
  readonly y: number | string;
  readonly part: "train" | "validation" | "test";
}
const split = { train: "part = 'train'", validation: "part = 'validation'", test: "part = 'test'" };
const spec: Partial<TableSpec> = {
  label: "y",
  split,
  categorical: {},
  numeric: { id: "id" },
  labelMeans: { mean: "name" },
};

async function prepared(rows: readonly Row[], changes: Partial<TableSpec> = {}): Promise<PreparedTable> {
  const lines = rows.map(({ name, y, part }, id) => `${id},${name},${y},${part}`);
  const source = await write(`${fileNumber++}.csv`, `id,name,y,part\n${lines.join("\n")}\n`);
  return prepare(source, { ...spec, ...changes });
}
let fileNumber = 0;

/** Values of a feature by the row's place in the file. */
function byId(table: PreparedTable, name: string): ReadonlyMap<number, number> {
  return new Map(
    [table.train, table.validation, table.test].flatMap((rows) => {
      const { "features.id": ids = [], [`features.${name}`]: values = [] } = content(rows);
      return ids.map((id, i) => [id, values[i] as number] as const);
    }),
  );
}

const of = (part: Row["part"], name: string, ys: readonly (number | string)[]): Row[] =>
  ys.map((y) => ({ name, y, part }));
/**
 * Names with means that differ; one row of "once"; two without a name; a name that training has not. No two sums of some
 * labels of a name are equal, so that a mean shows which rows are in it.
 */
const ratings: readonly Row[] = [
  ...of("train", "ann", [1.01, 4.02, 2.04, 3.08, 2.16, 1.32, 3.64, 1.28]),
  ...of("train", "bob", [4.01, 5.02, 2.04, 4.08, 5.16, 4.32]),
  ...of("train", "cleo", [3.01, 1.02, 5.04, 2.08]),
  ...of("train", "once", [5]),
  ...of("train", "", [1, 5]),
  ...of("validation", "ann", [2]),
  ...of("validation", "once", [1]),
  ...of("test", "new", [3]),
  ...of("test", "", [3]),
];

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

function byHand(rows: readonly Row[]) {
  const trained = rows.filter(({ part }) => part === "train");
  const own = (name: string) => trained.flatMap((row) => (row.name === name && name !== "" ? [Number(row.y)] : []));
  const names = [...new Set(trained.map(({ name }) => name))].filter((name) => name !== "");
  const named = names.map(own);
  const numRows = sum(named.map(({ length }) => length));
  const meanOf = (values: readonly number[]) => sum(values) / values.length;
  const within = sum(named.map((ys) => sum(ys.map((y) => (y - meanOf(ys)) ** 2)))) / (numRows - names.length);
  const middle = meanOf(named.flat());
  const between = sum(named.map((ys) => ys.length * (meanOf(ys) - middle) ** 2)) - (names.length - 1) * within;
  const prior = Math.max(1, within / (between / (numRows - sum(named.map((ys) => ys.length ** 2)) / numRows)));
  const all = meanOf(trained.map(({ y }) => Number(y)));
  return {
    all,
    prior,
    own,
    shrunken: (ys: readonly number[]) => (sum(ys) + prior * all) / (ys.length + prior),
  };
}

test("a mean is shrunken towards that of all rows, and out of fold for training rows", async () => {
  const table = await prepared(ratings, { task: "regression" });
  const values = byId(table, "mean");
  const { own, shrunken, all, prior } = byHand(ratings);
  assert.ok(prior > 1, `${prior}`);
  const isNear = (id: number, value: number) =>
    assert.ok(Math.abs((values.get(id) ?? Number.NaN) - value) < 1e-6, `row ${id}: ${values.get(id)}, not ${value}`);
  const folds = new Map<string, number>();
  for (const [id, { name, part }] of ratings.entries()) {
    if (part !== "train") isNear(id, shrunken(own(name)));
    else if (name === "once" || name === "") isNear(id, all);
    else {
      // The row's fold is not known, but the value must be that of some rows of the name without the row itself.
      const others = own(name).map((y, i) => ({ y, at: ratings.findIndex((row) => row.name === name) + i }));
      const together = others.filter(({ at }) => values.get(at) === values.get(id));
      const rest = others.filter((one) => !together.includes(one)).map(({ y }) => y);
      isNear(id, shrunken(rest));
      folds.set(`${name} ${values.get(id)}`, together.length);
    }
  }
  assert.ok(folds.size > 6, "names have several folds");
  assert.equal(table.train.numRows, 21);
  assert.equal(table.preprocessing.numeric.mean?.isLabelMean, true);
  assert.equal(table.preprocessing.numeric.id?.isLabelMean, undefined);
});

test("m is the variance within names over that between them", () => {
  const sums = (values: readonly number[]) => ({
    count: values.length,
    sum: BigInt(sum(values)),
    squares: BigInt(sum(values.map((value) => value * value))),
  });
  // Within: 100 over 4 - 2, which is 50; between: 2 x 25 + 2 x 25 less 50, over 4 - 8 / 4, which is 25.
  assert.equal(priorRows([sums([0, 10]), sums([10, 20])]), 2);
  assert.equal(priorRows([sums([0, 2]), sums([8, 10])]), 1, "2 over 31, and no name is certain");
  assert.equal(priorRows([sums([0, 8]), sums([2, 10])]), Number.POSITIVE_INFINITY, "means differ by chance alone");
  assert.equal(priorRows([sums([1]), sums([2])]), 10);
  assert.equal(priorRows([sums([1, 2, 3])]), 10);
});

test("yes is a share as log-odds, and of few classes each has one", async () => {
  const binary = ratings.map((row) => ({ ...row, y: Number(Number(row.y) > 3) }));
  const table = await prepared(binary, { task: "binary" });
  const { own, shrunken, all } = byHand(binary);
  const values = byId(table, "mean");
  const logOdds = (p: number) => Math.log(p / (1 - p));
  for (const [id, { name, part }] of binary.entries()) {
    if (part === "train" && name !== "once") continue;
    const value = part === "train" ? all : shrunken(own(name));
    assert.ok(Math.abs((values.get(id) ?? Number.NaN) - logOdds(value)) < 1e-6, `row ${id}`);
  }
  const classes = ratings.map((row) => ({
    ...row,
    y: ["low", "low", "middle", "high", "high"][Math.round(Number(row.y)) - 1] ?? "",
  }));
  const several = await prepared(classes, { task: "multiclass" });
  assert.deepEqual(
    several.layout.columns.map(({ name }) => name),
    ["features.id", "features.mean_0", "features.mean_1", "features.mean_2", "labels"],
  );
  const high = byHand(classes.map((row) => ({ ...row, y: Number(row.y === "high") })));
  const test = ratings.findIndex(({ part }) => part === "validation");
  const served = byId(several, "mean_0").get(test) ?? Number.NaN;
  assert.ok(
    Math.abs(served - logOdds(high.shrunken(high.own("ann")))) < 1e-6,
    "classes are in the order of their text",
  );
  const many = of(
    "train",
    "ann",
    Array.from({ length: 9 }, (_, k) => `c${k}`),
  ).flatMap((row) => [row, row]);
  const none = await prepared([...many, ...of("validation", "ann", ["c1"]), ...of("test", "ann", ["c2"])], {
    task: "multiclass",
  });
  assert.deepEqual(
    none.layout.columns.map(({ name }) => name),
    ["features.id", "labels"],
  );
});

test("labels that a name does not tell give every row the mean of all, and a logarithmic label its logarithm", async () => {
  // Each name has one 0 and one 10: names differ less than by chance.
  const noise = ["a", "b", "c"].flatMap((name) => of("train", name, [0, 10]));
  const rows = [...noise, ...of("validation", "a", [3]), ...of("test", "b", [4])];
  const values = byId(await prepared(rows, { task: "regression" }), "mean");
  assert.deepEqual([...new Set(values.values())], [5]);
  const logs = await prepared(
    rows.map((row) => ({ ...row, y: Number(row.y) + 1 })),
    { task: "regression", labelScale: "log" },
  );
  const { labels } = logs.preprocessing;
  assert.ok(labels?.kind === "numbers" && labels.logUnit !== undefined);
  const expected = (Math.log1p(1 / labels.logUnit) + Math.log1p(11 / labels.logUnit)) / 2;
  for (const value of byId(logs, "mean").values()) assert.ok(Math.abs(value - expected) < 1e-5, `${value}`);
});

test("labels by chance are told by no mean, which a mean with the row's own label in it would do", async () => {
  const draws = uniform(rootKey(18), 1200);
  const rows = Array.from({ length: 1000 }, (_, i): Row => ({ name: `n${i % 250}`, y: draws[i] ?? 0, part: "train" }));
  // One name in ten has labels of its own, so that means differ and are not all one.
  const some = rows.map((row, i) => (i % 10 === 0 ? { ...row, y: Number(row.y) + 2 } : row));
  const others = [...of("validation", "n0", [1]), ...of("test", "n1", [2])];
  const values = byId(await prepared([...some, ...others], { task: "regression" }), "mean");
  const chance = some.flatMap(({ y }, i) =>
    i % 10 === 0 ? [] : [{ y: Number(y), name: i % 250, x: values.get(i) ?? 0 }],
  );
  const within = (value: (one: (typeof chance)[number]) => number) =>
    chance.map((one) => {
      const same = chance.filter(({ name }) => name === one.name).map(value);
      return value(one) - sum(same) / same.length;
    });
  const own = within(({ y }) => y);
  const products = sum(within(({ x }) => x).map((x, i) => x * (own[i] ?? 0)));
  assert.ok(products < 0, "of two rows of a name, the one with the larger label has the smaller mean, or the same");
  assert.ok(new Set(values.values()).size > 100);
});

test("copies of a row are in one fold, and rows that are seldom different are each in a fold by themselves", async () => {
  const rows = (numCopies: number) => {
    const of20 = Array.from({ length: 20 }, (_, k): Row => ({ name: `n${k % 4}`, y: k + (k % 4) * 50, part: "train" }));
    return [...of20, ...Array.from({ length: numCopies }, () => of20[0] as Row)];
  };
  const others = [...of("validation", "n0", [1]), ...of("test", "n1", [2])];
  // Without the id, so that copies are copies.
  const valuesOf = async (made: readonly Row[]) => {
    const lines = [...made, ...others].map(({ name, y, part }) => `${name},${y},${part}`);
    const source = await write(`copies-${made.length}.csv`, `name,y,part\n${lines.join("\n")}\n`);
    const table = await prepare(source, { ...spec, task: "regression", numeric: { y: "y" } });
    const { "features.y": ys = [], "features.mean": means = [] } = content(table.train);
    return new Set(means.filter((_, i) => ys[i] === 0));
  };
  assert.equal((await valuesOf(rows(2))).size, 1);
  assert.ok((await valuesOf(rows(60))).size > 1, "else a frequent row of few would never be in its name's mean");
});

/** What a model that holds nothing but a feature makes of some names. */
async function served({ serving, preprocessing }: PreparedTable, feature: string, names: readonly unknown[]) {
  const [own, numbers] = [serving.features[feature], preprocessing.numeric[feature]];
  assert.ok(own && numbers);
  const model = toModel({ outputs: { value: input(`features.${feature}`, ["batch"], "float32") }, updates: {} });
  const only = { inputs: serving.inputs.filter(({ name }) => name === "name"), features: { [feature]: own } };
  const bytes = encodeModel(servedFrom(model, only, { vocabularies: {}, numeric: { [feature]: numbers } }));
  const session = await InferenceSession.create(bytes);
  const isText = serving.inputs.find(({ name }) => name === "name")?.type === "text";
  const column = new Tensor(isText ? "string" : "float64", names as string[], [names.length]);
  const { value } = await session.run({ name: column });
  await session.release();
  return Array.from(value?.data as Float32Array);
}

test("a served model looks the mean up, of a text as of a number, and has that of all rows for other names", async () => {
  const table = await prepared(ratings, { task: "regression" });
  const values = byId(table, "mean");
  const at = (part: Row["part"], name: string) =>
    values.get(ratings.findIndex((row) => row.part === part && row.name === name));
  assert.deepEqual(await served(table, "mean", ["ann", "once", "", "never"]), [
    at("validation", "ann"),
    at("validation", "once"),
    at("test", ""),
    at("test", "new"),
  ]);
  assert.ok("lookup" in (table.serving.features.mean?.expression ?? {}));

  const numbers = ratings.map((row) => ({ ...row, name: row.name === "" ? "" : String(row.name.length * 10) }));
  const numbered = await prepared(numbers, { task: "regression" });
  const of30 = byId(numbered, "mean").get(numbers.findIndex(({ part }) => part === "validation"));
  assert.deepEqual(await served(numbered, "mean", [30, Number.NaN]), [
    of30,
    byId(numbered, "mean").get(numbers.findLastIndex(({ part }) => part === "test")),
  ]);
});

test("means of labels that float32 would merge are kept with a shift, and served so", async () => {
  const far = ratings.map((row) => ({ ...row, y: 1_700_000_000 + Number(row.y) }));
  const table = await prepared(far, { task: "regression" });
  assert.ok(table.preprocessing.numeric.mean?.shift);
  const values = byId(table, "mean");
  const id = far.findIndex(({ part }) => part === "validation");
  assert.deepEqual(await served(table, "mean", ["ann"]), [values.get(id)]);
  assert.notEqual(values.get(id), values.get(id + 1));
});

test("a name that is used twice, and an expression that does not compile, are refused", async () => {
  const source = await write("plain.csv", "id,name,y,part\n1,a,2,train\n");
  const wrong = { ...spec, source, categorical: {}, numeric: { mean: "id" }, label: "y", split } as TableSpec;
  await refused(wrong, /"mean" is both numeric \(id\) and a mean of the label \(name\)/);
  await refused({ ...wrong, numeric: {}, labelMeans: { mean: "nane" } }, /mean of the label for feature "mean"/);
});
