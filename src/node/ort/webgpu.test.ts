import assert from "node:assert/strict";
import { test } from "node:test";
import { toOnnx } from "../../graph/onnx.js";
import { add, cos, input, maxPool, scan, sin } from "../../graph/ops.js";
import { part, type Tensor } from "../../graph/tensor.js";
import { webGpuProvider } from "./webgpu.js";

const x = input("x", [2, 3, 4, 4]);
const providerOf = (outputs: Readonly<Record<string, Tensor>>) => webGpuProvider(toOnnx({ outputs, updates: {} }));

test("the provider computes in the layout of our graphs, and is told of no node that it can compute", () => {
  assert.deepEqual(providerOf({ y: maxPool(add(x, 1), { kernel: 2 }) }), { name: "webgpu", preferredLayout: "NCHW" });
});

test("sines and positions of maxima are left to the CPU, each node by its name", () => {
  const pooled = maxPool(x, { kernel: 2 });
  const { forceCpuNodeNames: names = [] } = providerOf({ y: pooled, at: part(pooled, 1), s: sin(x), c: cos(x) });
  assert.deepEqual(
    names.map((name) => name.replace(/%\d+$/, "")),
    ["MaxPool", "Sin", "Cos"],
  );
  assert.equal(new Set(names).size, 3);
});

test("so are those in the graphs that other nodes run", () => {
  const looped = scan({
    states: [input("s", [2])],
    sequences: [input("x", [5, 2])],
    body: ([state], [element]) => ({ states: [sin(add(state as Tensor, element as Tensor))], outputs: [] }),
  });
  const guarded = { outputs: {}, updates: { x: sin(x) }, when: input("when", [], "bool") };
  assert.match(String(providerOf({ y: looped.states[0] as Tensor }).forceCpuNodeNames), /^Sin%\d+$/);
  assert.match(String(webGpuProvider(toOnnx(guarded)).forceCpuNodeNames), /^Sin%\d+$/);
});
