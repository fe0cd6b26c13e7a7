import { concat, constant, div, greater, relu, reshape, sub, where } from "../graph/ops.js";
import type { Tensor } from "../graph/tensor.js";
import { named } from "../runtime/named.js";
import { type HashedEmbeddingOptions, hashedEmbedding, hashedEmbeddingParams } from "./hashed-embedding.js";
import { embedding, embeddingParams, linear, linearParams } from "./layers.js";
import type { InputSpec, Model } from "./model.js";

export interface CategoricalFeature {
  /** How many ids there are, 0 for unknown included. */
  readonly numIds: number;
  /** Width of their embedding. */
  readonly width: number;
  /** The rows of a hashed embedding's table, however many ids there are; left out, the embedding is not hashed. */
  readonly hashedRows?: number | undefined;
}

export interface MlpOptions {
  readonly categorical: Readonly<Record<string, CategoricalFeature>>;
  /** Numeric features, standardised as (x - mean) / std. */
  readonly numeric: Readonly<Record<string, { readonly mean: number; readonly std: number }>>;
  /** The name of the one input with all numeric features, float32 [batch, features], if they are not one input each. */
  readonly numbers?: string | undefined;
  /** Widths of the hidden layers, each followed by ReLU. */
  readonly hidden: readonly number[];
  /** Logits of an example: 1 by default, and then they are [batch], else [batch, outputs]. */
  readonly numOutputs?: number | undefined;
}

/**
 * Embeddings and standardised numbers, side by side, into a multilayer perceptron with logits [batch] or [batch, outputs]:
 * the click network of Anil et al. 2018 at any size.
 *
 * Reads `features.<name>`, int32 ids [batch] or float32 values [batch]; numeric features from one input instead where
 * `numbers` names it.
 */
export function mlp({ categorical, numeric, numbers: oneArray, hidden, numOutputs = 1 }: MlpOptions): Model {
  const ids = Object.entries(categorical);
  const numbers = Object.entries(numeric);
  const inputWidth = ids.reduce((sum, [, { width }]) => sum + width, numbers.length);
  const widths = [inputWidth, ...hidden, numOutputs];
  const layers = widths.slice(1).map((outputs, i) => ({ path: `layers.${i}`, inputs: widths[i] ?? 0, outputs }));
  // Features hash independently: each has two hash functions, and two more for the signs.
  const hashedOf = (i: number): HashedEmbeddingOptions | undefined => {
    const { hashedRows, width = 0 } = ids[i]?.[1] ?? {};
    return hashedRows === undefined ? undefined : { numRows: hashedRows, width, stream: 4 * i };
  };
  const vector = (dtype: InputSpec["dtype"]): InputSpec => ({ shape: ["batch"], dtype });
  const ofAll = (of: (moments: MlpOptions["numeric"][string]) => number): Tensor =>
    constant({ dtype: "float32", shape: [numbers.length], data: Float32Array.from(numbers, ([, one]) => of(one)) });
  return {
    params: Object.assign(
      {},
      ...ids.map(([name, { numIds, width }], i) => {
        const path = `embeddings.${name}`;
        const hashed = hashedOf(i);
        return hashed ? hashedEmbeddingParams(path, hashed) : embeddingParams(path, numIds, width);
      }),
      ...layers.map(({ path, inputs, outputs }) => linearParams(path, inputs, outputs)),
    ),
    inputs: Object.fromEntries([
      ...ids.map(([name]) => [`features.${name}`, vector("int32")]),
      ...(oneArray === undefined
        ? numbers.map(([name]) => [`features.${name}`, vector("float32")])
        : [[oneArray, { shape: ["batch", numbers.length], dtype: "float32" }]]),
    ]),
    apply(params, inputs) {
      const features: Tensor[] = [
        ...ids.map(([name], i) => {
          const [path, of] = [`embeddings.${name}`, named(inputs, `features.${name}`)];
          const hashed = hashedOf(i);
          return hashed ? hashedEmbedding(params, path, of, hashed) : embedding(params, path, of);
        }),
        ...(oneArray === undefined
          ? numbers.map(([name, { mean, std }]) =>
              reshape(standardise(named(inputs, `features.${name}`), mean, std), ["batch", 1]),
            )
          : [
              standardise(
                named(inputs, oneArray),
                ofAll(({ mean }) => mean),
                ofAll(({ std }) => std),
              ),
            ]),
      ];
      let x = concat(features, 1);
      layers.forEach(({ path }, i) => {
        x = linear(params, path, i === 0 ? x : relu(x));
      });
      return numOutputs === 1 ? reshape(x, ["batch"]) : x;
    },
  };
}

/** (x - mean) / std; a value that is missing (NaN) or infinite becomes 0, the mean. */
function standardise(x: Tensor, mean: number | Tensor, std: number | Tensor): Tensor {
  const isAbove = greater(x, Number.NEGATIVE_INFINITY);
  const isBelow = greater(Number.POSITIVE_INFINITY, x);
  return where(isAbove, where(isBelow, div(sub(x, mean), std), 0), 0);
}
