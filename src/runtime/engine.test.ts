import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import * as ort from "onnxruntime-node";
import { assertAllClose } from "../../test/close.js";
import { flightsLike } from "../../test/flights-like.js";
import { interpret } from "../../test/interpreter.js";
import { toOnnx } from "../graph/onnx.js";
import {
  add,
  cast,
  concat,
  constant,
  expand,
  gather,
  greater,
  input,
  matmul,
  mul,
  neg,
  reduceSum,
  relu,
  reshape,
  scatterAdd,
  slice,
  stopGradient,
  sub,
  transpose,
  where,
} from "../graph/ops.js";
import type { Graph, Tensor, Tensors } from "../graph/tensor.js";
import { onnxRuntimeEngine } from "../node/onnxruntime.js";
import { applyGraph, stepGraph } from "../train/graphs.js";
import { float32, int32, type NamedArrays, scalar, sizeOf, zeros } from "./array.js";
import { type Engine, planOf, updatedInPlace } from "./engine.js";
import { mapValues } from "./named.js";
import { key, normal } from "./random.js";

const a = input("a", [2, 2]);
const b = input("b", [2, 2]);
const updates = (tensors: Tensors, outputs: Tensors = {}): Graph => ({ outputs, updates: tensors });

/** Graphs whose kept tensors have every reader before their new value. */
const safe: Readonly<Record<string, Graph>> = {
  "a step along a gradient": updates({ a: sub(a, mul(0.5, b)) }),
  "every read lies under the new value": updates({ a: add(a, matmul(a, b)) }, { loss: constant(scalar(1)) }),
  "an output of what the update needs": updates({ a: add(a, reduceSum(mul(a, a))) }, {}),
  "a value that nothing reads": updates({ a: mul(b, 2) }),
  "another kept tensor": updates({ a: b }),
};

/** Graphs where something may still read the old value after the new one is written. */
const unsafe: Readonly<Record<string, Graph>> = {
  "two that swap": updates({ a: b, b: a }),
  "two that swap after a step": updates({ a: add(b, 1), b: add(a, 1) }),
  "the old value is returned": updates({ a: add(a, 1) }, { old: a }),
  "a view of the old value is returned": updates({ a: add(a, 1) }, { old: reshape(a, [4]) }),
  "the old value is returned behind stopGradient": updates({ a: add(a, 1) }, { old: stopGradient(a) }),
  "an output reads the old value": updates({ a: add(a, 1) }, { doubled: mul(a, 2) }),
  "an output reads a view of the old value": updates(
    { a: add(a, 1) },
    { doubled: mul(expand(reshape(a, [4]), input("like", [3, 4])), 2) },
  ),
  "another new value reads the old one": updates({ a: add(a, 1), b: add(b, matmul(a, a)) }),
  "it stays as it is": updates({ a }),
};

/** A view that lies under the new value, and that an output reads as well: it may share the memory. */
const views: Readonly<Record<string, Graph>> = mapValues(
  {
    reshape: reshape(a, [4]),
    stopGradient: stopGradient(a),
    cast: cast(a, "float32"),
    expand: expand(a, b),
    "view of a view": reshape(cast(a, "float32"), [4]),
  },
  (view) => updates({ a: add(a, reshape(view, [2, 2])) }, { doubled: mul(view, 2) }),
);

/** Graphs whose new value is made from elements of the old one at other places, so that it cannot be written over it. */
const moving: Readonly<Record<string, Graph>> = {
  "a transposed": updates({ a: transpose(a) }),
  "a product with itself on the left": updates({ a: matmul(a, b) }),
  "a product with itself on the right": updates({ a: matmul(b, a) }),
  "rows in another order": updates({ a: gather(a, constant(int32([1, 0]))) }),
  "rows added up": updates({ a: scatterAdd(constant(int32([1, 0])), a, 2) }),
  "columns in another order": updates({ a: concat([slice(a, 1, 1, 2), slice(a, 1, 0, 1)], 1) }),
  "itself repeated": updates({ a: matmul(a, a) }),
  "itself where it is positive": updates({ a: where(greater(a, 0), transpose(a), a) }),
};

describe("updatedInPlace", () => {
  for (const [name, graph] of Object.entries(safe)) {
    test(`allows: ${name}`, () => assert.deepEqual(updatedInPlace(graph), new Set(["a"])));
  }
  for (const [name, graph] of Object.entries({ ...unsafe, ...views, ...moving })) {
    test(`refuses: ${name}`, () => assert.ok(!updatedInPlace(graph).has("a")));
  }
  test("allows every param of a training step, with and without teachers; its memory is chosen, old or new", () => {
    const learner = flightsLike();
    const averaging = { ...learner, ema: { decay: 0.9 } };
    for (const graph of [stepGraph(learner, 0), stepGraph(learner, 2), applyGraph(learner), stepGraph(averaging, 1)]) {
      const params = Object.keys(graph.updates).filter((name) => !name.startsWith("optState."));
      assert.deepEqual(updatedInPlace(graph), new Set(params));
    }
  });
});

describe("the ONNX Runtime engine", () => {
  let engine: Engine;
  beforeEach(() => {
    engine = onnxRuntimeEngine({ threads: 2 });
  });
  afterEach(() => engine.close());

  const start: NamedArrays = { a: float32([1, -2, 3, 4], [2, 2]), b: float32([0.5, 6, -7, 8], [2, 2]) };
  const like = { like: float32(Array(12).fill(0), [3, 4]) };

  for (const [name, graph] of Object.entries({ ...safe, ...unsafe, ...views, ...moving })) {
    test(`gives the right values over three runs: ${name}`, async () => {
      await engine.write(start);
      const program = await engine.compile(graph);
      let state: NamedArrays = start;
      for (let run = 0; run < 3; run++) {
        const expected = interpret(graph, { ...state, ...like });
        assertAllClose(await program.run(like), expected.outputs, 1e-6, "outputs");
        const after = await engine.read(["a", "b"]);
        assertAllClose(after, { ...state, ...expected.updates }, 1e-6, "kept tensors");
        state = after;
      }
    });
  }

  test("gives the right values for matrices that are large enough for several threads", async () => {
    const shape = [128, 128];
    const [x, y] = [input("a", shape), input("b", shape)];
    const random = (seed: number) =>
      float32(
        normal(key(seed), sizeOf(shape)).map((v) => v / 20),
        shape,
      );
    const kept = { a: random(1), b: random(2) };
    const programs = { product: matmul(x, y), transposed: transpose(x), both: add(relu(matmul(y, x)), x) };
    for (const [name, updated] of Object.entries(programs)) {
      await engine.write(kept);
      const graph = updates({ a: updated });
      await (await engine.compile(graph)).run({});
      assertAllClose(await engine.read(["a"]), interpret(graph, kept).updates, 1e-5, name);
    }
  });

  test("programs share the kept tensors, and changes in place reach all of them", async () => {
    await engine.write(start);
    const step = await engine.compile(updates({ a: add(a, b) }));
    const swap = await engine.compile(updates({ a: b, b: a }));
    const total = await engine.compile({ outputs: { total: reduceSum(a) }, updates: {} });
    const sumNow = async () => (await total.run({})).total?.data[0];
    assert.equal(await sumNow(), 6);
    await step.run({});
    assert.equal(await sumNow(), 13.5);
    await swap.run({});
    assert.equal(await sumNow(), 7.5);
    await step.run({});
    assert.equal(await sumNow(), 21);
    await swap.run({});
    assert.equal(await sumNow(), 13.5);
    await engine.write({ a: float32([1, 1, 1, 1], [2, 2]) });
    assert.equal(await sumNow(), 4);
    await step.run({});
    assert.equal(await sumNow(), 25);
  });

  test("what is read and what was written are copies", async () => {
    const written = float32([1, -2, 3, 4], [2, 2]);
    await engine.write({ a: written, b: start.b as NamedArrays[string] });
    written.data[0] = 99;
    const program = await engine.compile(updates({ a: add(a, 1) }));
    const before = await engine.read(["a"]);
    assert.deepEqual([...(before.a?.data ?? [])], [1, -2, 3, 4]);
    await program.run({});
    assert.deepEqual([...(before.a?.data ?? [])], [1, -2, 3, 4]);
    const after = await engine.read(["a"]);
    (after.a?.data as Float32Array)[0] = 99;
    assert.deepEqual([...((await engine.read(["a"])).a?.data ?? [])], [2, -1, 4, 5]);
  });

  test("results of a run are not changed by the next", async () => {
    const program = await engine.compile({ outputs: { doubled: mul(a, 2) }, updates: {} });
    const first = await program.run({ a: float32([1, 2, 3, 4], [2, 2]) });
    await program.run({ a: float32([5, 6, 7, 8], [2, 2]) });
    assert.deepEqual([...(first.doubled?.data ?? [])], [2, 4, 6, 8]);
  });

  test("a fed tensor hides a kept one of the same name for this run only", async () => {
    await engine.write(start);
    const program = await engine.compile({ outputs: { total: reduceSum(a) }, updates: {} });
    assert.equal((await program.run({ a: float32([1, 1, 1, 1], [2, 2]) })).total?.data[0], 4);
    assert.equal((await program.run({})).total?.data[0], 6);
  });

  test("a tensor that is neither fed nor kept is named", async () => {
    const program = await engine.compile(updates({ a: add(a, b) }));
    await engine.write({ a: start.a as NamedArrays[string] });
    await assert.rejects(program.run({}), /"b" is neither fed nor kept/);
    await assert.rejects(engine.read(["a", "c"]), /"c" is neither fed nor kept/);
  });

  test("a feed of the wrong shape or dtype is refused", async () => {
    const program = await engine.compile({ outputs: { total: reduceSum(a) }, updates: {} });
    await assert.rejects(program.run({ a: float32([1, 2, 3]) }), /rank|shape|dimension/i);
    await assert.rejects(program.run({ a: int32([1, 2, 3, 4], [2, 2]) }), /data type/i);
  });

  test("the binding writes into the tensor that it is given to fetch into, which may be a feed", async () => {
    // What the engine builds on: were it to stop with another release, kept tensors would no longer change.
    const graph = updates({ a: add(a, 1) });
    const session = await ort.InferenceSession.create(toOnnx(graph));
    const memory = Float32Array.of(1, -2, 3, 4);
    const tensor = new ort.Tensor("float32", memory, [2, 2]);
    await session.run({ a: tensor }, { "a.updated": tensor });
    await session.run({ a: tensor }, { "a.updated": tensor });
    assert.deepEqual([...memory], [3, 0, 5, 6]);
    await session.release();
  });
});

test("a new value of another shape or dtype than the kept tensor is refused", () => {
  const a = input("a", [2]);
  const plan = (updated: Tensor) => () => planOf({ outputs: { sum: reduceSum(a) }, updates: { a: updated } });
  assert.throws(plan(add(a, constant(zeros([3, 2])))), /new value of "a" must be float32\[2\], got float32\[3, 2\]/);
  assert.throws(plan(greater(a, 0)), /new value of "a" must be float32\[2\], got bool\[2\]/);
  assert.doesNotThrow(plan(neg(a)));
});
