/** The residual block of `specs.ts` as a step of ours: mean square to a target, SGD with momentum. */
import { gradients } from "../src/graph/grad.js";
import type { Graph } from "../src/graph/graph.js";
import { add, greater, input, mul, reduceMean, reduceSum, sub } from "../src/graph/ops.js";
import type { Tensor, Tensors } from "../src/graph/tensor.js";
import {
  bufferTensors,
  countParams,
  initWeights,
  inputTensors,
  type Model,
  paramTensors,
  train,
} from "../src/nn/model.js";
import { float32, type NamedArrays, sizeOf, zeros } from "../src/runtime/array.js";
import { mapValues, named, withPrefix } from "../src/runtime/named.js";
import { fold, key, normal } from "../src/runtime/random.js";
import { kept, keptWeights } from "../src/train/graphs.js";
import { residualBlock } from "../test/convolution-blocks.js";
import type { Workload } from "./workloads.js";

const [LEARNING_RATE, MOMENTUM, BATCH_SIZE] = [1e-3, 0.9, 64];
const VELOCITY = "velocity";

/** With so many channels, on images of such a height and width. */
export function residualWorkload(channels: number, size: number): Workload {
  const model = residualBlock(channels, [size, size]);
  const shape = [BATCH_SIZE, channels, size, size];
  const draw = (name: string) => float32(normal(fold(key(1), name), sizeOf(shape)), shape);
  const batch = { x: draw("x"), target: draw("target") };
  const velocity = mapValues(model.params, (param): NamedArrays[string] => zeros(param.shape));
  return {
    graph: residualStep(model, shape),
    state: { ...keptWeights(model, initWeights(model, key(1))), ...withPrefix(VELOCITY, velocity) },
    feeds: () => batch,
    describe: () => `${countParams(model).toLocaleString("en-US")} params`,
  };
}

function residualStep(model: Model, shape: readonly number[]): Graph {
  const params = paramTensors(model, kept.params);
  const weights = { ...params, ...bufferTensors(model, kept.buffers) };
  const { logits, buffers } = train(model, weights, inputTensors(model));
  const error = sub(logits, input("target", ["batch", ...shape.slice(1)]));
  const loss = reduceMean(mul(error, error));
  const grads = gradients(loss, Object.values(params));
  const squaredNorm = grads.map((grad) => reduceSum(mul(grad, grad))).reduce(add);
  const velocity: Tensors = Object.fromEntries(
    Object.entries(params).map(([name, { shape }], i) => [
      name,
      add(mul(input(`${VELOCITY}.${name}`, shape), MOMENTUM), grads[i] as Tensor),
    ]),
  );
  const moved = mapValues(params, (param, name) => sub(param, mul(named(velocity, name), LEARNING_RATE)));
  return {
    outputs: { loss, squaredNorm },
    updates: {
      ...withPrefix(kept.params, moved),
      ...withPrefix(VELOCITY, velocity),
      ...withPrefix(kept.buffers, buffers),
    },
    // So that all gradients are there before a param is written.
    when: greater(1, sub(squaredNorm, squaredNorm)),
  };
}
