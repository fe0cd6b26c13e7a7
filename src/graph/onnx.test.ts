import assert from "node:assert/strict";
import { after, test } from "node:test";
import { flightsLike } from "../../test/fixtures/flights-like.js";
import { interpret } from "../../test/numerics/interpreter.js";
import { buildCase } from "../../test/suites/op-case.js";
import { opCases } from "../../test/suites/op-cases.js";
import { onnxRuntimeEngine } from "../node/ort/onnxruntime.js";
import { float32, int32, type NamedArrays } from "../runtime/array.js";
import { stepGraph } from "../train/graphs.js";
import { type Graph, UPDATED } from "./graph.js";
import { toOnnx } from "./onnx.js";
import { decodeModel, encodeModel } from "./onnx-proto.js";
import { add, constant, hash, input, matmul, mul, neg, relu, reshape, stopGradient, transpose } from "./ops.js";
import { noPasses } from "./simplify.js";
import type { Op } from "./tensor.js";

const engine = onnxRuntimeEngine({ threads: 1, passes: noPasses });
after(() => engine.close());

const x = input("x", ["batch", 2]);
const weight = input("weight", [2, 2]);
const feeds: NamedArrays = { x: float32([1, -2, 3, -4], [2, 2]), weight: float32([1, 2, 3, 4], [2, 2]) };

/** What the engine computes must be what the interpreter computes, under the same names. */
async function checkOutputs(graph: Graph): Promise<void> {
  const outputs = await (await engine.compile(graph)).run(feeds);
  const expected = interpret(graph, feeds).outputs;
  assert.deepEqual(Object.keys(outputs), Object.keys(expected));
  for (const [name, { shape, data }] of Object.entries(expected)) {
    assert.deepEqual(outputs[name]?.shape, shape, name);
    assert.deepEqual([...(outputs[name]?.data ?? [])], [...data], name);
  }
}

test("the same graph gives the same bytes, built again or encoded again", () => {
  const build = () => stepGraph(flightsLike(), 2);
  const graph = build();
  const bytes = toOnnx(graph, { made: "once" });
  assert.deepEqual(toOnnx(graph, { made: "once" }), bytes);
  assert.deepEqual(toOnnx(build(), { made: "once" }), bytes);
  assert.notDeepEqual(toOnnx(build(), { made: "twice" }), bytes);
  for (const op of Object.keys(opCases) as Op[]) {
    for (const opCase of opCases[op]) {
      const encode = () => toOnnx({ outputs: { output: buildCase(op, opCase).output }, updates: {} });
      assert.deepEqual(encode(), encode(), `${op}: ${opCase.name}`);
    }
  }
});

test("a model reads back as it was written, byte for byte", () => {
  const bytes = toOnnx(stepGraph(flightsLike(), 1), { "codistill.step": "12", empty: "" });
  const model = decodeModel(bytes);
  assert.deepEqual(encodeModel(model), bytes);
  assert.equal(model.irVersion, 8);
  assert.deepEqual(
    model.opsetImport.map(({ domain, version }) => [domain, version]),
    [
      ["", 18],
      ["ai.onnx.ml", 2],
    ],
  );
  assert.deepEqual(
    model.metadataProps.map(({ key, value }) => [key, value]),
    [
      ["codistill.step", "12"],
      ["empty", ""],
    ],
  );
});

test("inputs and outputs keep their names, shapes and dtypes", () => {
  const ids = hash(input("words", ["batch"], "int32"), 2);
  const graph = { outputs: { ids, product: matmul(x, weight) }, updates: { weight: mul(weight, 2) } };
  const { graph: encoded } = decodeModel(toOnnx(graph));
  const described = (infos: typeof encoded.input) =>
    infos.map(({ name, type: { tensorType } }) => {
      const dims = tensorType.shape.dim.map(
        (dim) => ("dimParam" in dim && dim.dimParam) || ("dimValue" in dim && dim.dimValue),
      );
      return `${name}: ${tensorType.elemType} [${dims.join(", ")}]`;
    });
  assert.deepEqual(described(encoded.input), ["words: 6 [batch]", "x: 1 [batch, 2]", "weight: 1 [2, 2]"]);
  assert.deepEqual(described(encoded.output), [
    "ids: 6 [batch]",
    "product: 1 [batch, 2]",
    `weight${UPDATED}: 1 [2, 2]`,
  ]);
});

test("every value is defined once, and before it is read", () => {
  for (const graph of [stepGraph(flightsLike(), 0), stepGraph(flightsLike(), 3)]) {
    const { graph: encoded } = decodeModel(toOnnx(graph));
    const defined = new Set([...encoded.input, ...encoded.initializer].map(({ name }) => name));
    assert.equal(defined.size, encoded.input.length + encoded.initializer.length);
    for (const { input: operands, output } of encoded.node) {
      for (const name of operands) assert.ok(defined.has(name), `${name} is read before it is defined`);
      for (const name of output) assert.ok(!defined.has(name) && defined.add(name), `${name} is defined twice`);
    }
    for (const { name } of encoded.output) assert.ok(defined.has(name));
  }
});

test("rows are added up by ScatterElements and never by ScatterND, which loses updates on several threads", () => {
  const { graph } = decodeModel(toOnnx(stepGraph(flightsLike(), 1)));
  const opTypes = new Set(graph.node.map(({ opType }) => opType));
  assert.ok(opTypes.has("ScatterElements") && !opTypes.has("ScatterND"));
});

test("small constants that are equal are stored once", () => {
  const { graph } = decodeModel(toOnnx({ outputs: { y: add(mul(add(x, 1), 2), 1) }, updates: {} }));
  assert.equal(graph.initializer.length, 2);
  const apart = {
    outputs: { y: constant(float32([1])), z: constant(int32([1])), v: constant(float32([1], [])) },
    updates: {},
  };
  assert.equal(decodeModel(toOnnx(apart)).graph.initializer.length, 3);
});

test("an output may be an input, a constant, or the same tensor as another", async () => {
  const product = matmul(x, weight);
  await checkOutputs({ outputs: { itself: x }, updates: {} });
  await checkOutputs({ outputs: { one: x, two: x, held: stopGradient(x) }, updates: {} });
  await checkOutputs({ outputs: { number: constant(float32([1, 2])), again: constant(float32([1, 2])) }, updates: {} });
  await checkOutputs({ outputs: { one: product, two: product, three: product }, updates: {} });
  await checkOutputs({ outputs: { one: product, two: stopGradient(product), after: relu(product) }, updates: {} });
  await checkOutputs({ outputs: { after: relu(product), before: product }, updates: {} });
  await checkOutputs({
    outputs: { flat: reshape(weight, [4]), turned: transpose(weight), both: neg(transpose(weight)) },
    updates: {},
  });
});

test("an output and a new value may be the same tensor", async () => {
  const doubled = mul(weight, 2);
  const program = await engine.compile({ outputs: { doubled }, updates: { weight: doubled, other: doubled } });
  await engine.write({ weight: float32([1, 2, 3, 4], [2, 2]), other: float32([0, 0, 0, 0], [2, 2]) });
  const outputs = await program.run({});
  assert.deepEqual([...(outputs.doubled?.data ?? [])], [2, 4, 6, 8]);
  for (const array of Object.values(await engine.read(["weight", "other"]))) {
    assert.deepEqual([...array.data], [2, 4, 6, 8]);
  }
});

test("names may be anything that is unique", async () => {
  const odd = input("a b/ü.0", []);
  const program = await engine.compile({ outputs: { "a%": add(odd, 1), "x.y": mul(odd, 2) }, updates: {} });
  const results = await program.run({ "a b/ü.0": float32([3], []) });
  assert.deepEqual([results["a%"]?.data[0], results["x.y"]?.data[0]], [4, 6]);
});

test("a name that would mean two things is refused", () => {
  const one = input("x", []);
  assert.throws(() => toOnnx({ outputs: { x: neg(one) }, updates: {} }), /must not have the name of an input, got "x"/);
  assert.throws(() => toOnnx({ outputs: { "%0": neg(one) }, updates: {} }), /must not start with "%", got "%0"/);
  assert.throws(
    () => toOnnx({ outputs: { y: neg(input("%y", [])) }, updates: {} }),
    /must not start with "%", got "%y"/,
  );
});
