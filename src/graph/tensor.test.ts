import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ShapeError } from "../errors.js";
import { float32 } from "../runtime/array.js";
import { formatGraph, inputsOf, rootsOf } from "./graph.js";
import { add, constant, input, lookup, matmul, mul, reduceSum, relu } from "./ops.js";
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
  const words = input("words", ["batch"], "string");
  const logits = matmul(relu(x), weight);
  const graph = {
    outputs: { total: reduceSum(add(logits, 0.5), [0], true), ids: lookup(words, ["a", "b"]) },
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
words: string[batch] = input()
%8: int32[batch] = lookup(words, 2 keys)
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

test("inputs are found by name; two that share a name are refused, one that is used twice is not", () => {
  const x = input("x", [2]);
  assert.deepEqual([...inputsOf({ outputs: { y: add(x, x) }, updates: { x: mul(x, 2) } }).keys()], ["x"]);
  const clash = { outputs: { y: add(x, input("x", [2])) }, updates: {} };
  assert.throws(
    () => inputsOf(clash),
    (error) => {
      assert.ok(error instanceof ShapeError);
      assert.match(error.message, /two inputs are named "x"; give each its own name/);
      return true;
    },
  );
});

test('"batch" may only lead', () => {
  assert.throws(() => node("neg", [], {}, [2, "batch"], "float32"), ShapeError);
  assert.equal(formatShape(node("neg", [], {}, ["batch", 2], "float32").shape), "[batch, 2]");
  assert.ok(isOp(input("x", []), "input"));
});
