/** What each pass makes of a graph, and what it leaves alone. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { float32, int32, scalar, zeros } from "../runtime/array.js";
import { gradients } from "./grad.js";
import { formatGraph, type Graph, inputsOf } from "./graph.js";
import * as ops from "./ops.js";
import { noPasses, type PassName, simplify } from "./simplify.js";
import { isOp, part, type Tensor, topologicalOrder } from "./tensor.js";

const x = ops.input("x", [2, 3]);
const y = ops.input("y", [2, 3]);
const wide = ops.input("wide", [2, 6]);
const batch = ops.input("batch", ["batch", 3]);
const s = ops.input("s", []);
const classes = ops.input("classes", [2], "int32");
const flag = ops.input("flag", [2, 3], "bool");

const returning = (...tensors: Tensor[]): Graph => ({
  outputs: Object.fromEntries(tensors.map((tensor, i) => [`out${i}`, tensor])),
  updates: {},
});
const number = (value: number) => ops.constant(scalar(value));
const by = (pass: PassName, graph: Graph) => simplify(graph, { ...noPasses, [pass]: true });

/** A tensor, and what a pass makes of it; nothing where it stays as it is. */
type Rule = readonly [name: string, from: Tensor, to?: Tensor];

const halves = ops.split(wide, 1, [2, 4]) as [Tensor, Tensor];
const transposed = ops.transpose(x);

const rules: Readonly<Partial<Record<PassName, readonly Rule[]>>> = {
  identities: [
    ["stopGradient", ops.relu(ops.stopGradient(x)), ops.relu(x)],
    ["a cast to the same dtype", ops.cast(x, "float32"), x],
    ["a cast to another dtype", ops.cast(x, "int32")],
    ["two reshapes", ops.reshape(ops.reshape(x, [6]), [3, 2]), ops.reshape(x, [3, 2])],
    ["a reshape there and back", ops.reshape(ops.reshape(x, [6]), [2, 3]), x],
    ["two transposes", ops.transpose(ops.transpose(x)), x],
    [
      "a transpose that moves an axis of size 1",
      ops.transpose(ops.reshape(x, [2, 1, 3]), [1, 0, 2]),
      ops.reshape(x, [1, 2, 3]),
    ],
    ["a transpose", transposed],
    ["a slice of everything", ops.slice(x, 1, 0, 3), x],
    ["a slice of a slice", ops.slice(ops.slice(wide, 1, 1, 5), 1, 1, 3), ops.slice(wide, 1, 2, 4)],
    ["a slice along another axis", ops.slice(ops.slice(wide, 1, 1, 5), 0, 1, 2)],
    ["a slice of what is padded", ops.slice(ops.pad(x, 1, 2, 1), 1, 2, 5), x],
    ["a slice that reaches into the zeros", ops.slice(ops.pad(x, 1, 2, 1), 1, 1, 5)],
    ["a slice of one of those joined", ops.slice(ops.concat([x, y], 1), 1, 4, 6), ops.slice(y, 1, 1, 3)],
    ["a slice of two of those joined", ops.slice(ops.concat([x, y], 1), 1, 2, 6)],
    ["no zeros added", ops.pad(x, 1, 0, 0), x],
    ["zeros around zeros", ops.pad(ops.pad(x, 1, 1, 0), 1, 0, 2), ops.pad(x, 1, 1, 2)],
    ["one joined", ops.concat([x], 1), x],
    ["all pieces joined again", ops.concat([ops.slice(wide, 1, 0, 2), ops.slice(wide, 1, 2, 6)], 1), wide],
    ["all parts joined again", ops.concat(halves, 1), wide],
    ["parts in another order", ops.concat([...halves].reverse(), 1)],
    ["joined what was joined", ops.concat([ops.concat([x, y], 1), x], 1), ops.concat([x, y, x], 1)],
    ["cut where it was joined", ops.split(ops.concat([x, y], 1), 1, [3, 3])[1] as Tensor, y],
    ["turned round twice", ops.flip(ops.flip(x, 0), 0), x],
    ["a sum over no axis", ops.reduceSum(x, []), x],
    ["repeated to its own shape", ops.expand(x, y), x],
    ["repeated beside its like", ops.mul(ops.expand(s, batch), batch), ops.mul(s, batch)],
    ["repeated, then negated", ops.neg(ops.expand(s, batch)), ops.expand(ops.neg(s), batch)],
    ["repeated, then squashed, which may be another kernel", ops.sigmoid(ops.expand(s, batch))],
    ["repeated where nothing else has its shape", ops.mul(ops.expand(s, batch), s), ops.expand(ops.mul(s, s), batch)],
    ["axes of size 1 in front", ops.add(ops.reshape(s, [1, 1]), x), ops.add(s, x)],
    ["always the one", ops.where(ops.constant({ dtype: "bool", shape: [], data: Uint8Array.of(1) }), x, y), x],
    ["always the other", ops.where(ops.constant({ dtype: "bool", shape: [], data: Uint8Array.of(0) }), x, y), y],
    ["either way the same", ops.where(flag, x, x), x],
  ],
  fold: [
    ["a sum", ops.add(s, ops.add(1, 2)), ops.add(s, number(3))],
    ["a sum in single precision", ops.mul(ops.add(16777216, 1), s), ops.mul(number(16777216), s)],
    ["a root, which a kernel may round in its way", ops.sqrt(number(2))],
    ["an exponential", ops.exp(number(1))],
    ["no number", ops.div(number(0), 0)],
    ["below the normal numbers", ops.mul(number(2 ** -100), 2 ** -30)],
    ["infinity", ops.div(number(1), 0), number(Number.POSITIVE_INFINITY)],
    ["-0", ops.neg(number(0)), number(-0)],
    [
      "whole numbers",
      ops.equal(ops.constant(int32([1, 2])), ops.constant(int32([1, 3]))),
      ops.constant({ dtype: "bool", shape: [2], data: Uint8Array.of(1, 0) }),
    ],
    ["what does not fit", ops.cast(number(3e9), "int32")],
    ["a choice", ops.where(ops.greater(number(2), 1), ops.constant(float32([1, 2])), 5), ops.constant(float32([1, 2]))],
    [
      "elements in other places",
      ops.transpose(ops.constant(float32([1, 2, 3, 4, 5, 6], [2, 3]))),
      ops.constant(float32([1, 4, 2, 5, 3, 6], [3, 2])),
    ],
    ["how many there are", ops.countAlong(x), number(6)],
    ["how many a run brings", ops.countAlong(batch)],
    ["what would be a large constant", ops.expand(1, ops.constant(zeros([9, 9])))],
  ],
  algebra: [
    ["times 1", ops.mul(x, 1), x],
    ["divided by 1", ops.div(x, 1), x],
    ["less 0", ops.sub(x, 0), x],
    ["and -0", ops.add(x, -0), x],
    ["and 0, of what may be -0", ops.add(x, 0)],
    ["and 0, of what is never -0", ops.add(ops.exp(x), 0), ops.exp(x)],
    [
      "and zeros that make it larger",
      ops.add(s, ops.constant({ dtype: "float32", shape: [2], data: Float32Array.of(-0, -0) })),
    ],
    ["times 0, as it may be no number", ops.mul(x, 0)],
    ["negated twice", ops.neg(ops.neg(x)), x],
    ["not not", ops.not(ops.not(flag)), flag],
    ["and what is negated", ops.add(x, ops.neg(y)), ops.sub(x, y)],
    ["less what is negated", ops.sub(x, ops.neg(y)), ops.add(x, y)],
    ["both negated", ops.mul(ops.neg(x), ops.neg(y)), ops.mul(x, y)],
    ["times a number, negated", ops.neg(ops.mul(x, 3)), ops.mul(x, -3)],
    ["times -1", ops.mul(-1, x), ops.neg(x)],
    ["where not", ops.where(ops.not(flag), x, y), ops.where(flag, y, x)],
    ["a difference, negated, as its zeros would have another sign", ops.neg(ops.sub(x, y))],
  ],
  joins: [
    ["side by side", ops.add(ops.pad(x, 1, 0, 3), ops.pad(y, 1, 3, 0)), ops.pad(ops.concat([x, y], 1), 1, 0, 0)],
    [
      "beside another term",
      ops.add(ops.add(wide, ops.pad(y, 1, 3, 0)), ops.pad(x, 1, 0, 3)),
      ops.add(wide, ops.pad(ops.concat([x, y], 1), 1, 0, 0)),
    ],
    [
      "with a term between them, as sums would be rounded in another order",
      ops.add(ops.add(ops.pad(y, 1, 3, 0), wide), ops.pad(x, 1, 0, 3)),
    ],
    ["one over the other", ops.add(ops.pad(x, 1, 1, 2), ops.pad(y, 1, 3, 0))],
    ["along two axes", ops.add(ops.pad(x, 0, 0, 2), ops.pad(ops.input("tall", [4, 1]), 1, 0, 2))],
  ],
  products: [
    ["of what is transposed", ops.matmul(transposed, y), ops.matmul(x, y, { transposeA: true })],
    ["of what is transposed, the other", ops.matmul(x, ops.transpose(y)), ops.matmul(x, y, { transposeB: true })],
    ["transposed", ops.transpose(ops.matmul(x, y, { transposeB: true })), ops.matmul(y, x, { transposeB: true })],
    [
      "times a number",
      ops.mul(ops.matmul(x, y, { transposeB: true }), 3),
      ops.matmul(x, y, { transposeB: true, scale: 3 }),
    ],
    [
      "of what is divided",
      ops.matmul(ops.div(x, 2), y, { transposeB: true }),
      ops.matmul(x, y, { transposeB: true, scale: 0.5 }),
    ],
    ["times a tensor", ops.mul(ops.matmul(x, y, { transposeB: true }), s)],
    ["times a number that leaves nothing of it", ops.mul(ops.matmul(x, y, { transposeB: true, scale: 1e-30 }), 1e-30)],
    ["times 1 / n", ops.mul(x, ops.div(1, s)), ops.div(x, s)],
  ],
};

for (const [pass, cases] of Object.entries(rules) as [PassName, readonly Rule[]][]) {
  describe(pass, () => {
    for (const [name, from, to] of cases) {
      const graph = returning(from);
      if (to) test(`simplifies: ${name}`, () => assert.equal(formatGraph(by(pass, graph)), formatGraph(returning(to))));
      else test(`leaves: ${name}`, () => assert.equal(by(pass, graph), graph));
    }
  });
}

test("a product that something else reads is not computed twice", () => {
  const product = ops.matmul(x, y, { transposeB: true });
  const graph = returning(ops.mul(product, 3), product);
  assert.equal(by("products", graph), graph);
});

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

test("a long sum of slices' gradients is one join", () => {
  const long = ops.input("long", [500]);
  const weights = ops.input("weights", [500]);
  const terms = Array.from({ length: 500 }, (_, i) =>
    ops.mul(ops.slice(long, 0, i, i + 1), ops.slice(weights, 0, 499 - i, 500 - i)),
  );
  const [grad] = gradients(ops.reduceSum(terms.reduce(ops.add)), [long]) as [Tensor];
  const made = topologicalOrder(Object.values(simplify(returning(grad)).outputs)).map(({ op }) => op);
  assert.deepEqual(new Set(made), new Set(["input", "slice", "concat"]));
});

test("passes work on what others leave", () => {
  const gates = ops.split(wide, 1, [3, 3]) as [Tensor, Tensor];
  const [first, second] = gates.map((gate) => ops.mul(ops.neg(gate), ops.expand(ops.mul(2, 0.5), gate)));
  const graph = returning(ops.neg(ops.concat([ops.neg(first as Tensor), ops.neg(second as Tensor)], 1)));
  assert.equal(formatGraph(simplify(graph)), formatGraph(returning(ops.neg(wide))));
});

test("what is updated under a condition is still read", () => {
  const graph: Graph = {
    outputs: {},
    updates: { x: ops.where(ops.greater(number(2), 1), y, x) },
    when: ops.greater(s, 0),
  };
  assert.equal(simplify(graph), graph);
  const { when: _, ...always } = graph;
  assert.deepEqual([...inputsOf(simplify(always)).keys()], ["y"]);
});
