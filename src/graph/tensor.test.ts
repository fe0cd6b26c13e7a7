import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { interpret } from "../../test/numerics/interpreter.js";
import { ShapeError } from "../errors.js";
import { float32 } from "../runtime/array.js";
import { formatGraph, inputsOf, rootsOf } from "./graph.js";
import { toOnnx } from "./onnx.js";
import { sumOverSteps } from "./ops/scan.js";
import { add, constant, hash, input, matmul, mul, reduceSum, relu } from "./ops.js";
import { interned } from "./passes/walk.js";
import { formatShape, isOp, node, type Tensor, topologicalOrder } from "./tensor.js";

test("every tensor comes after its inputs, once, in the same order for the same graph", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(), fc.nat()), { minLength: 1, maxLength: 30 }), (choices) => {
      const tensors: Tensor[] = [input("x", [])];
      const pick = (choice: number) => tensors[choice % tensors.length] as Tensor;
      for (const [first, second] of choices) tensors.push(add(pick(first), pick(second)));
      const roots = [tensors.at(-1) as Tensor, tensors[0] as Tensor, tensors.at(-1) as Tensor];
      const order = topologicalOrder(roots);
      assert.equal(new Set(order).size, order.length);
      for (const root of roots) assert.ok(order.includes(root));
      for (const [i, tensor] of order.entries()) {
        for (const operand of tensor.inputs) assert.ok(order.indexOf(operand) < i && order.includes(operand));
      }
      assert.deepEqual(topologicalOrder(roots), order);
    }),
  );
});

test("operands are visited from left to right, and a chain may be longer than the call stack is deep", () => {
  const [x, y] = [input("x", []), input("y", [])];
  const sum = add(mul(x, y), x);
  assert.deepEqual(
    topologicalOrder([sum]).map(({ op }) => op),
    ["input", "input", "mul", "add"],
  );
  let chain: Tensor = x;
  for (let i = 0; i < 50_000; i++) chain = relu(chain);
  assert.equal(topologicalOrder([chain]).length, 50_001);
});

test("a graph prints as one line for each tensor, then what it returns and keeps", () => {
  const x = input("x", ["batch", 2]);
  const weight = input("weight", [2, 1]);
  const words = input("words", ["batch"], "int32");
  const logits = matmul(relu(x), weight);
  const graph = {
    outputs: { total: reduceSum(add(logits, 0.5), [0], true), ids: hash(words, 2) },
    updates: { weight: mul(weight, constant(float32([1, -2.5], [2, 1]))) },
  };
  assert.equal(
    formatGraph(graph),
    `
x: float32[batch, 2] = input()
%1: float32[batch, 2] = relu(x)
weight: float32[2, 1] = input()
%3: float32[batch, 1] = matmul(%1, weight, transposeA=false, transposeB=false, scale=1)
%4: float32[] = constant(0.5)
%5: float32[batch, 1] = add(%3, %4)
%6: float32[1, 1] = reduceSum(%5, axes=[0], keepDims=true)
words: int32[batch] = input()
%8: int32[batch] = hash(words, numBuckets=2, stream=0)
%9: float32[2, 1] = constant(1, -2.5)
%10: float32[2, 1] = mul(weight, %9)
return total = %6
return ids = %8
update weight = %10`.trim(),
  );
  assert.deepEqual(rootsOf(graph).length, 3);
});

test("long constants print their first elements", () => {
  const text = formatGraph({ outputs: { c: constant(float32([1, 2, 3, 4, 5])) }, updates: {} });
  assert.equal(text, "%0: float32[5] = constant(1, 2, 3, 4, ...)\nreturn c = %0");
});

test("inputs of one name, shape and dtype are one; of another shape or dtype they are refused", () => {
  const x = input("x", [2]);
  const twice = { outputs: { y: add(x, input("x", [2])) }, updates: { x: mul(x, 2) } };
  assert.deepEqual([...inputsOf(twice)], [["x", x]]);
  assert.deepEqual(toOnnx(twice), toOnnx({ outputs: { y: add(x, x) }, updates: { x: mul(x, 2) } }));
  for (const [other, shown] of [
    [input("x", [3]), /two inputs are named "x", float32\[2\] and float32\[3\]; give each its own name/],
    [input("x", [2], "int32"), /two inputs are named "x", float32\[2\] and int32\[2\]/],
  ] as const) {
    const clash = { outputs: { x2: x, y: other }, updates: {} };
    for (const read of [inputsOf, toOnnx, interned]) {
      assert.throws(
        () => read(clash),
        (error) => error instanceof ShapeError && shown.test(error.message),
      );
    }
  }
});

test("the inputs of a loop's step are themselves alone", () => {
  const sequence = input("s", [3, 2]);
  const inner = (outer: Tensor) =>
    sumOverSteps([sequence], ([element]) => ({ terms: { all: mul(element as Tensor, outer) }, outputs: [] })).sums.all;
  const { sums } = sumOverSteps([sequence], ([element]) => ({
    terms: { all: inner(element as Tensor) as Tensor },
    outputs: [],
  }));
  const feeds = { s: float32([1, 2, 3, 4, 5, 6], [3, 2]) };
  // sum_i sum_j s_i s_j = (sum_i s_i)^2
  assert.deepEqual(
    [...(interpret({ outputs: { all: sums.all as Tensor }, updates: {} }, feeds).outputs.all?.data ?? [])],
    [81, 144],
  );
});

test('"batch" may only lead', () => {
  assert.throws(() => node("neg", [], {}, [2, "batch"], "float32"), ShapeError);
  assert.equal(formatShape(node("neg", [], {}, ["batch", 2], "float32").shape), "[batch, 2]");
  assert.ok(isOp(input("x", []), "input"));
});
