import { cast, gather, hash, mul, reduceSum, reshape, stack, sub } from "../graph/ops.js";
import { joined } from "../graph/shape.js";
import type { Tensor, Tensors } from "../graph/tensor.js";
import { named } from "../runtime/named.js";
import { normalInit, onesInit } from "./initialisers.js";
import type { ParamSpec } from "./model.js";

export interface HashedEmbeddingOptions {
  /** Rows of the table, however many ids there are. */
  readonly numRows: number;
  readonly width: number;
  /** Hash functions, and so rows for each id; 2 by default. Ids that share one row seldom share the others. */
  readonly numHashes?: number | undefined;
  /**
   * What the rows of an id are multiplied by before they are added up: 1 ("sum"), 1 or -1 by a further hash for each
   * ("signs", the default), or weights that are trained ("weights").
   */
  readonly combine?: "sum" | "signs" | "weights" | undefined;
  /** Rows of the trained weights, to which ids are hashed too; numRows by default. */
  readonly numWeights?: number | undefined;
  /** Number of the first hash function; layers with numbers of their own hash independently. 0 by default. */
  readonly stream?: number | undefined;
}

/**
 * Params of a hashed embedding: `table` [numRows, width], normal with standard deviation 0.05, and with trained weights
 * `weights` [numWeights, numHashes], which begin as 1.
 */
export function hashedEmbeddingParams(path: string, options: HashedEmbeddingOptions): Record<string, ParamSpec> {
  const { numRows, width, numHashes, combine, numWeights } = withDefaults(options);
  return {
    [`${path}.table`]: { shape: [numRows, width], init: normalInit(0.05) },
    ...(combine === "weights" && { [`${path}.weights`]: { shape: [numWeights, numHashes], init: onesInit } }),
  };
}

/**
 * int32 ids [...] of any size to vectors [..., width] from a table of a fixed size: sum_i s_i(id) table[h_i(id)].
 *
 * With weights s these are hash embeddings (Svenstrup, Hansen and Winther 2017, section 2), with random signs feature
 * hashing (Weinberger et al. 2009, definition 1), whose collisions cancel out on average. h_i is {@link hash} with a
 * stream of its own, so that an exported model hashes by itself, in standard operations.
 */
export function hashedEmbedding(params: Tensors, path: string, ids: Tensor, options: HashedEmbeddingOptions): Tensor {
  const { numRows, width, numHashes, combine, numWeights, stream } = withDefaults(options);
  const flat = reshape(ids, [joined(ids.shape)]);
  const hashes = (numBuckets: number, from: number) =>
    stack(
      Array.from({ length: numHashes }, (_, i) => hash(flat, numBuckets, stream + from + i)),
      1,
    );
  const rows = gather(named(params, `${path}.table`), hashes(numRows, 0));
  const factors = {
    sum: () => undefined,
    signs: () => sub(1, mul(2, cast(hashes(2, numHashes), "float32"))),
    weights: () => gather(named(params, `${path}.weights`), hash(flat, numWeights, stream + numHashes)),
  }[combine]();
  const scaled = factors ? mul(rows, reshape(factors, [...factors.shape, 1])) : rows;
  return reshape(reduceSum(scaled, [1]), [...ids.shape, width]);
}

/** Options with all defaults filled in. */
type InFull<T> = { readonly [K in keyof T]-?: Exclude<T[K], undefined> };

function withDefaults(options: HashedEmbeddingOptions): InFull<HashedEmbeddingOptions> {
  const { numHashes = 2, combine = "signs", stream = 0, numWeights = options.numRows } = options;
  return { ...options, numHashes, combine, stream, numWeights };
}
