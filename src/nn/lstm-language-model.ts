/** A recurrent language model: it predicts the next token of a text from the tokens that it has read. */
import { ShapeError } from "../errors.js";
import { add, matmul, reshape } from "../graph/ops.js";
import { joined } from "../graph/shape.js";
import type { Tensor, Tensors } from "../graph/tensor.js";
import { named } from "../runtime/named.js";
import { lecunNormal, zerosInit } from "./initialisers.js";
import { embedding, embeddingParams } from "./layers.js";
import { type LstmState, layerNormLstm, layerNormLstmParams, layerNormLstmStep } from "./lstm.js";
import { droppedTraining, type Model, type ParamSpec, type StateSpec } from "./model.js";
import type { Recurrence } from "./recurrent.js";
import type { TokenReader } from "./token-reader.js";

export interface LstmLanguageModelOptions {
  /** Tokens of each text in one batch: how far gradients go back. */
  readonly sequenceLength: number;
  /** Texts in a batch. */
  readonly batchSize: number;
  /** The size of the vocabulary: how many different tokens there are. */
  readonly vocabulary: number;
  /** Width of the embedding. */
  readonly width: number;
  /** Hidden units of each layer. */
  readonly hidden: number;
  /** 2 by default. */
  readonly numLayers?: number | undefined;
  /** Whether the embedding is the weight of the output too (Press and Wolf 2017); false by default. */
  readonly isTied?: boolean | undefined;
  /** Share of the inputs of layers and output that is dropped in training (Zaremba et al. 2014); 0 by default. */
  readonly dropout?: number | undefined;
  /** Chunks of the rows that losses are computed by; 1 by default. It divides sequenceLength x batchSize. */
  readonly numChunks?: number | undefined;
}

/**
 * The language model of Anil et al. 2018, section 3.2: an embedding, layer-normalised LSTMs (Ba, Kiros and Hinton 2016)
 * one above the other, and a softmax over all tokens. `ids` int32 [sequenceLength, batch] to logits
 * [sequenceLength x batch, vocabulary], in the order of the ids; its state, `layers.<i>.hidden` and `layers.<i>.cell`
 * [batch, hidden], goes on from batch to batch.
 *
 * Params: `embedding` [vocabulary, width], `layers.<i>` of {@link layerNormLstmParams}, `output.weight`
 * [hidden, vocabulary] unless tied, and `output.bias` [vocabulary].
 *
 * Throws {@link ShapeError} when a tied embedding has another width than the last layer.
 */
export function lstmLanguageModel(options: LstmLanguageModelOptions): Model {
  const {
    sequenceLength,
    batchSize,
    vocabulary,
    width,
    hidden,
    numLayers = 2,
    isTied = false,
    dropout: rate = 0,
    numChunks = 1,
  } = options;
  if (isTied && width !== hidden) {
    throw new ShapeError(
      `lstmLanguageModel: a tied embedding is as wide as the last layer, got width ${width} and ${hidden} hidden units`,
    );
  }
  const layers = Array.from({ length: numLayers }, (_, i) => ({
    path: `layers.${i}`,
    inputs: i === 0 ? width : hidden,
  }));
  const run = (weights: Tensors, inputs: Tensors, drop: (x: Tensor, place: number) => Tensor) => {
    const embedded = drop(embedding(weights, "embedding", named(inputs, "ids")), 0);
    const { outputs, state } = through(numLayers, weights, embedded, (path, x, before, i) => {
      const after = layerNormLstm(weights, path, x, before);
      return { ...after, outputs: drop(after.outputs, i + 1) };
    });
    const rows = reshape(outputs, [joined(outputs.shape.slice(0, 2)), hidden]);
    return { logits: head(weights, rows), rows, state };
  };
  const carry = (weights: Tensors, inputs: Tensors) => run(weights, inputs, (x) => x);
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
    inputs: { ids: { shape: [sequenceLength, batchSize], dtype: "int32" } },
    batchAxis: 1,
    carry,
    ...droppedTraining(rate, run),
    head: { numChunks, logits: head },
    apply: (weights, inputs) => carry(weights, inputs).logits,
  };
}

/** The same model, which reads one token at a time. */
export function lstmReader({
  hidden,
  numLayers = 2,
}: Pick<LstmLanguageModelOptions, "hidden" | "numLayers">): TokenReader {
  const names = Array.from({ length: numLayers }, (_, i) => [`layers.${i}.hidden`, `layers.${i}.cell`]).flat();
  return {
    state: Object.fromEntries(names.map((name) => [name, [hidden]])),
    read(weights, ids, before) {
      const embedded = embedding(weights, "embedding", ids);
      const { outputs, state } = through(numLayers, { ...weights, ...before }, embedded, (path, x, own) => {
        const after = layerNormLstmStep(weights, path, x, own);
        return { outputs: after.hidden, state: after };
      });
      return { logits: head(weights, outputs), state };
    },
  };
}

/** All layers in their order: the outputs of the last one, and the state of all by its names. */
function through(
  numLayers: number,
  weights: Tensors,
  embedded: Tensor,
  layer: (path: string, x: Tensor, before: LstmState, index: number) => Recurrence<LstmState>,
) {
  const state: Record<string, Tensor> = {};
  let outputs = embedded;
  for (let i = 0; i < numLayers; i++) {
    const path = `layers.${i}`;
    const [hidden, cell] = [`${path}.hidden`, `${path}.cell`];
    const after = layer(path, outputs, { hidden: named(weights, hidden), cell: named(weights, cell) }, i);
    outputs = after.outputs;
    state[hidden] = after.state.hidden;
    state[cell] = after.state.cell;
  }
  return { outputs, state };
}

/** The logits of rows [rows, hidden]; by the embedding where the output has no weight of its own. */
function head(weights: Tensors, rows: Tensor): Tensor {
  const weight = weights["output.weight"];
  const products = weight ? matmul(rows, weight) : matmul(rows, named(weights, "embedding"), { transposeB: true });
  return add(products, named(weights, "output.bias"));
}
