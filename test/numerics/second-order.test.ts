/** The gradient of a gradient: that of the squared norm of the gradient of a small network. */
import { after, describe, test } from "node:test";
import { gradients } from "../../src/graph/grad.js";
import * as ops from "../../src/graph/ops.js";
import type { Tensor } from "../../src/graph/tensor.js";
import { onnxRuntimeEngine } from "../../src/node/ort/onnxruntime.js";
import type { NdArray } from "../../src/runtime/array.js";
import { fold, rootKey } from "../../src/runtime/random.js";
import { assertAllClose } from "../fixtures/close.js";
import { anyIds, type Operand, real } from "../suites/op-case.js";
import { checkGradients, gradientGraph, tolerances } from "./gradcheck.js";
import { interpret } from "./interpreter.js";

const engine = onnxRuntimeEngine({ threads: 1 });
after(() => engine.close());

const operands: Readonly<Record<string, Operand>> = {
  x: real(["batch", 3]),
  first: real([3, 4], -1, 1),
  gain: real([4], 0.5, 1.5),
  bias: real([4], -1, 1),
  second: real([4, 3], -1, 1),
  labels: anyIds(["batch"], 3),
};
const inputs = Object.fromEntries(
  Object.entries(operands).map(([name, { shape, dtype }]) => [name, ops.input(name, shape, dtype)]),
) as Record<keyof typeof operands, Tensor<"input">>;
const feeds: Record<string, NdArray> = Object.fromEntries(
  Object.entries(operands).map(([name, { values }]) => [name, values(fold(rootKey(3), name), 5)]),
);
const { x, first, gain, bias, second, labels } = inputs as Record<string, Tensor<"input">> & { x: Tensor };
const params = [first, gain, bias, second] as Tensor<"input">[];

const normalised = (h: Tensor) => ops.layerNorm(h, gain as Tensor, bias as Tensor, 0.1).normalised;
const linear = (h: Tensor, weight: Tensor | undefined) => ops.matmul(h, weight as Tensor);
const hidden: Readonly<Record<string, (h: Tensor) => Tensor>> = {
  "tanh and layer normalisation": (h) => normalised(ops.tanh(h)),
  "layer normalisation and exact GELU": (h) => ops.gelu(normalised(h)),
  "layer normalisation and QuickGELU": (h) => ops.quickGelu(normalised(h)),
  "layer normalisation and erf": (h) => ops.erf(normalised(h)),
  "layer normalisation and sin": (h) => ops.sin(normalised(h)),
};
const losses: Readonly<Record<string, (logits: Tensor) => Tensor>> = {
  "the log probability of the label": (z) => ops.neg(ops.reduceMean(ops.logSoftmaxAt(z, labels as Tensor).at)),
  "softmax squared": (z) => ops.reduceMean(ops.square(ops.softmax(z))),
  "logSoftmax picked": (z) => ops.neg(ops.reduceMean(ops.pick(ops.logSoftmax(z), labels as Tensor))),
  "the sum of the two largest, squared": (z) => ops.reduceMean(ops.square(ops.topK(ops.tanh(z), 2).values)),
};

describe("the gradient of the squared norm of the gradient is that of central differences, in the engine too", () => {
  for (const [layer, activation] of Object.entries(hidden)) {
    for (const [name, loss] of Object.entries(losses)) {
      test(`${layer}; ${name}`, async () => {
        const total = loss(linear(activation(linear(x, first)), second));
        const squaredNorm = gradients(total, params)
          .map((gradient) => ops.reduceSum(ops.square(gradient)))
          .reduce(ops.add);
        checkGradients(squaredNorm, params, feeds);
        const graph = gradientGraph(squaredNorm, params);
        const actual = await (await engine.compile(graph)).run(feeds);
        assertAllClose(actual, interpret(graph, feeds).outputs, 10 * tolerances.float32, "second gradients", 0.1);
      });
    }
  }
});
