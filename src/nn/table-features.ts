/** The rows of a table as vectors: embeddings of names and numbers side by side, for the networks of tables. */
import { concat, constant, div, reshape, sub } from "../graph/ops.js";
import type { Axis, Tensor, Tensors } from "../graph/tensor.js";
import { float32 } from "../runtime/array.js";
import { named } from "../runtime/named.js";
import { type HashedEmbeddingOptions, hashedEmbedding, hashedEmbeddingParams } from "./hashed-embedding.js";
import { embedding, embeddingParams } from "./layers.js";
import type { InputSpec, Model } from "./model.js";
import { type NumericEmbedding, numericEmbedding, type SpreadNumber, whereFinite } from "./numeric-embedding.js";

export interface CategoricalFeature {
  /** How many ids there are, 0 for unknown included. */
  readonly numIds: number;
  /** Width of their embedding. */
  readonly width: number;
  /** The rows of a hashed embedding's table, however many ids there are; left out, the embedding is not hashed. */
  readonly hashedRows?: number | undefined;
}

/** Mean and standard deviation of a numeric feature, and its quantiles where numbers are embedded. */
export interface NumericFeature extends SpreadNumber {
  readonly mean: number;
  readonly std: number;
}

export interface TableFeaturesOptions {
  readonly categorical: Readonly<Record<string, CategoricalFeature>>;
  readonly numeric: Readonly<Record<string, NumericFeature>>;
  /** The name of the one input with all numeric features, float32 [batch, features], if they are not one input each. */
  readonly numbers?: string | undefined;
  /** How numeric features become vectors; left out, each is one standardised number, (x - mean) / std. */
  readonly numericEmbedding?: NumericEmbedding | undefined;
}

/** The first part of a network: params, inputs, and the vector that it makes of each row. */
export interface TableFeatures extends Pick<Model, "params" | "inputs"> {
  readonly width: number;
  /** float32 [batch, width]. */
  readonly rows: (params: Tensors, inputs: Tensors) => Tensor;
}

/**
 * Embeddings of the names and vectors of the numbers, side by side.
 *
 * Reads `features.<name>`, int32 ids [batch] or float32 values [batch]; numeric features from one input instead where
 * `numbers` names it. A number that is missing (NaN) or infinite counts as the mean, or as the median where numbers are
 * embedded.
 */
export function tableFeatures(options: TableFeaturesOptions): TableFeatures {
  const { categorical, numeric, numbers: oneArray } = options;
  const ids = Object.entries(categorical);
  const numbers = Object.entries(numeric);
  const embedded =
    options.numericEmbedding && numbers.length > 0 ? numericEmbedding(options.numericEmbedding, numeric) : undefined;
  // Features hash independently: each has two hash functions, and two more for the signs.
  const hashedOf = (i: number): HashedEmbeddingOptions | undefined => {
    const { hashedRows, width = 0 } = ids[i]?.[1] ?? {};
    return hashedRows === undefined ? undefined : { numRows: hashedRows, width, stream: 4 * i };
  };
  const vector = (dtype: InputSpec["dtype"]): InputSpec => ({ shape: ["batch"], dtype });
  const ofAll = (of: (moments: NumericFeature) => number) => constant(float32(numbers.map(([, one]) => of(one))));
  const columnOf = (x: Tensor) => reshape(x, [x.shape[0] as Axis, 1]);
  const columns = (inputs: Tensors) => numbers.map(([name]) => columnOf(named(inputs, `features.${name}`)));

  function vectorsOfNumbers(params: Tensors, inputs: Tensors): Tensor[] {
    if (embedded) {
      const all = oneArray === undefined ? concat(columns(inputs), 1) : named(inputs, oneArray);
      return [embedded.rows(params, all)];
    }
    if (oneArray === undefined) {
      return numbers.map(([name, { mean, std }]) =>
        columnOf(standardise(named(inputs, `features.${name}`), mean, std)),
      );
    }
    const [means, stds] = [ofAll(({ mean }) => mean), ofAll(({ std }) => std)];
    return [standardise(named(inputs, oneArray), means, stds)];
  }

  return {
    width: ids.reduce((sum, [, { width }]) => sum + width, embedded?.width ?? numbers.length),
    params: Object.assign(
      {},
      ...ids.map(([name, { numIds, width }], i) => {
        const path = `embeddings.${name}`;
        const hashed = hashedOf(i);
        return hashed ? hashedEmbeddingParams(path, hashed) : embeddingParams(path, numIds, width);
      }),
      embedded?.params,
    ),
    inputs: Object.fromEntries([
      ...ids.map(([name]) => [`features.${name}`, vector("int32")]),
      ...(oneArray === undefined
        ? numbers.map(([name]) => [`features.${name}`, vector("float32")])
        : [[oneArray, { shape: ["batch", numbers.length], dtype: "float32" }]]),
    ]),
    rows(params, inputs) {
      const vectors = ids.map(([name], i) => {
        const [path, of] = [`embeddings.${name}`, named(inputs, `features.${name}`)];
        const hashed = hashedOf(i);
        return hashed ? hashedEmbedding(params, path, of, hashed) : embedding(params, path, of);
      });
      return concat([...vectors, ...vectorsOfNumbers(params, inputs)], 1);
    },
  };
}

/** (x - mean) / std; a value that is missing (NaN) or infinite becomes 0, the mean. */
function standardise(x: Tensor, mean: number | Tensor, std: number | Tensor): Tensor {
  return whereFinite(x, div(sub(x, mean), std));
}
