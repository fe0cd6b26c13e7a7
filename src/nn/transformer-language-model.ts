/** A decoder-only transformer: it predicts the next token of a text from the tokens before it in its sequence. */
import { ShapeError } from "../errors.js";
import {
  add,
  causalMask,
  constant,
  div,
  equal,
  floor,
  gelu,
  greater,
  matmul,
  mul,
  not,
  reshape,
  silu,
  split,
  sub,
  transpose,
  where,
} from "../graph/ops.js";
import { joined } from "../graph/shape.js";
import type { Axis, Tensor, Tensors } from "../graph/tensor.js";
import { float32 } from "../runtime/array.js";
import { named } from "../runtime/named.js";
import { attended, headsOf } from "./attention.js";
import { normalInit, zerosInit } from "./initialisers.js";
import { embedding } from "./layers.js";
import { type Drop, droppedTraining, type Model, type ParamSpec } from "./model.js";
import { layerNormAt, normParams, rmsNormAt, rmsNormParams } from "./norm.js";
import { type Turn, turned, turnsAt, turnsOf } from "./rotary.js";
import type { TokenReader } from "./token-reader.js";

export interface TransformerLanguageModelOptions {
  /** Tokens of a sequence: how far back attention sees. */
  readonly sequenceLength: number;
  /** Sequences of a batch. */
  readonly batchSize: number;
  /** The size of the vocabulary: how many different tokens there are. */
  readonly vocabulary: number;
  readonly width: number;
  readonly numHeads: number;
  readonly numLayers: number;
  /**
   * "gpt": layer norms, GELU and biases, as GPT-2; "llama" (default): RMS norms, SwiGLU and no biases. Both have rotary
   * positions.
   */
  readonly style?: "gpt" | "llama" | undefined;
  /** Whether the embedding is the weight of the output too; true by default. */
  readonly isTied?: boolean | undefined;
  /** Share of the embedding and of the output of each part of a block that is dropped in training; 0 by default. */
  readonly dropout?: number | undefined;
  /** Chunks of the rows that losses are computed by; 1 by default. It divides sequenceLength x batchSize. */
  readonly numChunks?: number | undefined;
}

/**
 * The standard deviation of initial weights, as in GPT-2; of weights that write to the residual path it is divided by
 * sqrt(2 layers).
 */
const INITIAL_STD = 0.02;

/**
 * `ids` int32 [batch, sequenceLength] to logits [batch x sequenceLength, vocabulary], in the order of the ids. Pre-norm
 * blocks
 *
 *     y = x + attention(norm(x)),  z = y + mlp(norm(y)),
 *
 * causal attention with rotary positions, a last norm, and the output.
 *
 * Params: `embedding` [vocabulary, width]; of each block `blocks.<i>.norm1`, `attention.qkv` [width, 3 width],
 * `attention.output`, `norm2`, and `mlp.up` and `mlp.down` (with `mlp.gate` of "llama"); `norm`; `output.weight` unless
 * tied.
 *
 * Throws {@link ShapeError} when the width does not divide into heads of an even depth.
 */
export function transformerLanguageModel(options: TransformerLanguageModelOptions): Model {
  const { sequenceLength, batchSize, width, numHeads, dropout: rate = 0, numChunks = 1 } = options;
  const depth = depthOf(options);
  const turns = turnsOf(sequenceLength, depth);
  const mask = causalMask(sequenceLength);
  const run = (weights: Tensors, inputs: Tensors, drop: Drop) => {
    const ids = named(inputs, "ids");
    const x = drop(embedding(weights, "embedding", ids), 0);
    const attend = (path: string, rows: Tensor) => {
      const [query, key, value] = headsOf(affine(weights, `${path}.qkv`, rows), numHeads, depth);
      const seen = transpose(attended([turned(query, turns), turned(key, turns), value], mask), [0, 2, 1, 3]);
      return affine(weights, `${path}.output`, reshape(seen, x.shape));
    };
    const last = throughBlocks(options, weights, x, attend, drop);
    const rows = reshape(last, [joined(ids.shape), width]);
    return { logits: head(weights, rows), rows, state: {} };
  };
  const carry = (weights: Tensors, inputs: Tensors) => run(weights, inputs, (x) => x);
  return {
    params: paramsOf(options),
    inputs: { ids: { shape: [batchSize, sequenceLength], dtype: "int32" } },
    carry,
    ...droppedTraining(rate, run),
    head: { numChunks, logits: head },
    apply: (weights, inputs) => carry(weights, inputs).logits,
  };
}

/**
 * The same model, which reads one token at a time. The state is the position and, for each block, the keys and values
 * of the last `sequenceLength` tokens, each in the place position modulo `sequenceLength`. For up to `sequenceLength`
 * tokens its logits are those of the model for one sequence; in a longer text attention sees the last `sequenceLength`
 * tokens.
 */
export function transformerReader(options: TransformerLanguageModelOptions): TokenReader {
  const { sequenceLength, width, numHeads, numLayers } = options;
  const depth = depthOf(options);
  const cache = [numHeads, sequenceLength, depth];
  const names = Array.from({ length: numLayers }, (_, i) => [`blocks.${i}.keys`, `blocks.${i}.values`]).flat();
  const places = constant(float32(Array.from({ length: sequenceLength }, (_, place) => place)));
  return {
    state: { position: [1], ...Object.fromEntries(names.map((name) => [name, cache])) },
    read(weights, ids, before) {
      const position = named(before, "position");
      const turn = turnsAt(position, depth);
      const own = sub(position, mul(sequenceLength, floor(div(position, sequenceLength))));
      const [batch] = ids.shape as [Axis];
      const at = (condition: Tensor) => reshape(condition, [batch, 1, sequenceLength, 1]);
      const isOwn = at(equal(places, own));
      const isSeen = reshape(not(greater(places, position)), [batch, 1, 1, sequenceLength]);
      const state: Record<string, Tensor> = { position: add(position, 1) };
      const x = embedding(weights, "embedding", ids);
      const last = throughBlocks(options, weights, x, (path, rows) => {
        const block = path.slice(0, -".attention".length);
        const heads = reshape(affine(weights, `${path}.qkv`, rows), [batch, 3 * numHeads, 1, depth]);
        const [query, key, value] = split(heads, 1, [numHeads, numHeads, numHeads]) as [Tensor, Tensor, Tensor];
        const each: Turn = {
          cos: reshape(turn.cos, [batch, 1, 1, depth / 2]),
          sin: reshape(turn.sin, [batch, 1, 1, depth / 2]),
        };
        const keys = where(isOwn, turned(key, each), named(before, `${block}.keys`));
        const values = where(isOwn, value, named(before, `${block}.values`));
        state[`${block}.keys`] = keys;
        state[`${block}.values`] = values;
        const seen = attended([turned(query, each), keys, values], isSeen);
        return affine(weights, `${path}.output`, reshape(seen, [batch, width]));
      });
      return { logits: head(weights, last), state };
    },
  };
}

/** The blocks and the last norm, of embedded tokens [..., width], with the given attention. */
function throughBlocks(
  { numLayers, style = "llama" }: TransformerLanguageModelOptions,
  weights: Tensors,
  embedded: Tensor,
  attention: (path: string, rows: Tensor) => Tensor,
  drop: Drop = (part) => part,
): Tensor {
  const norm = style === "gpt" ? layerNormAt : rmsNormAt;
  let x = embedded;
  for (let i = 0; i < numLayers; i++) {
    const path = `blocks.${i}`;
    const y = add(x, drop(attention(`${path}.attention`, norm(weights, `${path}.norm1`, x)), 2 * i + 1));
    x = add(y, drop(mlp(style, weights, `${path}.mlp`, norm(weights, `${path}.norm2`, y)), 2 * i + 2));
  }
  return norm(weights, "norm", x);
}

/** The logits of rows [rows, width]; by the embedding where the output has no weight of its own. */
function head(weights: Tensors, rows: Tensor): Tensor {
  const weight = weights["output.weight"];
  return weight ? matmul(rows, weight) : matmul(rows, named(weights, "embedding"), { transposeB: true });
}

/** "gpt": down(gelu(up(x))); "llama": down(silu(gate(x)) up(x)) (Shazeer 2020). */
function mlp(style: "gpt" | "llama", weights: Tensors, path: string, x: Tensor): Tensor {
  const up = affine(weights, `${path}.up`, x);
  const inner = style === "gpt" ? gelu(up) : mul(silu(affine(weights, `${path}.gate`, x)), up);
  return affine(weights, `${path}.down`, inner);
}

/** x W, and + b where there is one. */
function affine(weights: Tensors, path: string, x: Tensor): Tensor {
  const bias = weights[`${path}.bias`];
  const products = matmul(x, named(weights, `${path}.weight`));
  return bias ? add(products, bias) : products;
}

function depthOf({ width, numHeads }: TransformerLanguageModelOptions): number {
  const depth = width / numHeads;
  if (Number.isInteger(depth) && depth % 2 === 0) return depth;
  throw new ShapeError(
    `transformerLanguageModel: the width must divide into heads of an even depth, got width ${width} and ${numHeads} heads`,
  );
}

/** The width inside of an MLP: 4 times the width, or 8/3 with a gate, which has as many weights, in multiples of 8. */
function innerWidth(width: number, style: "gpt" | "llama"): number {
  return style === "gpt" ? 4 * width : 8 * Math.ceil(width / 3);
}

function paramsOf({ vocabulary, width, numLayers, style = "llama", isTied = true }: TransformerLanguageModelOptions) {
  const normed = style === "gpt" ? normParams : rmsNormParams;
  const linear = (path: string, inputs: number, outputs: number, std = INITIAL_STD): Record<string, ParamSpec> => ({
    [`${path}.weight`]: { shape: [inputs, outputs], init: normalInit(std) },
    ...(style === "gpt" && { [`${path}.bias`]: { shape: [outputs], init: zerosInit } }),
  });
  const inner = innerWidth(width, style);
  const residual = INITIAL_STD / Math.sqrt(2 * numLayers);
  const block = (path: string) => ({
    ...normed(`${path}.norm1`, width),
    ...linear(`${path}.attention.qkv`, width, 3 * width),
    ...linear(`${path}.attention.output`, width, width, residual),
    ...normed(`${path}.norm2`, width),
    ...(style === "llama" && linear(`${path}.mlp.gate`, width, inner)),
    ...linear(`${path}.mlp.up`, width, inner),
    ...linear(`${path}.mlp.down`, inner, width, residual),
  });
  const blocks: Record<string, ParamSpec>[] = Array.from({ length: numLayers }, (_, i) => block(`blocks.${i}`));
  return {
    embedding: { shape: [vocabulary, width], init: normalInit(INITIAL_STD) },
    ...(Object.assign({}, ...blocks) as Record<string, ParamSpec>),
    ...normed("norm", width),
    ...(isTied ? {} : { "output.weight": { shape: [width, vocabulary], init: normalInit(INITIAL_STD) } }),
  };
}
