/** Graphs that ask `when`: what they update is left as it is, to the bit, where it does not hold. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { assertAllClose } from "../../test/fixtures/close.js";
import { interpret } from "../../test/numerics/interpreter.js";
import { ShapeError } from "../errors.js";
import { formatGraph, type Graph } from "../graph/graph.js";
import { add, constant, gather, greater, input, matmul, mul, reduceSum, relu, setRows, sub } from "../graph/ops.js";
import { onnxRuntimeEngine } from "../node/ort/onnxruntime.js";
import { float32, int32, type NamedArrays, type NdArray, scalar } from "../runtime/array.js";
import { updatedInPlace } from "./in-place.js";

const engine = onnxRuntimeEngine({ threads: 2 });
after(() => engine.close());

const a = input("a", [2, 2]);
const b = input("b", [2, 2]);
const limit = input("limit", []);
const second = constant(int32([1]));
const sum = reduceSum(mul(a, a));
const when = greater(limit, sum);

const guarded: Readonly<Record<string, Graph>> = {
  "a value that only the update needs": { outputs: { sum }, updates: { a: add(a, mul(b, 2)) }, when },
  "a value that is returned too": { outputs: { sum, double: mul(b, 2) }, updates: { a: add(a, mul(b, 2)) }, when },
  "two that read each other": { outputs: { sum }, updates: { a: add(a, b), b: sub(b, a) }, when },
  "a product over itself": { outputs: { sum }, updates: { a: matmul(a, a) }, when },
  "the value of another": { outputs: { sum }, updates: { a: b, b: mul(b, 3) }, when },
  "rows of it": { outputs: { sum }, updates: { a: setRows(a, second, mul(gather(a, second), 2)) }, when },
  "a value of which nothing is returned": { outputs: {}, updates: { a: mul(a, 0.5) }, when },
};

describe("a guarded graph gives what the interpreter gives", () => {
  for (const [name, graph] of Object.entries(guarded)) {
    for (const most of [100, 1]) {
      test(`${name}, sum below ${most}`, async () => {
        let state: NamedArrays = { a: float32([1, -2, 3, -0], [2, 2]), b: float32([0.5, 6, -7, 8], [2, 2]) };
        await engine.write(state);
        const program = await engine.compile(graph);
        for (let run = 0; run < 3; run++) {
          const feeds = { limit: scalar(most) };
          const expected = interpret(graph, { ...state, ...feeds });
          assertAllClose(await program.run(feeds), expected.outputs, 1e-6, "outputs");
          const now = await engine.read(["a", "b"]);
          assertAllClose(now, { ...state, ...expected.updates }, 1e-6, "state tensors");
          state = now;
        }
      });
    }
  }
});

test("what is skipped keeps its bits: a minus zero, and a value that is not a number", async () => {
  const start = float32([-0, Number.NaN, 3, 4], [2, 2]);
  await engine.write({ a: start, b: start });
  const program = await engine.compile(guarded["a value that only the update needs"] as Graph);
  await program.run({ limit: scalar(Number.POSITIVE_INFINITY) });
  const bitsOf = ({ data }: NdArray) => [...new Uint32Array(data.slice().buffer)];
  assert.deepEqual(bitsOf((await engine.read(["a"])).a as NdArray), bitsOf(start));
});

test("what is updated in place waits for all that reads it", () => {
  const inPlace = (graph: Graph) => [...updatedInPlace(graph)];
  const reader = relu(matmul(a, b));
  // The condition waits for this reader, so that the update does too.
  const waits = greater(limit, reduceSum(reader));
  assert.deepEqual(inPlace({ outputs: { reader }, updates: { a: add(a, b) }, when: waits }), ["a"]);
  // Nothing makes the update wait for this one.
  assert.deepEqual(inPlace({ outputs: { reader }, updates: { a: add(a, b) }, when: greater(limit, 0) }), []);
  // In the branch that is taken only an order helps.
  assert.deepEqual(inPlace({ outputs: {}, updates: { a: add(a, b), b: mul(b, reduceSum(a)) }, when: waits }), []);
});

test("what is updated must be read, so that there is something to leave as it is", async () => {
  const graph: Graph = { outputs: {}, updates: { a: mul(b, 2) }, when: greater(limit, 0) };
  await assert.rejects(engine.compile(graph), ShapeError);
});

test("the text of a graph says when it updates", () => {
  assert.match(formatGraph({ outputs: {}, updates: { a: add(a, b) }, when }), /^when %\d+$/m);
});
