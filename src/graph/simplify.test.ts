/** What each pass makes of a graph, and what it leaves alone. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { float32, int32, zeros } from "../runtime/array.js";
import { formatGraph, type Graph, inputsOf } from "./graph.js";
import * as ops from "./ops.js";
import { noPasses, type PassName, simplify } from "./simplify.js";
import { isOp, part, type Tensor, topologicalOrder } from "./tensor.js";

const x = ops.input("x", [2, 3]);
const y = ops.input("y", [2, 3]);
const wide = ops.input("wide", [2, 6]);
const s = ops.input("s", []);
const classes = ops.input("classes", [2], "int32");

const returning = (...tensors: Tensor[]): Graph => ({
  outputs: Object.fromEntries(tensors.map((tensor, i) => [`out${i}`, tensor])),
  updates: {},
});
const by = (pass: PassName, graph: Graph) => simplify(graph, { ...noPasses, [pass]: true });

describe("common", () => {
  test("logarithms of one class a row are among those of all, where these are there, in any order", () => {
    const { at, all } = ops.logSoftmaxAt(x, classes);
    const alone = returning(at);
    assert.equal(by("common", alone), alone);
    const twice = ops.logSoftmax(x);
    for (const graph of [returning(at, all, twice), returning(twice, all, at)]) {
      const outputs = Object.values(by("common", graph).outputs);
      const [first] = outputs.filter(({ op }) => op === "logSoftmax");
      assert.equal(outputs.filter((tensor) => tensor === first).length, 2);
      const picked = outputs.find((tensor) => tensor !== first);
      assert.equal(picked?.inputs[0]?.inputs[0], first);
    }
  });

  const numOf = (graph: Graph) =>
    topologicalOrder(Object.values(graph.outputs)).filter(({ op }) => op !== "input").length;
  const areMerged = (one: Tensor, other: Tensor) => {
    const { out0, out1 } = by("common", returning(one, other)).outputs;
    return out0 === out1;
  };

  test("does once what is equal, in either order where that is the same", () => {
    assert.ok(areMerged(ops.add(ops.neg(x), y), ops.add(y, ops.neg(x))));
    assert.ok(!areMerged(ops.sub(x, y), ops.sub(y, x)));
    assert.ok(!areMerged(ops.maximum(x, y), ops.maximum(y, x)));
    assert.equal(numOf(by("common", returning(ops.exp(ops.neg(x)), ops.sin(ops.neg(x))))), 3);
  });

  test("tells attributes and constants apart to the bit", () => {
    assert.ok(!areMerged(ops.add(x, 0), ops.add(x, -0)));
    assert.ok(!areMerged(ops.clamp(x, -0, 1), ops.clamp(x, 0, 1)));
    assert.ok(!areMerged(ops.clamp(x, 0, Number.POSITIVE_INFINITY), ops.clamp(x, 0, 1)));
    assert.ok(!areMerged(ops.constant(float32([1])), ops.constant(int32([1]))));
    assert.ok(!areMerged(ops.constant(zeros([99])), ops.constant(zeros([9, 11]))));
    assert.ok(areMerged(ops.constant(zeros([9, 11])), ops.constant(zeros([9, 11]))));
  });

  test("random numbers of one key and one stream are the same", () => {
    const key = ops.input("key", [2], "int32");
    assert.ok(areMerged(ops.randomUniform(key, [4], 1), ops.randomUniform(key, [4], 1)));
    assert.ok(!areMerged(ops.randomUniform(key, [4], 1), ops.randomUniform(key, [4], 2)));
    assert.ok(!areMerged(ops.randomUniform(key, [4], 1), ops.randomUniform(key, [5], 1)));
  });

  const sumOf = (f: (x: Tensor) => Tensor, reverse = false) =>
    ops.scan({
      states: [ops.constant(zeros([3]))],
      sequences: [x],
      reverse,
      body: ([sum], [row]) => ({ states: [ops.add(sum as Tensor, f(row as Tensor))], outputs: [] }),
    }).states[0] as Tensor;

  test("loops are equal when their steps are", () => {
    assert.ok(areMerged(sumOf(ops.neg), sumOf(ops.neg)));
    assert.ok(
      areMerged(
        sumOf((row) => ops.mul(row, s)),
        sumOf((row) => ops.mul(s, row)),
      ),
    );
    assert.ok(!areMerged(sumOf(ops.neg), sumOf(ops.abs)));
    assert.ok(!areMerged(sumOf(ops.neg), sumOf(ops.neg, true)));
  });

  test("within a step too", () => {
    const graph = by("common", returning(sumOf((row) => ops.add(ops.exp(row), ops.exp(row)))));
    const [loop] = topologicalOrder(Object.values(graph.outputs)).filter((tensor) => isOp(tensor, "scan"));
    const made = topologicalOrder(loop?.attributes.body.nextStates ?? []).filter(({ op }) => op === "exp");
    assert.equal(made.length, 1);
  });
});

describe("unused", () => {
  const rows = ops.input("rows", [4, 3]);
  const others = ops.input("others", [4, 3]);
  const factor = ops.input("factor", []);
  /** Two states, of which the second reads the first, and an output of each sequence. */
  const loop = () =>
    ops.scan({
      states: [ops.input("a", [3]), ops.input("b", [3])],
      sequences: [rows, others],
      body: ([a, b], [row, other]) => ({
        states: [ops.add(a as Tensor, row as Tensor), ops.add(b as Tensor, a as Tensor)],
        outputs: [ops.mul(row as Tensor, factor), ops.neg(other as Tensor)],
      }),
    });
  const simple = (tensor: Tensor | undefined) => {
    const graph = by("unused", returning(tensor as Tensor));
    const [scan] = topologicalOrder(Object.values(graph.outputs)).filter((each) => isOp(each, "scan"));
    const { states = [], elements = [], outputs = [] } = scan?.attributes.body ?? {};
    return { reads: [...inputsOf(graph).keys()].sort(), sizes: [states.length, elements.length, outputs.length] };
  };

  test("a state that only its own next value reads goes, with its sequence and the outputs", () => {
    assert.deepEqual(simple(loop().states[0]), { reads: ["a", "rows"], sizes: [1, 1, 0] });
  });
  test("a state that another one reads stays", () => {
    assert.deepEqual(simple(loop().states[1]), { reads: ["a", "b", "rows"], sizes: [2, 1, 0] });
  });
  test("an output stays with what it reads, and with a state that does nothing, as there must be one", () => {
    assert.deepEqual(simple(loop().outputs[0]), { reads: ["factor", "rows"], sizes: [1, 1, 1] });
    assert.deepEqual(simple(loop().outputs[1]), { reads: ["others"], sizes: [1, 1, 1] });
  });
  test("of what is cut for one part only that is taken", () => {
    const [, middle] = ops.split(wide, 1, [1, 3, 2]) as [Tensor, Tensor, Tensor];
    assert.equal(formatGraph(by("unused", returning(middle))), formatGraph(returning(ops.slice(wide, 1, 1, 4))));
    const both = returning(...ops.split(wide, 1, [3, 3]));
    assert.equal(by("unused", both), both);
  });
  test("what has statistics that nothing reads has them for whoever does", () => {
    const { normalised } = ops.layerNorm(x, ops.input("gain", [3]), ops.input("bias", [3]), 0.1);
    const graph = returning(normalised, part(normalised, 1));
    assert.equal(by("unused", graph), graph);
  });
});

test("passes work on what others leave", () => {
  const [a, rows] = [ops.input("a", [3]), ops.input("rows", [4, 3])];
  const loop = (f: (row: Tensor) => Tensor) =>
    ops.scan({
      states: [a],
      sequences: [rows],
      body: ([sum], [row]) => ({ states: [ops.add(sum as Tensor, row as Tensor)], outputs: [f(row as Tensor)] }),
    }).states[0] as Tensor;
  // The loops differ in what nothing reads, and are one without it.
  const graph = returning(loop(ops.neg), loop(ops.abs));
  const { out0, out1 } = simplify(graph).outputs;
  assert.equal(out0, out1);
  assert.notEqual(by("common", graph).outputs.out0, by("common", graph).outputs.out1);
});

test("what is updated under a condition is still read", () => {
  const loop = ops.scan({
    states: [ops.input("a", [3]), ops.input("b", [3])],
    sequences: [ops.input("rows", [4, 3])],
    body: ([a, b], [row]) => ({ states: [ops.add(a as Tensor, row as Tensor), b as Tensor], outputs: [] }),
  });
  const graph: Graph = { outputs: {}, updates: { b: loop.states[0] as Tensor }, when: ops.greater(s, 0) };
  assert.equal(simplify(graph), graph);
  const { when: _, ...always } = graph;
  assert.deepEqual([...inputsOf(simplify(always)).keys()].sort(), ["a", "rows"]);
});
