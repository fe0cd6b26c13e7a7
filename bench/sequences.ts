/** The LSTM language model and the transformer block of `specs.ts` as learners of ours. */
import { reshape } from "../src/graph/ops.js";
import type { Tensor, Tensors } from "../src/graph/tensor.js";
import { transformerBlock, transformerBlockParams } from "../src/nn/attention.js";
import { embedding, embeddingParams, linear, linearParams } from "../src/nn/layers.js";
import { layerNormLstm, layerNormLstmParams } from "../src/nn/lstm.js";
import type { Model } from "../src/nn/model.js";
import { categorical } from "../src/nn/objectives.js";
import { int32 } from "../src/runtime/array.js";
import { named } from "../src/runtime/named.js";
import { fold, key, uniform } from "../src/runtime/random.js";
import { onTargets, type Task } from "./targets.js";

const [TIMES, BATCH_SIZE, VOCABULARY, WIDTH, HIDDEN] = [32, 32, 8192, 256, 512];
const LAYERS = ["layers.0", "layers.1"];

/** Its state goes from step to step as buffers. */
export function lstmLanguageModel(): Task {
  const stateOf = (path: string) => [`${path}.hidden`, `${path}.cell`] as const;
  const state = { shape: [BATCH_SIZE, HIDDEN], fill: 0 };
  const train = (weights: Tensors, inputs: Tensors) => {
    const buffers: Record<string, Tensor> = {};
    let x = embedding(weights, "embedding", named(inputs, "ids"));
    for (const path of LAYERS) {
      const [hidden, cell] = stateOf(path);
      const after = layerNormLstm(weights, path, x, { hidden: named(weights, hidden), cell: named(weights, cell) });
      x = after.outputs;
      buffers[hidden] = after.state.hidden;
      buffers[cell] = after.state.cell;
    }
    return { logits: linear(weights, "output", reshape(x, [TIMES * BATCH_SIZE, HIDDEN])), buffers };
  };
  const model: Model = {
    params: {
      ...embeddingParams("embedding", VOCABULARY, WIDTH),
      ...layerNormLstmParams("layers.0", WIDTH, HIDDEN),
      ...layerNormLstmParams("layers.1", HIDDEN, HIDDEN),
      ...linearParams("output", HIDDEN, VOCABULARY),
    },
    buffers: Object.fromEntries(LAYERS.flatMap(stateOf).map((name) => [name, state])),
    inputs: { ids: { shape: [TIMES, BATCH_SIZE], dtype: "int32" } },
    train,
    apply: (weights, inputs) => train(weights, inputs).logits,
  };
  const rows = TIMES * BATCH_SIZE;
  const draw = (name: string) => Int32Array.from(uniform(fold(key(1), name), rows), (u) => Math.floor(u * VOCABULARY));
  return {
    model,
    objective: { ...categorical({ numClasses: VOCABULARY }), labels: { shape: [rows], dtype: "int32" } },
    batch: { ids: int32(draw("ids"), [TIMES, BATCH_SIZE]), labels: int32(draw("labels"), [rows]) },
  };
}

export function transformerOnTargets(): Task {
  const shape = [16, 128, 256];
  const model: Model = {
    params: transformerBlockParams("", 256),
    inputs: { x: { shape, dtype: "float32" } },
    apply: (weights, inputs) => transformerBlock(weights, "", named(inputs, "x"), { numHeads: 4 }),
  };
  return onTargets(model, shape);
}
