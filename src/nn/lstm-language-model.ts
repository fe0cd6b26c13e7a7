/** A recurrent language model: what comes next in a text, from what it has read of it. */
import { ShapeError } from "../errors.js";
import { add, matmul, reshape } from "../graph/ops.js";
import type { Tensor, Tensors } from "../graph/tensor.js";
import { named } from "../runtime/named.js";
import { lecunNormal, zerosInit } from "./initialisers.js";
import { embedding, embeddingParams } from "./layers.js";
import { layerNormLstm, layerNormLstmParams } from "./lstm.js";
import type { Model, ParamSpec, StateSpec } from "./model.js";

export interface LstmLanguageModelOptions {
  /** Units of each text in one batch: how far gradients go back. */
  readonly times: number;
  /** Texts side by side. */
  readonly batchSize: number;
  /** Different units. */
  readonly vocabulary: number;
  /** Width of the embedding. */
  readonly width: number;
  /** Hidden units of each layer. */
  readonly hidden: number;
  /** 2 by default. */
  readonly numLayers?: number;
  /** Whether the embedding is the weight of the output too (Press and Wolf 2017); false by default. */
  readonly isTied?: boolean;
}

/**
 * The language model of Anil et al. 2018, section 3.2: an embedding, layer-normalised LSTMs (Ba, Kiros and Hinton 2016) one
 * above the other, and a softmax over all units. `ids` int32 [times, batch] to logits [times x batch, vocabulary], in the
 * order of the ids; its state, `layers.<i>.hidden` and `layers.<i>.cell` [batch, hidden], goes on from batch to batch.
 *
 * Params: `embedding` [vocabulary, width], `layers.<i>` of {@link layerNormLstmParams}, `output.weight` [hidden, vocabulary]
 * unless tied, and `output.bias` [vocabulary].
 *
 * Throws {@link ShapeError} when a tied embedding has another width than the last layer.
 */
export function lstmLanguageModel(options: LstmLanguageModelOptions): Model {
  const { times, batchSize, vocabulary, width, hidden, numLayers = 2, isTied = false } = options;
  if (isTied && width !== hidden) {
    throw new ShapeError(
      `lstmLanguageModel: a tied embedding is as wide as the last layer, got width ${width} and ${hidden} hidden units`,
    );
  }
  const layers = Array.from({ length: numLayers }, (_, i) => ({
    path: `layers.${i}`,
    inputs: i === 0 ? width : hidden,
  }));
  const carry = (weights: Tensors, inputs: Tensors) => {
    const state: Record<string, Tensor> = {};
    let x = embedding(weights, "embedding", named(inputs, "ids"));
    for (const { path } of layers) {
      const before = { hidden: named(weights, `${path}.hidden`), cell: named(weights, `${path}.cell`) };
      const { outputs, state: after } = layerNormLstm(weights, path, x, before);
      x = outputs;
      state[`${path}.hidden`] = after.hidden;
      state[`${path}.cell`] = after.cell;
    }
    const rows = reshape(x, [times * batchSize, hidden]);
    const products = isTied
      ? matmul(rows, named(weights, "embedding"), { transposeB: true })
      : matmul(rows, named(weights, "output.weight"));
    return { logits: add(products, named(weights, "output.bias")), state };
  };
  const params: Record<string, ParamSpec> = {
    ...embeddingParams("embedding", vocabulary, width),
    ...Object.assign({}, ...layers.map(({ path, inputs }) => layerNormLstmParams(path, inputs, hidden))),
    ...(isTied ? {} : { "output.weight": { shape: [hidden, vocabulary], init: lecunNormal } }),
    "output.bias": { shape: [vocabulary], init: zerosInit },
  };
  const parts = layers.flatMap(({ path }) => [`${path}.hidden`, `${path}.cell`]);
  return {
    params,
    state: Object.fromEntries(
      parts.map((name): [string, StateSpec] => [name, { shape: [batchSize, hidden], fill: 0 }]),
    ),
    inputs: { ids: { shape: [times, batchSize], dtype: "int32" } },
    carry,
    apply: (weights, inputs) => carry(weights, inputs).logits,
  };
}
