import assert from "node:assert/strict";
import { test } from "node:test";
import { COTANGENT, checkGradients, cotangentFor, weighted } from "../../test/numerics/gradcheck.js";
import { interpret } from "../../test/numerics/interpreter.js";
import { ShapeError } from "../errors.js";
import { input } from "../graph/ops.js";
import type { Tensor } from "../graph/tensor.js";
import { float32 } from "../runtime/array.js";
import { fold, normal, rootKey } from "../runtime/random.js";
import { convolution, convolutionParams } from "./conv.js";
import { initWeights, inputTensors, train, weightTensors } from "./model.js";
import { batchNormBuffers, batchNormModel, groupNorm, normParams } from "./norm.js";

const draws = (name: string, shape: readonly number[]) =>
  float32(
    normal(
      fold(rootKey(3), name),
      shape.reduce((size, axis) => size * axis, 1),
    ),
    shape,
  );

test("group normalisation takes mean and variance out of each group of each example", () => {
  const [x, gain, bias] = [draws("x", [2, 4, 3]), float32([1, 2, 3, 4]), float32([0.5, 0, 0, -1])];
  const params = { "norm.gain": input("gain", [4]), "norm.bias": input("bias", [4]) };
  const y = groupNorm(params, "norm", input("x", ["batch", 4, 3]), 2);
  assert.deepEqual(y.shape, ["batch", 4, 3]);
  const { data = [] } = interpret({ outputs: { y }, updates: {} }, { x, gain, bias }).outputs.y ?? {};
  for (const [example, group] of [0, 1].flatMap((n) => [0, 1].map((g) => [n, g] as const))) {
    const start = example * 12 + group * 6;
    const values = [...x.data.slice(start, start + 6)];
    const mean = values.reduce((sum, value) => sum + value, 0) / 6;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 6;
    values.forEach((value, i) => {
      const channel = group * 2 + Math.floor(i / 3);
      const normed = (value - mean) / Math.sqrt(variance + 1e-5);
      const expected = normed * (gain.data[channel] ?? 0) + (bias.data[channel] ?? 0);
      assert.ok(Math.abs((data[start + i] ?? Number.NaN) - expected) < 1e-6);
    });
  }
});

test("group normalisation has the gradient of central differences, for a known batch and for images too", () => {
  const x = input("x", [2, 4, 2, 2]);
  const params = { "norm.gain": input("gain", [4]), "norm.bias": input("bias", [4]) };
  const feeds = { x: draws("x", [2, 4, 2, 2]), gain: draws("gain", [4]), bias: draws("bias", [4]) };
  const y = weighted(groupNorm(params, "norm", x, 4));
  checkGradients(y, [x, ...Object.values(params)], { ...feeds, [COTANGENT]: cotangentFor([2, 4, 2, 2]) });
});

test("group normalisation needs groups of equal size", () => {
  const params = { "norm.gain": input("gain", [3]), "norm.bias": input("bias", [3]) };
  assert.throws(() => groupNorm(params, "norm", input("x", ["batch", 3, 4]), 2), {
    name: ShapeError.name,
    message: /^groupNorm: channels must divide into the groups, got 3 channels and 2 groups/,
  });
});

test("params of norms and convolutions have the shapes and the values to begin with", () => {
  const params = {
    ...convolutionParams("plain", { inputs: 4, outputs: 6, kernel: [3, 2] }),
    ...convolutionParams("grouped", { inputs: 4, outputs: 6, kernel: [5], groups: 2, hasBias: false }),
    ...normParams("norm", 3),
  };
  const drawn = initWeights({ params, inputs: {}, apply: (weights) => weights["norm.gain"] as Tensor }, rootKey(1));
  const shapes = Object.fromEntries(Object.entries(drawn).map(([name, { shape }]) => [name, shape]));
  assert.deepEqual(shapes, {
    "plain.weight": [6, 4, 3, 2],
    "plain.bias": [6],
    "grouped.weight": [6, 2, 5],
    "norm.gain": [3],
    "norm.bias": [3],
  });
  const values = (name: string) => [...((drawn[name]?.data ?? []) as Float32Array)];
  assert.deepEqual(
    [values("plain.bias"), values("norm.gain"), values("norm.bias")],
    [
      [0, 0, 0, 0, 0, 0],
      [1, 1, 1],
      [0, 0, 0],
    ],
  );
});

test("a convolution layer adds its bias to each channel", () => {
  const params = { "c.weight": input("w", [2, 1, 1]), "c.bias": input("b", [2]) };
  const y = convolution(params, "c", input("x", ["batch", 1, 2]));
  const feeds = { w: float32([1, -1], [2, 1, 1]), b: float32([10, 20]), x: float32([1, 2], [1, 1, 2]) };
  assert.deepEqual([...(interpret({ outputs: { y }, updates: {} }, feeds).outputs.y?.data ?? [])], [11, 12, 19, 18]);
});

const normed = (paths: readonly string[]) =>
  batchNormModel({
    params: normParams("norm", 2),
    buffers: batchNormBuffers("norm", 2),
    inputs: { x: { shape: ["batch", 2], dtype: "float32" } },
    logits: (_, { x }, norm) => paths.reduce((y, path) => norm(path, y), x as Tensor),
  });

test("running statistics of a batch of one value stay finite", () => {
  const model = normed(["norm"]);
  const { buffers } = train(model, weightTensors(model, "w"), inputTensors(model));
  const feeds = {
    "w.norm.gain": float32([1, 1]),
    "w.norm.bias": float32([0, 0]),
    "w.norm.mean": float32([1, 1]),
    "w.norm.variance": float32([4, 4]),
    x: float32([11, 1], [1, 2]),
  };
  const { outputs } = interpret({ outputs: buffers, updates: {} }, feeds);
  const rounded = Object.values(outputs).map(({ data }) => [...data].map((value) => Math.round(value * 1e6) / 1e6));
  assert.deepEqual(rounded, [
    [2, 1],
    [3.6, 3.6],
  ]);
});

test("a batch norm keeps the statistics of one place, so it is used once", () => {
  const model = normed(["norm", "norm"]);
  assert.throws(
    () => train(model, weightTensors(model, "w"), inputTensors(model)),
    /the batch norm "norm" is used twice/,
  );
});
