/** Models of other programs as teachers: what they predict is what their graph says, and nothing else of them runs. */
import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { csv, header, lines, specOf, workplace } from "../../../test/fixtures/table-fixture.js";
import { sha256 } from "../../checkpoint/digest.js";
import type { ForeignModel, TableSpec, TableTeacher } from "../../data/table.js";
import { CheckpointError, ConfigError } from "../../errors.js";
import { onnxNode } from "../../graph/onnx/builder.js";
import { encodeModel, type GraphProto, type ModelProto, type NodeProto } from "../../graph/onnx-proto.js";
import { bytesOf } from "../../runtime/array.js";
import { targetsOf } from "../../train/evaluate.js";
import type { PreparedTable } from "./ingest.js";

const { path, write, prepare, refused } = workplace();

const FLOAT = 1;
const INT64 = 7;
const TEXT = 8;
const ML = "ai.onnx.ml";

const value = (name: string, elemType: number, ...axes: readonly (number | "rows")[]) => ({
  name,
  type: {
    tensorType: {
      elemType,
      shape: { dim: axes.map((axis) => (axis === "rows" ? { dimParam: "rows" } : { dimValue: axis })) },
    },
  },
});
const floats = (name: string, dims: readonly number[], numbers: readonly number[]) => ({
  name,
  dims,
  dataType: FLOAT,
  rawData: bytesOf(Float32Array.from(numbers)),
});
const of = (graph: Partial<GraphProto>): ModelProto => ({
  irVersion: 8,
  producerName: "another program",
  opsetImport: [
    { domain: "", version: 17 },
    { domain: ML, version: 3 },
  ],
  metadataProps: [],
  graph: { name: "g", node: [], initializer: [], input: [], output: [], ...graph },
});

/** p = sigmoid(size - id / 100), [rows, 1]. */
const logistic = {
  node: [onnxNode("MatMul", ["x", "w"], ["z"]), onnxNode("Sigmoid", ["z"], ["p"])],
  initializer: [floats("w", [2, 1], [1, -0.01])],
  input: [value("x", FLOAT, "rows", 2)],
  output: [value("p", FLOAT, "rows", 1)],
};

let numFiles = 0;
async function teacher(
  model: ModelProto | Uint8Array,
  inputs: ForeignModel["inputs"],
  more: Pick<ForeignModel, "output" | "classes"> = {},
): Promise<TableTeacher> {
  const bytes = model instanceof Uint8Array ? model : encodeModel(model);
  const file = path(`foreign-${numFiles++}.onnx`);
  writeFileSync(file, bytes);
  return { model: file, sha256: await sha256(bytes), inputs, ...more, weight: 1 };
}

const source = () => write("rows.csv", csv(lines).replace(header, "id,colour,size,day,late"));
const changes = (teachers: readonly TableTeacher[], more: Partial<TableSpec> = {}): Partial<TableSpec> => ({
  task: "binary",
  ...{ categorical: { colour: "colour" }, numeric: { size: "size" } },
  teachers,
  ...more,
});
const targets = ({ train, validation, test: tested }: PreparedTable) =>
  [train, validation, tested].flatMap((rows) => Array.from(targetsOf(rows) ?? []));

function near(actual: readonly number[], expected: readonly number[], tolerance = 2e-7): void {
  assert.equal(actual.length, expected.length);
  assert.ok(actual.length > 0);
  for (const [i, one] of actual.entries())
    assert.ok(Math.abs(one - (expected[i] ?? Number.NaN)) <= tolerance, `${i}: ${one}, ${expected[i]}`);
}

const SIZE = "coalesce(size, 3)";
const P = `1 / (1 + exp(-(${SIZE} - id / 100)))`;

test("a model teaches as a column does that has the same predictions, beside other teachers", async () => {
  const file = await source();
  const own = await teacher(of(logistic), { x: [SIZE, "id"] });
  const half: TableTeacher = { column: "0.5", weight: 1 };
  const [foreign, column] = [
    await prepare(file, changes([half, own])),
    await prepare(file, changes([half, { column: P, weight: 1 }])),
  ];
  assert.ok(new Set(targets(column)).size > 50);
  near(targets(foreign), targets(column));
  assert.deepEqual(foreign.preprocessing, column.preprocessing);
  const again = await prepare(file, changes([half, own]));
  assert.ok(again.cached);
  const other = await prepare(file, changes([half, { ...own, inputs: { x: [SIZE, "id + 1"] } } as TableTeacher]));
  assert.notEqual(other.digest, foreign.digest);
});

test("of two probabilities the second is that of the positive label, or as classes say", async () => {
  const file = await source();
  const two: Partial<GraphProto> = {
    ...logistic,
    node: [
      ...logistic.node,
      onnxNode("Sub", ["one", "p"], ["q"]),
      onnxNode("Concat", ["q", "p"], ["both"], { axis: 1 }),
    ],
    initializer: [...logistic.initializer, floats("one", [1], [1])],
    output: [value("both", FLOAT, "rows", 2)],
  };
  const expected = targets(await prepare(file, changes([{ column: P, weight: 1 }])));
  for (const [classes, turned] of [
    [undefined, false],
    [["false", "true"], false],
    [["true", "false"], true],
  ] as const) {
    const own = await teacher(of(two), { x: [SIZE, "id"] }, { ...(classes && { classes }) });
    const prepared = await prepare(file, changes([own]));
    const found = targets(prepared);
    assert.equal(/the second is taken for that of the positive/.test(prepared.notes.join()), classes === undefined);
    near(
      found,
      expected.map((p) => (turned ? 1 - p : p)),
    );
  }
});

test("trees that read text and numbers, whose classes and map of probabilities nothing needs, teach by the tensor before", async () => {
  const file = await source();
  // Two leaves by the code of a colour, as converters of boosted trees write them.
  const trees = onnxNode(
    "TreeEnsembleClassifier",
    ["features"],
    ["label", "scores"],
    {
      nodes_treeids: [0, 0, 0],
      nodes_nodeids: [0, 1, 2],
      nodes_featureids: [0, 0, 0],
      nodes_modes: ["BRANCH_LEQ", "LEAF", "LEAF"],
      nodes_truenodeids: [1, 0, 0],
      nodes_falsenodeids: [2, 0, 0],
      class_treeids: [0, 0],
      class_nodeids: [1, 2],
      class_ids: [1, 1],
      classlabels_int64s: [0, 1],
      post_transform: "NONE",
    },
    ML,
  );
  const numbers = (name: string, values: readonly number[]) => ({ name, type: 6, floats: values });
  const withNumbers: NodeProto = {
    ...trees,
    attribute: [...trees.attribute, numbers("nodes_values", [0.5, 0, 0]), numbers("class_weights", [0.25, 0.75])],
  };
  const encoder: NodeProto = {
    ...onnxNode("LabelEncoder", ["colour"], ["code"], { keys_strings: ["Lima"] }, ML),
  };
  const labelled: NodeProto = {
    ...encoder,
    attribute: [...encoder.attribute, numbers("values_floats", [0]), { name: "default_float", type: 1, f: 1 }],
  };
  const graph: Partial<GraphProto> = {
    node: [labelled, onnxNode("Concat", ["code", "size"], ["features"], { axis: 1 }), withNumbers, zipMap()],
    input: [value("colour", TEXT, "rows", 1), value("size", FLOAT, "rows", 1)],
    output: [value("label", INT64, "rows"), { name: "maps", type: {} } as never],
  };
  const inputs = { colour: "colour", size: "size" };
  const own = await teacher(of(graph), inputs, { output: "scores" });
  near(
    targets(await prepare(file, changes([own]))),
    targets(await prepare(file, changes([{ column: "if(colour = 'Lima', 0.25, 0.75)", weight: 1 }]))).map((p) => p),
  );
  await assert.rejects(prepare(file, changes([await teacher(of(graph), inputs)])), ConfigError);
});

function zipMap(): NodeProto {
  return onnxNode("ZipMap", ["scores"], ["maps"], { classlabels_int64s: [0, 1] }, ML);
}

test("several classes come in the order that is said, and numbers in the unit of the label", async () => {
  const file = await source();
  const soft: Partial<GraphProto> = {
    node: [onnxNode("MatMul", ["x", "w"], ["z"]), onnxNode("Softmax", ["z"], ["p"], { axis: 1 })],
    initializer: [floats("w", [1, 3], [0.1, 0, -0.1])],
    input: [value("x", FLOAT, "rows", 1)],
    output: [value("p", FLOAT, "rows", 3)],
  };
  const e = [`exp(0.1 * ${SIZE})`, "1", `exp(-0.1 * ${SIZE})`] as const;
  const columns = (names: readonly string[]) =>
    Object.fromEntries(names.map((name, k) => [name, `${e[k]} / (${e.join(" + ")})`]));
  const classes = ["c", "a", "b"];
  const multiclass = { task: "multiclass", label: "['a', 'b', 'c'][1 + id % 3]" } as const;
  const own = await teacher(of(soft), { x: SIZE }, { classes });
  near(
    targets(await prepare(file, changes([own], multiclass))),
    targets(await prepare(file, changes([{ columns: columns(classes), weight: 1 }], multiclass))),
  );
  const twice: Partial<GraphProto> = {
    node: [onnxNode("Cast", ["n"], ["f"], { to: FLOAT }), onnxNode("Add", ["f", "f"], ["y"])],
    input: [value("n", INT64, "rows")],
    output: [value("y", FLOAT, "rows")],
  };
  const regression = { task: "regression", label: "id / 10" } as const;
  near(
    targets(await prepare(file, changes([await teacher(of(twice), { n: "id" })], regression))),
    targets(await prepare(file, changes([{ column: "2 * id", weight: 1 }], regression))),
    0,
  );
});

test("only what computes the output runs: functions, other files and operations with graphs of their own do not", async () => {
  const file = await source();
  const secret = await write("secret.bin", new Uint8Array(8));
  // The tensor's values are in another file (fields 13 and 14 of TensorProto), which our reader does not know.
  const bytes = encodeModel(of({ ...logistic, initializer: [{ name: "w", dims: [2, 1], dataType: FLOAT }] }));
  assert.ok(existsSync(secret));
  await assert.rejects(prepare(file, changes([await teacher(bytes, { x: [SIZE, "id"] })])), CheckpointError);
  for (const node of [
    onnxNode("Loop", ["x"], ["p"]),
    onnxNode("If", ["x"], ["p"], { then_branch: of({}).graph, else_branch: of({}).graph }),
    onnxNode("Anything", ["x"], ["p"], {}, "another.domain"),
  ]) {
    const own = await teacher(of({ ...logistic, node: [node] }), { x: [SIZE, "id"] });
    await assert.rejects(prepare(file, changes([own])), /does not run here: it has the operation .*into a column/s);
  }
  // Beside what is needed they are left out.
  const beside = of({
    ...logistic,
    node: [...logistic.node, onnxNode("Anything", ["x"], ["other"], {}, "another.domain")],
  });
  await prepare(file, changes([await teacher(beside, { x: [SIZE, "id"] })]));
});

test("wrong uses are refused with the rule and the cure", async () => {
  const file = await source();
  const wrong = async (
    graph: Partial<GraphProto>,
    inputs: ForeignModel["inputs"],
    message: RegExp,
    more: Pick<ForeignModel, "output" | "classes"> = {},
    spec: Partial<TableSpec> = {},
  ) => {
    const own = await teacher(of(graph), inputs, more);
    await assert.rejects(prepare(file, changes([own], spec)), message);
  };
  const x = [SIZE, "id"];
  await wrong(logistic, {}, /reads the inputs x, and inputs has nothing for x\. Add "x"/);
  await wrong(logistic, { x, y: "id" }, /inputs has y, and the model reads x\./);
  await wrong(logistic, { x: ["id"] }, /the input x takes 2 values for each row, and inputs\.x has 1\./);
  await wrong(logistic, { x }, /output must name a tensor that the model computes, and it has no pp/, { output: "pp" });
  await wrong(logistic, { x }, /the label has two classes, and classes has 3\./, { classes: ["a", "b", "c"] });
  await wrong(logistic, { x }, /in which order\. Give it, as classes/, {}, { task: "multiclass", label: "id % 3" });
  await wrong(
    logistic,
    { x },
    /classes are of labels that have some/,
    { classes: ["a", "b"] },
    { task: "regression", label: "id" },
  );
  await wrong(
    { ...logistic, output: [...logistic.output, value("z", FLOAT, "rows", 1)] },
    { x },
    /several of its outputs are \(p, z\)\. Name it/,
  );
  await wrong({ ...logistic, input: [value("x", FLOAT, 1, 2)] }, { x }, /the input x takes exactly 1 rows at once/);
  await wrong(
    { ...logistic, input: [value("x", FLOAT, "rows", 2, 2)] },
    { x },
    /must be \[rows\] or \[rows, values\], and has 3/,
  );
  await wrong(
    { ...logistic, input: [value("x", 16, "rows", 2)] },
    { x },
    /has an element type that rows of a table cannot be/,
  );
  await wrong(
    logistic,
    { x: ["colour", "id"] },
    /teachers\.0\.inputs\.x: the model reads numbers, and of 300 rows \d+ have another value, as "Lima": colour/,
  );
  const whole = {
    node: [onnxNode("Cast", ["n"], ["p"], { to: FLOAT })],
    input: [value("n", INT64, "rows")],
    output: [value("p", FLOAT, "rows")],
  };
  await wrong(whole, { n: "size" }, /reads whole numbers, and of 300 rows \d+ have another value, as "0\.\d+": size/);
  await wrong(whole, { n: "id" }, /below 0 or above 1 in 298/);
  await wrong(
    { ...logistic, node: [onnxNode("Concat", ["x", "x"], ["p"], { axis: 1 })], output: [value("p", FLOAT, "rows", 4)] },
    { x },
    /the output p must have 1 or 2 probabilities for each row, and has float32\[\d+,4\]/,
  );
  await refused(
    specOf(file, changes([await teacher(of(logistic), { x: [SIZE, "idd"] })])),
    /teachers\.0\.inputs\.x does not compile: idd/,
    /Did you mean id\?/,
  );
  await assert.rejects(
    prepare(file, changes([await teacher(new Uint8Array([1, 2, 3]), { x })])),
    /is not an ONNX model/,
  );
});
