/** Functions that are made of operations: their values by another way, and their gradients. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import * as ops from "../../src/graph/ops.js";
import type { Tensor } from "../../src/graph/tensor.js";
import { onnxRuntimeEngine } from "../../src/node/ort/onnxruntime.js";
import { float32, int32, type NamedArrays } from "../../src/runtime/array.js";
import { assertClose } from "../fixtures/close.js";
import { checkGradients, cotangentFor, gradientGraph, tolerances, weighted } from "./gradcheck.js";
import { interpret, type Values } from "./interpreter.js";

const engine = onnxRuntimeEngine({ threads: 1 });
after(() => engine.close());

const DATA = [1.5, -2.25, 0.125, 2.875, -0.75, 2.5];
const x = ops.input("x", ["batch", 3]);
const ids = ops.input("ids", ["batch"], "int32");
const feeds: NamedArrays = { x: float32(DATA, [2, 3]), ids: int32([2, 0]) };

/** The value in both, and the gradient by `x` where there is one. */
async function check(output: Tensor, expected: Values): Promise<void> {
  const graph = { outputs: { output }, updates: {} };
  assertClose(interpret(graph, feeds).outputs.output as Values, expected, 1e-7, "the interpreter", 1);
  assertClose(
    (await (await engine.compile(graph)).run(feeds)).output as Values,
    expected,
    tolerances.float32,
    "the engine",
    1,
  );
  if (output.dtype !== "float32" || !graphReads(output)) return;
  checkGradients(weighted(output), [x], { ...feeds, cotangent: cotangentFor(expected.shape) });
}

const graphReads = (output: Tensor): boolean => output === x || output.inputs.some(graphReads);
const rows = (f: (row: number[]) => number): Values => ({ shape: [2], data: [f(DATA.slice(0, 3)), f(DATA.slice(3))] });
const each = (f: (value: number) => number): Values => ({ shape: [2, 3], data: DATA.map(f) });
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

test("logSumExp", () =>
  check(
    ops.logSumExp(x, [1]),
    rows((row) => Math.log(sum(row.map(Math.exp)))),
  ));
test("variance", async () => {
  const variance = (row: number[]) => sum(row.map((value) => (value - sum(row) / row.length) ** 2)) / row.length;
  await check(ops.variance(x, [1]), rows(variance));
  await check(ops.variance(x), { shape: [], data: [variance(DATA)] });
});
test("square", () =>
  check(
    ops.square(x),
    each((value) => value * value),
  ));
test("silu", () =>
  check(
    ops.silu(x),
    each((value) => value / (1 + Math.exp(-value))),
  ));
test("hardSwish", () =>
  check(
    ops.hardSwish(x),
    each((value) => (value * Math.min(Math.max(value + 3, 0), 6)) / 6),
  ));
test("pick", () => check(ops.pick(x, ids), { shape: [2], data: [0.125, 2.875] }));
test("oneHot", async () => {
  await check(ops.oneHot(ids, 3), { shape: [2, 3], data: [0, 0, 1, 1, 0, 0] });
  await check(ops.oneHot(ids, 2), { shape: [2, 2], data: [0, 0, 1, 0] });
});
test("split", async () => {
  const [first, second] = ops.split(x, 1, [1, 2]) as [Tensor, Tensor];
  await check(first, { shape: [2, 1], data: [1.5, 2.875] });
  await check(second, { shape: [2, 2], data: [-2.25, 0.125, -0.75, 2.5] });
});
test("stack", async () => {
  const twice = DATA.flatMap((value) => [value, value]);
  await check(ops.stack([x, x], 2), { shape: [2, 3, 2], data: twice });
  await check(ops.stack([x, ops.neg(x)], 1), {
    shape: [2, 2, 3],
    data: [0, 3].flatMap((at) => [...DATA.slice(at, at + 3), ...DATA.slice(at, at + 3).map((value) => -value)]),
  });
});
test("causalMask", async () => {
  await check(ops.causalMask(3), { shape: [3, 3], data: [1, 0, 0, 1, 1, 0, 1, 1, 1] });
  const scores = ops.where(ops.causalMask(3), ops.reshape(x, ["batch", 1, 3]), Number.NEGATIVE_INFINITY);
  const probs = (row: number[]) =>
    [1, 2, 3].flatMap((seen) => {
      const powers = row.map((value, i) => (i < seen ? Math.exp(value) : 0));
      return powers.map((power) => power / sum(powers));
    });
  await check(ops.softmax(scores), { shape: [2, 3, 3], data: [...probs(DATA.slice(0, 3)), ...probs(DATA.slice(3))] });
});

describe("where a function bends", () => {
  const point = ops.input("point", [3]);
  const at = async (y: Tensor, values: number[]) => {
    const graph = gradientGraph(ops.reduceSum(y), [point]);
    const fed = { point: float32(values) };
    const both = [interpret(graph, fed).outputs, await (await engine.compile(graph)).run(fed)];
    return both.map((outputs) => Array.from(outputs["grads.point"]?.data ?? [], Number));
  };
  const both = (values: number[]) => [values, values];
  test("clamp passes the gradient within and at its bounds", async () => {
    assert.deepEqual(await at(ops.clamp(point, -1, 2), [-1, 2, 0]), both([1, 1, 1]));
    assert.deepEqual(await at(ops.clamp(point, -1, 2), [-1.5, 2.5, Number.NaN]), both([0, 0, 0]));
  });
  test("three that are largest take a third each", async () => {
    const third = Math.fround(1 / 3);
    const [reference, engine] = await at(ops.reduceMax(point), [4, 4, 4]);
    assert.deepEqual(
      reference?.map((value) => Math.fround(value)),
      [third, third, third],
    );
    assert.deepEqual(engine, [third, third, third]);
  });
  test("two that are equal take half each of maximum and minimum", async () => {
    assert.deepEqual(await at(ops.maximum(point, 2), [1, 2, 3]), both([0, 0.5, 1]));
    assert.deepEqual(await at(ops.minimum(2, point), [1, 2, 3]), both([1, 0.5, 0]));
  });
});

test("logSumExp neither overflows nor loses what is small", async () => {
  const program = await engine.compile({ outputs: { y: ops.logSumExp(ops.input("point", [2])) }, updates: {} });
  const of = async (...values: number[]) => (await program.run({ point: float32(values) })).y?.data[0];
  assert.equal(await of(3e38, 3e38), Math.fround(3e38));
  assert.equal(await of(-3e38, -3e38), Math.fround(-3e38));
  assert.equal(await of(Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY), Number.NEGATIVE_INFINITY);
  assert.equal(await of(Number.NEGATIVE_INFINITY, 2), 2);
  assert.equal(await of(Number.POSITIVE_INFINITY, 2), Number.POSITIVE_INFINITY);
});
