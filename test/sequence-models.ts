/** The networks over sequences of `golden/blocks_torch.py` as models of ours. */
import { reshape } from "../src/graph/ops.js";
import type { Tensor, Tensors } from "../src/graph/tensor.js";
import { transformerBlock, transformerBlockParams } from "../src/nn/attention.js";
import { embedding, embeddingParams, linear, linearParams } from "../src/nn/layers.js";
import { layerNormLstm, layerNormLstmParams } from "../src/nn/lstm.js";
import type { Model } from "../src/nn/model.js";
import { categorical } from "../src/nn/objectives.js";
import { int32, type NamedArrays } from "../src/runtime/array.js";
import { named } from "../src/runtime/named.js";
import { type Key, uniform } from "../src/runtime/random.js";
import type { Learner } from "../src/train/graphs.js";

export interface LanguageModelSizes {
  readonly times: number;
  readonly batchSize: number;
  readonly vocabulary: number;
  /** Of the embedding. */
  readonly width: number;
  readonly hidden: number;
}

const LAYERS = ["layers.0", "layers.1"];

/** Two layer-normalised LSTMs of ids [times, batch]; labels [times x batch]. The state goes from step to step as buffers. */
export function lstmLanguageModel(sizes: LanguageModelSizes): Pick<Learner, "model" | "objective"> {
  const { times, batchSize, vocabulary, width, hidden: numUnits } = sizes;
  const numRows = times * batchSize;
  const stateOf = (path: string) => [`${path}.hidden`, `${path}.cell`] as const;
  const state = { shape: [batchSize, numUnits], fill: 0 };
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
    return { logits: linear(weights, "output", reshape(x, [numRows, numUnits])), buffers };
  };
  const model: Model = {
    params: {
      ...embeddingParams("embedding", vocabulary, width),
      ...layerNormLstmParams("layers.0", width, numUnits),
      ...layerNormLstmParams("layers.1", numUnits, numUnits),
      ...linearParams("output", numUnits, vocabulary),
    },
    buffers: Object.fromEntries(LAYERS.flatMap(stateOf).map((name) => [name, state])),
    inputs: { ids: { shape: [times, batchSize], dtype: "int32" } },
    train,
    apply: (weights, inputs) => train(weights, inputs).logits,
  };
  const objective = categorical({ numClasses: vocabulary });
  return { model, objective: { ...objective, labels: { shape: [numRows], dtype: "int32" } } };
}

/** A batch for it: ids and labels, each drawn from its own key. */
export function randomTokens(sizes: LanguageModelSizes, keyOf: (name: string) => Key): NamedArrays {
  const { times, batchSize, vocabulary } = sizes;
  const draw = (name: string, shape: readonly number[]) =>
    int32(
      Int32Array.from(uniform(keyOf(name), times * batchSize), (u) => Math.floor(u * vocabulary)),
      shape,
    );
  return { ids: draw("ids", [times, batchSize]), labels: draw("labels", [times * batchSize]) };
}

/** A block of x [batch, time, width]. */
export function transformerModel(shape: readonly number[], numHeads: number): Model {
  return {
    params: transformerBlockParams("", shape.at(-1) as number),
    inputs: { x: { shape, dtype: "float32" } },
    apply: (weights, inputs) => transformerBlock(weights, "", named(inputs, "x"), { numHeads }),
  };
}
