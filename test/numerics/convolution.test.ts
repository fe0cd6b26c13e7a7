/** Convolutions, pools and batch normalisation where a table of cases does not reach: second order, NaN, far means. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { gradients } from "../../src/graph/grad.js";
import * as ops from "../../src/graph/ops.js";
import { part, type Tensor } from "../../src/graph/tensor.js";
import { onnxRuntimeEngine } from "../../src/node/ort/onnxruntime.js";
import { float32, type NamedArrays, sizeOf } from "../../src/runtime/array.js";
import { mapValues, underPrefix } from "../../src/runtime/named.js";
import { fold, normal, rootKey } from "../../src/runtime/random.js";
import { assertAllClose } from "../fixtures/close.js";
import { checkGradients, GRADS, gradientGraph, tolerances } from "./gradcheck.js";
import { interpret } from "./interpreter.js";

const engine = onnxRuntimeEngine({ threads: 1 });
after(() => engine.close());

/** Normal values, no two of them equal: a pool has a kink where they are. */
const draw = (name: string, shape: readonly number[]) => float32(normal(fold(rootKey(4), name), sizeOf(shape)), shape);

const squares = (x: Tensor) => ops.reduceSum(ops.mul(x, x));

const batchNormOf = (x: Tensor) => {
  const ones = ops.constant(float32([1, 1, 1]));
  return ops.batchNorm(x, { gain: ones, bias: ones }, 1e-5);
};

/** The squared norm of the gradients of a scalar. */
function gradNorm(scalar: Tensor, wrt: readonly Tensor[]): Tensor {
  return gradients(scalar, wrt).map(squares).reduce(ops.add);
}

async function checkSecondOrder(loss: Tensor, feeds: NamedArrays, inputs: readonly Tensor[]): Promise<void> {
  const norm = gradNorm(loss, inputs);
  checkGradients(norm, inputs, feeds);
  const graph = gradientGraph(norm, inputs);
  const actual = await (await engine.compile(graph)).run(feeds);
  assertAllClose(actual, interpret(graph, feeds).outputs, 10 * tolerances.float32, "second order", 1);
}

test("the gradient of a gradient norm goes through convolutions of every kind", async () => {
  const feeds = { x: draw("x", [2, 2, 5, 4]), w: draw("w", [4, 1, 3, 2]), v: draw("v", [4, 3, 2, 2]) };
  const [x, w, v] = [ops.input("x", ["batch", 2, 5, 4]), ops.input("w", [4, 1, 3, 2]), ops.input("v", [4, 3, 2, 2])];
  const strided = ops.conv(x, w, {
    strides: [2, 1],
    pads: [
      [1, 1],
      [0, 1],
    ],
    groups: 2,
  });
  const back = ops.convTranspose(ops.sigmoid(strided), v, { strides: 2, dilations: 2, outputPadding: 1 });
  await checkSecondOrder(squares(back), feeds, [x, w, v]);
});

test("the gradient of a gradient norm goes through batch normalisation and pools", async () => {
  const feeds = { x: draw("x", [3, 2, 4, 4]), gain: draw("gain", [2]), bias: draw("bias", [2]) };
  const x = ops.input("x", ["batch", 2, 4, 4]);
  const [gain, bias] = [ops.input("gain", [2]), ops.input("bias", [2])];
  const y = ops.batchNorm(x, { gain, bias }, 0.125);
  const pooled = ops.add(ops.maxPool(y, { kernel: 2 }), ops.averagePool(y, { kernel: 2 }));
  const loss = ops.add(squares(ops.sigmoid(pooled)), squares(part(y, 2)));
  await checkSecondOrder(loss, feeds, [x, gain, bias]);
});

test("batch statistics keep their digits where the mean is far from 0, of short rows and of long ones", async () => {
  for (const size of [8, 16]) {
    const far = mapValues({ x: draw("far", [8, 2, size, size]) }, ({ data, shape }) =>
      float32(
        data.map((value) => 4096 + value),
        shape,
      ),
    );
    const x = ops.input("x", ["batch", 2, size, size]);
    const [gain, bias] = [ops.constant(float32([1, 1])), ops.constant(float32([0, 0]))];
    const y = ops.batchNorm(x, { gain, bias }, 1e-5);
    const graph = { outputs: { y, mean: part(y, 1), variance: part(y, 2) }, updates: {} };
    const expected = interpret(graph, far).outputs;
    const actual = await (await engine.compile(graph)).run(far);
    // The mean itself has a spacing of 1/2048 there; E[x^2] - mean^2 would miss the variance by about 1.
    assertAllClose(actual, expected, 1e-3, `far from 0, ${size}x${size}`, 1);
  }
});

test("sums over channels are the same by rows and element by element", async () => {
  // One of these sizes is the longest row that is multiplied element by element.
  for (const size of [199, 200, 201]) {
    const [x, y] = [ops.input("x", ["batch", 3, size]), ops.input("y", ["batch", 3, size])];
    const feeds = { x: draw("left", [4, 3, size]), y: draw("right", [4, 3, size]) };
    const graph = { outputs: { dots: ops.channelDots(x, y), variance: part(batchNormOf(x), 2) }, updates: {} };
    const actual = await (await engine.compile(graph)).run(feeds);
    assertAllClose(actual, interpret(graph, feeds).outputs, tolerances.float32, `rows of ${size}`, 30);
  }
});

test("a pool of nothing but NaN gives NaN and a gradient, and no error", async () => {
  const x = ops.input("x", [1, 2, 2, 2]);
  const y = ops.maxPool(x, { kernel: 2 });
  const [gradient] = gradients(ops.reduceSum(y), [x]);
  const program = await engine.compile({ outputs: { y, gradient: gradient as Tensor }, updates: {} });
  const { NaN: nan } = Number;
  const out = await program.run({ x: float32([nan, nan, nan, nan, 1, 3, 2, 0], [1, 2, 2, 2]) });
  assert.deepEqual([...((out.gradient?.data ?? []) as Float32Array)].slice(4), [0, 1, 0, 0]);
  assert.equal(out.y?.data[1], 3);
  assert.ok(Number.isNaN(out.y?.data[0]), `got ${out.y?.data[0]}`);
});

test("of equal elements the first takes the whole gradient of a pool", () => {
  const x = ops.input("x", [1, 1, 2, 3]);
  const graph = gradientGraph(ops.reduceSum(ops.maxPool(x, { kernel: 2 })), [x]);
  const grads = underPrefix(GRADS, interpret(graph, { x: float32([1, 5, 5, 5, 5, 0], [1, 1, 2, 3]) }).outputs);
  assert.deepEqual([...(grads.x?.data ?? [])], [0, 2, 0, 0, 0, 0]);
});

test("global pools are over all spatial axes", () => {
  const x = ops.input("x", ["batch", 2, 2, 2]);
  const graph = { outputs: { mean: ops.globalAveragePool(x), most: ops.globalMaxPool(x) }, updates: {} };
  const { mean, most } = interpret(graph, { x: float32([1, 2, 3, 6, -1, -2, -3, -4], [1, 2, 2, 2]) }).outputs;
  assert.deepEqual(
    [mean?.shape, most?.shape],
    [
      [1, 2],
      [1, 2],
    ],
  );
  assert.deepEqual([...(mean?.data ?? []), ...(most?.data ?? [])], [3, -2.5, 6, -1]);
});
