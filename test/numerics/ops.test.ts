/** Every operation: the engine against the interpreter, gradients against central differences and PyTorch. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { ShapeError } from "../../src/errors.js";
import { isDifferentiable } from "../../src/graph/grad.js";
import type { Graph } from "../../src/graph/graph.js";
import { input, reduceSum, relu } from "../../src/graph/ops.js";
import { noPasses } from "../../src/graph/simplify.js";
import type { Op } from "../../src/graph/tensor.js";
import { onnxRuntimeEngine } from "../../src/node/ort/onnxruntime.js";
import { float32, type NamedArrays } from "../../src/runtime/array.js";
import { mapValues, withPrefix } from "../../src/runtime/named.js";
import { assertAllClose, assertClose } from "../fixtures/close.js";
import { readGolden, resultOf } from "../golden/golden.js";
import { cotangentOf, differentiableCases, type OpResult } from "../golden/ops.js";
import { buildCase } from "../suites/op-case.js";
import { opCases } from "../suites/op-cases.js";
import { opMisuses } from "../suites/op-misuses.js";
import { COTANGENT, checkGradients, cotangentFor, GRADS, gradientGraph, tolerances, weighted } from "./gradcheck.js";
import { interpret, type Values } from "./interpreter.js";

/** As they are: a case may be something that a pass takes away. */
const engine = onnxRuntimeEngine({ threads: 1, passes: noPasses });
after(() => engine.close());

/** 1 - y for a y close to 1 keeps few digits in float32, so differences are held against 1/100 at least. */
const SCALE = 0.01;

const run = async (graph: Graph, feeds: NamedArrays) => (await engine.compile(graph)).run(feeds);

for (const op of Object.keys(opCases) as Op[]) {
  describe(op, () => {
    for (const opCase of opCases[op]) {
      const { output, feeds, wrt } = buildCase(op, opCase);
      const forward: Graph = { outputs: { output }, updates: {} };

      test(`${opCase.name}: the engine computes what the interpreter computes`, async () => {
        const expected = interpret(forward, feeds).outputs;
        const actual = await run(forward, feeds);
        assert.equal(actual.output?.dtype, output.dtype);
        assertAllClose(actual, expected, tolerances.float32, op, SCALE);
      });

      if (wrt.length === 0) continue;
      test(`${opCase.name}: the gradient is that of central differences, in the engine too`, async () => {
        const { shape = [] } = interpret(forward, feeds).outputs.output ?? {};
        const all = { ...feeds, [COTANGENT]: cotangentFor(shape) };
        checkGradients(weighted(output), wrt, all);

        const backward = gradientGraph(weighted(output), wrt);
        const expected = interpret(backward, all).outputs;
        assertAllClose(await run(backward, all), expected, tolerances.float32, op, SCALE);
      });
    }

    for (const { call, message } of opMisuses[op]) {
      test(`refuses ${message.source}`, () => {
        assert.throws(call, (error) => {
          assert.ok(error instanceof ShapeError, String(error));
          assert.match(error.message, message);
          return true;
        });
      });
    }
  });
}

test("relu has gradient 0 at 0", async () => {
  const x = input("x", [3]);
  const graph = gradientGraph(reduceSum(relu(x)), [x]);
  const feeds = { x: float32([-1, 0, 1]) };
  assert.deepEqual([...((await run(graph, feeds))["grads.x"]?.data ?? [])], [0, 0, 1]);
  assert.deepEqual([...(interpret(graph, feeds).outputs["grads.x"]?.data ?? [])], [0, 0, 1]);
});

test("operations without a gradient are these", () => {
  const without = (Object.keys(opCases) as Op[]).filter((op) => !isDifferentiable(op));
  const comparisons = ["greater", "greaterOrEqual", "equal", "and", "or", "not"];
  const others = [
    "stopGradient",
    "sign",
    "floor",
    "argMax",
    "countAlong",
    "quantisedMatmul",
    "firstEqual",
    "randomUniform",
    "hash",
  ];
  assert.deepEqual(new Set(without), new Set([...comparisons, ...others]));
});

describe("PyTorch gives the same outputs and gradients in double precision", () => {
  const golden = readGolden<OpResult>("ops");
  for (const { name, built } of differentiableCases()) {
    test(name, () => {
      const { inputs, output, gradients } = resultOf(golden, name);
      const { feeds, wrt } = built;
      for (const [input, data] of Object.entries(inputs)) {
        assert.deepEqual([...(feeds[input]?.data ?? [])], data, "the case changed; run `npm run golden -- --write`");
      }
      const forward = interpret({ outputs: { output: built.output }, updates: {} }, feeds).outputs;
      const backward = gradientGraph(weighted(built.output), wrt);
      const grads = interpret(backward, { ...feeds, [COTANGENT]: cotangentOf(built) }).outputs;
      const expected = { output, ...withPrefix(GRADS, gradients) };
      const actual = mapValues({ ...forward, ...grads }, ({ data }) => data);
      assert.deepEqual(Object.keys(actual), Object.keys(expected));
      for (const [what, data] of Object.entries(expected)) {
        assertClose(vector(actual[what]), vector(data), 1e-10, what);
      }
    });
  }

  test("the file says where it comes from", () => {
    assert.deepEqual(Object.keys(golden.origin), ["library", "version", "script"]);
    assert.equal(Object.keys(golden.results).length, differentiableCases().length);
  });
});

function vector(data: ArrayLike<number> = []): Values {
  return { shape: [data.length], data };
}
