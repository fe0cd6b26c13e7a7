import assert from "node:assert/strict";
import { test } from "node:test";
import { checkGradients, gradientGraph } from "../../test/numerics/gradcheck.js";
import { interpret } from "../../test/numerics/interpreter.js";
import { ShapeError } from "../errors.js";
import { float32, int32 } from "../runtime/array.js";
import { gradients, isDifferentiable } from "./grad.js";
import {
  add,
  cast,
  exp,
  gather,
  greater,
  input,
  matmul,
  mul,
  reduceMean,
  reduceSum,
  relu,
  sigmoid,
  stopGradient,
  sub,
  where,
} from "./ops.js";
import { type Tensor, topologicalOrder } from "./tensor.js";

const x = input("x", [2]);
const y = input("y", [2]);

const refuses = (call: () => unknown, message: RegExp) =>
  assert.throws(call, (error) => {
    assert.ok(error instanceof ShapeError, String(error));
    assert.match(error.message, message);
    return true;
  });

const gradOf = (loss: Tensor, at: Readonly<Record<string, number[]>>) => {
  const feeds = Object.fromEntries(Object.entries(at).map(([name, data]) => [name, float32(data)]));
  return [...(interpret(gradientGraph(loss, [x]), feeds).outputs["grads.x"]?.data ?? [])];
};

test("an input that is made twice has the gradient of both", () => {
  assert.deepEqual(gradOf(reduceSum(mul(x, input("x", [2]))), { x: [3, -5] }), [6, -10]);
  assert.deepEqual(gradOf(reduceSum(exp(input("x", [2]))), { x: [0, 0] }), [1, 1]);
});

test("the loss must be a float32 scalar", () => {
  refuses(() => gradients(mul(x, 2), [x]), /the loss must be a float32 scalar, got float32\[2\]/);
  refuses(() => gradients(reduceSum(x, [0], true), [x]), /must be a float32 scalar, got float32\[1\]/);
  refuses(() => gradients(greater(reduceSum(x), 0), [x]), /must be a float32 scalar, got bool\[\]/);
});

test("a tensor that the loss does not depend on is named", () => {
  refuses(() => gradients(reduceSum(x), [x, y]), /the loss does not depend on y; leave it out, or use it in the model/);
  refuses(() => gradients(reduceSum(x), [mul(x, 2)]), /does not depend on mul/);
});

test("a tensor that the loss depends on only through what has no gradient is named too", () => {
  refuses(() => gradients(reduceSum(stopGradient(x)), [x]), /does not depend on x/);
  refuses(() => gradients(reduceSum(cast(greater(x, 0), "float32")), [x]), /does not depend on x/);
  const indices = input("indices", [3], "int32");
  refuses(() => gradients(reduceSum(gather(x, indices)), [indices]), /does not depend on indices/);
});

test("nothing flows through stopGradient, and everything beside it", () => {
  assert.deepEqual(gradOf(reduceSum(mul(x, stopGradient(x))), { x: [3, -5] }), [3, -5]);
  assert.deepEqual(gradOf(reduceSum(add(mul(x, 2), stopGradient(exp(x)))), { x: [3, -5] }), [2, 2]);
});

test("a condition passes no gradient to what it was made from", () => {
  const loss = reduceSum(where(greater(x, y), x, 7));
  assert.deepEqual(gradOf(loss, { x: [3, -5], y: [0, 0] }), [1, 0]);
});

test("uses of one tensor add up", () => {
  assert.deepEqual(gradOf(reduceSum(add(x, x)), { x: [1, 2] }), [2, 2]);
  assert.deepEqual(gradOf(reduceSum(mul(mul(x, x), x)), { x: [1, 2] }), [3, 12]);
  assert.deepEqual(gradOf(reduceSum(sub(x, x)), { x: [1, 2] }), [0, 0]);
  const shared = sigmoid(mul(x, y));
  const loss = reduceMean(add(mul(shared, shared), exp(shared)));
  checkGradients(loss, [x, y], { x: float32([0.5, -1]), y: float32([2, 0.25]) });
});

test("a shared subexpression is walked once", () => {
  let doubled: Tensor = x;
  for (let i = 0; i < 40; i++) doubled = add(doubled, doubled);
  const [gradient] = gradients(reduceSum(doubled), [x]);
  assert.ok(topologicalOrder([gradient as Tensor]).length < 200);
  assert.deepEqual(gradOf(reduceSum(doubled), { x: [1, 2] }), [2 ** 40, 2 ** 40]);
});

test("the loss itself, and tensors inside the graph, may be asked for", () => {
  const hidden = relu(x);
  const loss = reduceSum(mul(hidden, 3));
  const [byLoss, byHidden, byInput] = gradients(loss, [loss, hidden, x]);
  const graph = { outputs: { a: byLoss as Tensor, b: byHidden as Tensor, c: byInput as Tensor }, updates: {} };
  const { a, b, c } = interpret(graph, { x: float32([2, -2]) }).outputs;
  assert.deepEqual(
    [a, b, c].map((array) => [...(array?.data ?? [])]),
    [[1], [3, 3], [3, 0]],
  );
});

test("each gradient has the shape and dtype of what it is by", () => {
  const batch = input("batch", ["batch", 3]);
  const table = input("table", [5, 3]);
  const bias = input("bias", [1, 3]);
  const weight = input("weight", [3, 2]);
  const ids = input("ids", ["batch"], "int32");
  const loss = reduceMean(matmul(add(add(batch, bias), gather(table, ids)), weight));
  const wrt = [batch, table, bias, weight];
  for (const [i, gradient] of gradients(loss, wrt).entries()) {
    assert.deepEqual(gradient.shape, wrt[i]?.shape);
    assert.equal(gradient.dtype, "float32");
  }
  checkGradients(loss, wrt, {
    batch: float32([1, 2, 3, 4, 5, 6], [2, 3]),
    table: float32(Array(15).fill(0.5), [5, 3]),
    bias: float32([1, 0, -1], [1, 3]),
    weight: float32([1, -1, 2, 0, 3, 1], [3, 2]),
    ids: int32([4, 4]),
  });
});

test("operations without a gradient say so", () => {
  assert.ok(isDifferentiable("matmul"));
  assert.ok(!isDifferentiable("hash"));
});
