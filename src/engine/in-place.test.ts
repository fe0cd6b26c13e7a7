import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { flightsLike } from "../../test/fixtures/flights-like.js";
import { moving, safe, unsafe, views } from "../../test/suites/engine-graphs.js";
import { decodeModel } from "../graph/onnx-proto.js";
import { add, constant, greater, input, mul, neg, reduceSum } from "../graph/ops.js";
import type { Tensor } from "../graph/tensor.js";
import { zeros } from "../runtime/array.js";
import { applyGraph, stepGraph } from "../train/graphs.js";
import { updatedInPlace } from "./in-place.js";
import { planOf } from "./plan.js";

describe("updatedInPlace", () => {
  for (const [name, graph] of Object.entries(safe)) {
    test(`allows: ${name}`, () => assert.deepEqual(updatedInPlace(graph), new Set(["a"])));
  }
  for (const [name, graph] of Object.entries({ ...unsafe, ...views, ...moving })) {
    test(`refuses: ${name}`, () => assert.ok(!updatedInPlace(graph).has("a")));
  }
  test("allows every param and moment of a training step, with and without teachers", () => {
    const learner = flightsLike();
    const averaging = { ...learner, ema: { decay: 0.9 } };
    for (const graph of [stepGraph(learner, 0), stepGraph(learner, 2), applyGraph(learner), stepGraph(averaging, 1)]) {
      assert.deepEqual(updatedInPlace(graph), new Set(Object.keys(graph.updates)));
    }
  });
});

test("the plan of a graph that asks when has the guard's names beside the graph's own, which a plain graph has not", () => {
  const a = input("a", [2]);
  const updates = { a: add(a, 1) };
  const outputs = { sum: reduceSum(mul(a, a)) };
  const asks = { outputs, updates, when: greater(outputs.sum, 0) };
  for (const [graph, isGuarded] of [
    [{ outputs, updates }, false],
    [asks, true],
  ] as const) {
    const plan = planOf(graph);
    assert.deepEqual([plan.inputs, plan.outputs, plan.isGuarded], [["a"], ["sum"], isGuarded]);
    assert.deepEqual(plan.updates, [{ name: "a", inPlace: isGuarded }]);
    const { graph: encoded } = decodeModel(plan.onnx);
    const own = (infos: readonly { readonly name: string }[]) => infos.filter(({ name }) => name.startsWith("engine."));
    assert.deepEqual(
      [own(encoded.input), own(encoded.output)].map((infos) => infos.map(({ name }) => name)),
      isGuarded ? [["engine.mayUpdate"], ["engine.isReached", "engine.isTaken"]] : [[], []],
    );
  }
});

test("a new value of another shape or dtype than the state tensor is refused", () => {
  const a = input("a", [2]);
  const plan = (updated: Tensor) => () => planOf({ outputs: { sum: reduceSum(a) }, updates: { a: updated } });
  assert.throws(plan(add(a, constant(zeros([3, 2])))), /new value of "a" must be float32\[2\], got float32\[3, 2\]/);
  assert.throws(plan(greater(a, 0)), /new value of "a" must be float32\[2\], got bool\[2\]/);
  assert.doesNotThrow(plan(neg(a)));
});
