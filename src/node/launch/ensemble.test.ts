/** Ensembles of exported models, beside the mean of the predictions of each. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { tinyConfig, tinyPreprocessing, tinyServing } from "../../../test/fixtures/tiny-run.js";
import type { LabelStatistics, Preprocessing } from "../../data/table.js";
import { CheckpointError, type CodistillError, ConfigError, DataError } from "../../errors.js";
import { onnxNode } from "../../graph/onnx/builder.js";
import { decodeModel, encodeModel, type ModelProto } from "../../graph/onnx-proto.js";
import { initWeights } from "../../nn/model.js";
import { exportModel } from "../../run/export.js";
import type { TableModelInput } from "../../run/input/model.js";
import { tableLearner } from "../../run/learner.js";
import { mapValues } from "../../runtime/named.js";
import { normal, rootKey, uniform } from "../../runtime/random.js";
import type { ServedInput } from "../../serving/expression.js";
import { seenFeatures } from "../../serving/seen.js";
import { InferenceSession, Tensor } from "../ort/library.js";
import { MODEL_FORMAT, MODEL_VERSION } from "../ort/model-file.js";
import { predictRows } from "../table/predict-rows.js";
import { openModel } from "../table/served-model.js";
import { ensemble } from "./ensemble.js";

const folder = mkdtempSync(join(tmpdir(), "codistill-ensemble-"));
after(() => rmSync(folder, { recursive: true }));
const cacheFolder = join(folder, "cache");

const NUM_ROWS = 200;
const colours = uniform(rootKey(1), NUM_ROWS);
const sizes = normal(rootKey(2), NUM_ROWS);
const rows = Array.from({ length: NUM_ROWS }, (_, i) => ({
  colour: ["red", "green", "blue", "mauve", ""][Math.floor((colours[i] ?? 0) * 5)] ?? "",
  size: i % 9 === 8 ? null : Math.round(4000 * (sizes[i] ?? 0)) / 1000,
  ...Object.fromEntries(Array.from({ length: 70 }, (_, k) => [`n${k}`, ((i * (k + 3)) % 17) - 8])),
}));

interface Described {
  readonly kind?: "binary" | "multiclass" | "regression";
  readonly labels?: LabelStatistics;
  readonly network?: TableModelInput;
  readonly vocabulary?: readonly string[];
  readonly numbers?: readonly string[];
  readonly temperature?: number;
  /** Changes of inputs, by their names. */
  readonly inputs?: Readonly<Record<string, Partial<ServedInput>>>;
  readonly seen?: Readonly<Record<string, { count: number; absent: number; least?: number; most?: number }>>;
  readonly metadata?: Readonly<Record<string, string>>;
}

const classes = (...names: string[]): LabelStatistics => ({
  kind: "classes",
  classes: names,
  counts: names.map(() => 1),
});

/** A model with drawn params. */
function model(name: string, seed: number, described: Described = {}): string {
  const { kind = "binary", labels, network, vocabulary, numbers = ["size"], temperature, metadata } = described;
  const preprocessing: Preprocessing = {
    vocabularies: { colour: vocabulary ?? tinyPreprocessing.vocabularies.colour ?? [] },
    numeric: Object.fromEntries(numbers.map((one, i) => [one, { mean: 0.5 + i, std: 2 }])),
    ...(labels && { labels }),
  };
  const named = (names: readonly string[]) => Object.fromEntries(names.map((one) => [one, one]));
  const task = kind === "regression" ? { kind } : { kind, temperature: temperature !== undefined };
  const config = tinyConfig({
    data: {
      source: "x.csv",
      label: "y",
      categorical: { colour: "colour" },
      numeric: named(numbers),
      split: { train: "a", validation: "b", test: "c" },
    },
    task: task as never,
    model: network ?? { kind: "mlp", embeddings: { colour: 2 }, hidden: [8] },
  });
  const learner = tableLearner(config, preprocessing);
  const plain = tinyServing(preprocessing);
  const serving = { ...plain, inputs: plain.inputs.map((one) => ({ ...one, ...described.inputs?.[one.name] })) };
  const about = {
    ...{ format: MODEL_FORMAT, version: String(MODEL_VERSION), name, label: "y" },
    reading: JSON.stringify({ columns: [] }),
    seen: JSON.stringify(seenFeatures(described.seen ?? {}, serving, preprocessing)),
    ...metadata,
  };
  const path = join(folder, `${name}.onnx`);
  const params = mapValues(initWeights(learner.model, rootKey(seed)), (one) => ({
    ...one,
    data: one.data.map((value) => 2 * value + 0.05) as Float32Array,
  }));
  writeFileSync(path, exportModel(learner, preprocessing, serving, params, about, temperature));
  return path;
}

let numWritten = 0;
const newFile = () => join(folder, `ensemble-${numWritten++}.onnx`);

async function madeOf(...paths: string[]) {
  const out = newFile();
  const result = await ensemble(paths, { out, cacheFolder });
  return { ...result, file: decodeModel(readFileSync(out)) };
}

/** The values that models predict of rows: probabilities by the names of classes, or the number. */
async function valuesOf(path: string, of: readonly string[]): Promise<number[][]> {
  const predictions = await predictRows(path, rows);
  return predictions.map(({ prediction, probabilities }) =>
    probabilities === null ? [Number(prediction)] : of.map((name) => probabilities[name] as number),
  );
}

/** Checks that an ensemble predicts the mean: to 1e-6, of float32 above 1 to a part of 1e-6. */
async function checkMean(
  out: string,
  paths: readonly string[],
  of: readonly string[],
  isDouble = false,
): Promise<void> {
  const own = await Promise.all(paths.map((path) => valuesOf(path, of)));
  const all = await valuesOf(out, of);
  assert.equal(all.length, NUM_ROWS);
  let spread = 0;
  for (const [row, values] of all.entries()) {
    for (const [k, value] of values.entries()) {
      const members = own.map((predicted) => predicted[row]?.[k] ?? Number.NaN);
      const mean = members.reduce((sum, one) => sum + one, 0) / members.length;
      const tolerance = 1e-6 * (isDouble ? 1 : Math.max(1, Math.abs(mean)));
      assert.ok(Math.abs(value - mean) <= tolerance, `row ${row}: ${value}, and the mean is ${mean}`);
      spread = Math.max(spread, Math.max(...members) - Math.min(...members));
    }
  }
  assert.ok(spread > 0.02, "members that predict alike prove nothing");
}

const firstNumbers = (count: number) => Array.from({ length: count }, (_, k) => `n${k}`);
const twoWords = classes("no", "yes");
const numbers = { kind: "numbers", mean: 3, std: 2 } as const;
const shifted = { kind: "numbers", mean: 0.5, std: 2, shift: { center: 1_700_000_000, scale: 1 } } as const;
const cases: Readonly<
  Record<string, readonly [members: readonly Described[], of: readonly string[], isDouble?: true]>
> = {
  "yes and no": [
    [{}, {}, {}],
    ["false", "true"],
  ],
  "two values in another order": [
    [{ labels: twoWords }, { labels: classes("yes", "no") }, { labels: twoWords }],
    ["no", "yes"],
  ],
  "two networks, one of them with a temperature": [
    [{ temperature: 0.4 }, { network: { kind: "tabm", members: 3, hidden: [8] } }],
    ["false", "true"],
  ],
  "classes in another order": [
    [
      { kind: "multiclass", labels: classes("a", "b", "c"), temperature: 2.5 },
      { kind: "multiclass", labels: classes("c", "a", "b") },
    ],
    ["a", "b", "c"],
  ],
  numbers: [[numbers, { ...numbers, mean: 4 }].map((labels) => ({ kind: "regression", labels })), []],
  "numbers of which one is learned as logarithms": [
    [
      { kind: "regression", labels: numbers },
      { kind: "regression", labels: { kind: "numbers", mean: 1, std: 0.5, logUnit: 1 } },
    ],
    [],
  ],
  "numbers that float32 does not tell apart": [
    [shifted, shifted].map((labels) => ({ kind: "regression", labels })),
    [],
    true,
  ],
  "numbers of which one is kept as float64": [
    [
      { kind: "regression", labels: { kind: "numbers", mean: 1_700_000_000, std: 2 } },
      { kind: "regression", labels: shifted },
    ],
    [],
    true,
  ],
  "other names of a column": [
    [{}, { vocabulary: ["blue", "mauve"] }],
    ["false", "true"],
  ],
  "other columns": [
    [{ numbers: ["n1", "n2"] }, { numbers: ["n2", "size"] }],
    ["false", "true"],
  ],
  "one array of many numbers beside single ones": [
    [{ numbers: firstNumbers(70) }, { numbers: ["n2", "size"] }],
    ["false", "true"],
  ],
  "two arrays of many numbers": [
    [{ numbers: firstNumbers(70) }, { numbers: firstNumbers(66) }],
    ["false", "true"],
  ],
  "one array of many numbers, which all members read": [
    [{ numbers: firstNumbers(70) }, { numbers: firstNumbers(70) }],
    ["false", "true"],
  ],
};
for (const [what, [members, of, isDouble]] of Object.entries(cases)) {
  test(`an ensemble predicts the mean of its members: ${what}`, async () => {
    const paths = members.map((described, i) => model(`member-${i}`, 3 + i, described));
    const { out, members: told, classes: own, file } = await madeOf(...paths);
    assert.deepEqual(
      told,
      paths.map((source) => ({ source, group: null, step: null })),
    );
    if (of.length > 0) assert.deepEqual(own?.toSorted(), of.toSorted());
    await checkMean(out, paths, of, isDouble);
    const names = file.graph.input.map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
    await checkFeatures(out, paths);
  });
}

/** Checks that an ensemble gives the features that its members give, for the columns that they are computed from. */
async function checkFeatures(out: string, paths: readonly string[]): Promise<void> {
  const feeds = (inputs: readonly ServedInput[]) =>
    inputs.map(({ name, type }) => {
      const values = rows.map((row) => (row as Readonly<Record<string, unknown>>)[name] ?? null);
      return type === "text" ? values.map(String) : Float64Array.from(values, (value) => Number(value ?? Number.NaN));
    });
  const featuresOf = async (path: string) => {
    await using opened = await openModel(path, 1);
    const { valuesOf: of } = await opened.predict(feeds(opened.inputs));
    return opened.seen.map(({ feature, kind, inputs }) => {
      const values = of(feature);
      assert.ok(values, `${path} has the values of ${feature}`);
      assert.equal(values.isId, kind === "name");
      return JSON.stringify([kind, inputs, Array.from({ length: NUM_ROWS }, (_, row) => values.at(row))]);
    });
  };
  const own = (await Promise.all(paths.map(featuresOf))).flat();
  assert.deepEqual(new Set(await featuresOf(out)), new Set(own));
}

test("what members read alike is there once, and what training saw of it is what all of them saw", async () => {
  const ranges = [
    { count: 10, absent: 0, least: -3, most: 2 },
    { count: 20, absent: 0.5, least: -1, most: 9 },
  ] as const;
  const paths = ranges.map((size, i) => model(`seen-${i}`, i, { seen: { size, colour: { count: 9, absent: 0 } } }));
  const { out, file, inputs, bytes } = await madeOf(...paths);
  assert.deepEqual(inputs, ["colour", "size"]);
  await using opened = await openModel(out, 1);
  assert.deepEqual(opened.seen, [
    { feature: "colour", kind: "name", inputs: ["colour"], count: 9, absent: 0 },
    { feature: "size", kind: "number", inputs: ["size"], count: 10, absent: 0.5, least: -1, most: 2 },
  ]);
  const one = decodeModel(readFileSync(paths[0] as string)).graph.node.length;
  assert.equal(file.graph.node.filter(({ opType }) => opType === "LabelEncoder").length, 1);
  assert.ok(file.graph.node.length < 2 * one, `${file.graph.node.length} nodes, ${one} of a member`);
  assert.equal(bytes, readFileSync(out).length);
  const damaged = readFileSync(out);
  damaged[damaged.length >> 1] = (damaged[damaged.length >> 1] ?? 0) ^ 1;
  writeFileSync(join(folder, "damaged.onnx"), damaged);
  await assert.rejects(openModel(join(folder, "damaged.onnx"), 1), CheckpointError);
});

test("one name with two expressions is two inputs, and plain ONNX Runtime computes the mean from them", async () => {
  const paths = [model("as-is", 1), model("twice", 2, { inputs: { size: { sql: "size * 2" } } })];
  const { out, inputs } = await madeOf(...paths);
  assert.deepEqual(inputs, ["colour", "size", "size * 2"]);
  await checkMean(out, paths, ["false", "true"]);
  const session = await InferenceSession.create(out);
  const { probability } = await session.run({
    colour: new Tensor("string", ["red", "blue"], [2]),
    size: new Tensor("float64", Float64Array.of(1, Number.NaN), [2]),
    "size * 2": new Tensor("float64", Float64Array.of(2, Number.NaN), [2]),
  });
  await session.release();
  const own = [
    { colour: "red", size: 1 },
    { colour: "blue", size: null },
  ];
  const expected = (await predictRows(out, own)).map(({ probabilities }) => probabilities?.true);
  assert.deepEqual(Array.from(probability?.data as Float32Array), expected);
});

test("an ensemble of an ensemble counts it as one model", async () => {
  const paths = [1, 2, 3].map((seed) => model(`of-${seed}`, seed));
  const inner = await madeOf(...paths.slice(0, 2));
  const outer = await madeOf(inner.out, paths[2] as string);
  await checkMean(outer.out, [inner.out, paths[2] as string], ["false", "true"]);
});

test("what members do not have in common is left out, and told", async () => {
  const errors = JSON.stringify({ count: 3, ranks: [1, 3], values: [-1, 2] });
  const own = (name: string, seed: number, labels: LabelStatistics, weight?: string) =>
    model(name, seed, {
      kind: "regression",
      labels,
      metadata: { validationErrors: errors, ...(weight && { weight }) },
    });
  const paths = [own("w1", 1, numbers, "size"), own("w2", 2, { ...numbers, std: 3 })];
  const { out, notes } = await madeOf(...paths);
  assert.match(notes[0] ?? "", /different weights of rows \(size, none\).*unless --weight is given/);
  assert.match(notes[1] ?? "", /in the scale of \S+w1\.onnx/);
  assert.match(notes[2] ?? "", /no intervals/);
  await using opened = await openModel(out, 1);
  assert.deepEqual([opened.errors, opened.weight], [null, null]);
});

const read = (...columns: object[]) => ({ metadata: { reading: JSON.stringify({ columns }) } });
const column = (name: string, reading: object, more: object = {}) => ({ name, reading, ...more });
const text = { as: "text" };

test("text is read as all members read it", async () => {
  const days = { as: "time", formats: ["iso"], days: true };
  const one = read(column("size", { as: "number" }), column("day", days, { span: ["2024-02-01", "2024-03-01"] }));
  const other = read(
    column("colour", text),
    column("day", days, { span: ["2023-12-01", "2024-02-09"] }),
    column("unread", { as: "number" }),
  );
  const third = read(column("unread", text));
  const { out } = await madeOf(model("r1", 1, one), model("r2", 2, other), model("r3", 3, third));
  await using opened = await openModel(out, 1);
  assert.deepEqual(opened.reading.columns, [
    column("size", { as: "number" }),
    column("day", days, { span: ["2023-12-01", "2024-03-01"] }),
    column("colour", text),
    column("unread", { as: "number" }),
  ]);
});

type Refusal = readonly [other: Described, message: RegExp, one?: Described];
const unit = (name: string) => read(column("y", { as: "number", unit: name }));
const refusals: Readonly<Record<string, Refusal>> = {
  "another task": [
    { kind: "regression", labels: numbers },
    /one task, and \S+one.onnx is of the task binary, \S+other.onnx of regression/,
  ],
  "another label": [{ metadata: { label: "y > 30" } }, /that of \S+one.onnx is y, that of \S+other.onnx y > 30\. Give/],
  "other classes": [{ labels: classes("no", "maybe") }, /2 \(false, true\), \S+other.onnx 2 \(no, maybe\)/],
  "another unit of the label": [
    { kind: "regression", labels: numbers, ...unit("mi") },
    /reads "y" as numbers, in km, \S+other.onnx "y" as numbers, in mi\. Train them/,
    { kind: "regression", labels: numbers, ...unit("km") },
  ],
  "another reading of a column": [
    read(column("size", { as: "number", decimal: "," })),
    /reads "size" as numbers, \S+other.onnx "size" as numbers, "," as the decimal mark/,
    read(column("size", { as: "number" })),
  ],
  "another name of a column of the files": [
    read(column("size", { as: "number" }, { header: "Size" })),
    /reads "size" as numbers, \S+other.onnx "Size" as numbers, under the name size/,
    read(column("size", { as: "number" })),
  ],
  "another type of an input": [
    { inputs: { size: { type: "time" } } },
    /reads size as numbers, \S+other.onnx as points in time/,
  ],
  "another type of a column that was no text in training": [
    { inputs: { size: { type: "time", sql: "size + 0" } } },
    /reads "size" as numbers, \S+other.onnx as points in time/,
  ],
  "another list of columns": [
    { metadata: { columns: '["colour","size"]' } },
    /is none, that of \S+other.onnx \["colour","size"\]/,
  ],
  "other marks of missing values": [
    { metadata: { reading: '{"nullValues":["?"],"columns":[]}' } },
    /missing value of \S+one.onnx is none, that of \S+other.onnx \["\?"\]/,
  ],
  "another delimiter": [
    { metadata: { reading: '{"delimiter":";","columns":[]}' } },
    /the delimiter of \S+one.onnx is ",", that of \S+other.onnx ";"/,
    { metadata: { reading: '{"delimiter":",","columns":[]}' } },
  ],
};
for (const [what, [other, message, one = {}]] of Object.entries(refusals)) {
  test(`a member with ${what} is refused, with both values`, () =>
    refused(ConfigError, message, [model("one", 1, one), model("other", 2, other)]));
}

async function refused(
  type: new (...args: never[]) => CodistillError,
  message: RegExp,
  sources: readonly string[],
  more: { readonly out?: string; readonly groups?: readonly number[] } = {},
): Promise<void> {
  const out = newFile();
  await assert.rejects(ensemble(sources, { out, cacheFolder, ...more }), (error) => {
    assert.ok(error instanceof type, String(error));
    assert.match(error.message, message);
    return true;
  });
  assert.ok(!existsSync(out));
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith(".tmp-")),
    [],
  );
}

test("uses that mean nothing are refused", async () => {
  const [one, other] = [model("one", 1), model("other", 2)];
  await refused(ConfigError, /some runs must be given/, []);
  await refused(ConfigError, /two models or more, and \S+one.onnx has one/, [one]);
  await refused(ConfigError, /one.onnx is given twice/, [one, other, one]);
  await refused(ConfigError, /--groups chooses groups of one run, and \S+ is a file/, [one], { groups: [0] });
  await refused(ConfigError, /--groups chooses groups of one run, and 2 sources/, [one, other], { groups: [0] });
  await refused(ConfigError, /must end in \.onnx, got both\.bin/, [one, other], { out: "both.bin" });
  await refused(ConfigError, /another file than the models/, [one, other], { out: other });
  await refused(ConfigError, /nowhere.onnx cannot be read/, [one, join(folder, "nowhere.onnx")]);
  await refused(ConfigError, /is not a run folder/, [one, folder]);
  await refused(ConfigError, /cannot be written: ENOENT/, [one, other], { out: join(folder, "no", "folder.onnx") });
  writeFileSync(join(folder, "copy.onnx"), readFileSync(one));
  await refused(ConfigError, /copy.onnx is the same model as \S+one.onnx/, [one, other, join(folder, "copy.onnx")]);
  const { out } = await madeOf(one, other);
  const before = readFileSync(out);
  await refused(ConfigError, /is there already\. Replace it with --force/, [one, other], { out });
  assert.deepEqual(readFileSync(out), before);
  await ensemble([one, model("third", 3)], { out, cacheFolder, force: true });
  assert.notDeepEqual(readFileSync(out), before);
});

/** A file with another model, or other metadata, than a model that was exported. */
function crafted(change: (model: ModelProto) => Partial<ModelProto["graph"]>, metadata: Record<string, string> = {}) {
  const proto = decodeModel(readFileSync(model("to-craft", 4)));
  const path = join(folder, "crafted.onnx");
  const own = Object.fromEntries(proto.metadataProps.map(({ key, value }) => [key, value]));
  const metadataProps = Object.entries({ ...own, ...metadata }).map(([key, value]) => ({ key, value }));
  writeFileSync(path, encodeModel({ ...proto, metadataProps, graph: { ...proto.graph, ...change(proto) } }));
  return path;
}

test("a member that was crafted is refused, and nothing is written", async () => {
  const one = model("one", 1);
  const sql = (text: string) =>
    crafted(() => ({}), {
      inputs: JSON.stringify([
        { name: "colour", type: "text", sql: "colour" },
        { name: "size", type: "number", sql: text },
      ]),
    });
  await refused(DataError, /"size" of \S+crafted.onnx has a subquery/, [one, sql("(select 1 from read_text('x'))")]);
  await refused(DataError, /the function getenv/, [one, sql("length(getenv('HOME'))")]);
  await refused(ConfigError, /that of \S+ \(select 1 from read_text/, [
    one,
    crafted(() => ({}), { label: "(select 1 from read_text('x'))" }),
  ]);
  const node = (opType: string, inputs: string[]) =>
    crafted(({ graph }) => ({ node: [...graph.node, onnxNode(opType, inputs, ["more"])] }));
  await refused(CheckpointError, /the operation Loop/, [one, node("Loop", ["", ""])]);
  await refused(CheckpointError, /Relu reads "later", which nothing before it makes/, [one, node("Relu", ["later"])]);
  await refused(CheckpointError, /does not run/, [one, node("Relu", ["colour"])]);
  await refused(CheckpointError, /inputs that its metadata promise/, [
    one,
    crafted(({ graph }) => ({ input: graph.input.slice(1) })),
  ]);
  writeFileSync(join(folder, "text.onnx"), "no model");
  await refused(CheckpointError, /is not an ONNX model/, [one, join(folder, "text.onnx")]);
  await refused(ConfigError, /crafted.onnx is a language model, which reads no table/, [
    one,
    crafted(() => ({}), { task: "language" }),
  ]);
});
