/** Hashed embeddings, as data for `embeddings.py` and as cases for the tests. */
import { hash, input } from "../../src/graph/ops.js";
import type { Tensor } from "../../src/graph/tensor.js";
import { type HashedEmbeddingOptions, hashedEmbeddingParams } from "../../src/nn/hashed-embedding.js";
import { int32, type NamedArrays } from "../../src/runtime/array.js";
import { mapValues } from "../../src/runtime/named.js";
import { cotangentFor } from "../numerics/gradcheck.js";
import { interpret } from "../numerics/interpreter.js";

/** What PyTorch says: the vectors of the ids, and the gradients by params; all flat. */
export interface EmbeddingResult {
  readonly output: readonly number[];
  readonly gradients: Readonly<Record<string, readonly number[]>>;
}

/** Some of them more than once, and many more than there are rows. */
export const ids = int32([7, 0, 123456789, 7, -1, 42, 2 ** 31 - 1, 0, 99, 100], [5, 2]);

const shape = { numRows: 6, width: 3 };

export const embeddingCases: Readonly<Record<string, HashedEmbeddingOptions>> = {
  "one hash function without signs": { ...shape, numHashes: 1, combine: "sum" },
  "the sum of three rows": { ...shape, numHashes: 3, combine: "sum", stream: 5 },
  "two rows with signs": shape,
  "two rows with weights": { ...shape, combine: "weights" },
  "three rows with weights of their own number": {
    ...shape,
    numHashes: 3,
    combine: "weights",
    numWeights: 4,
    stream: 9,
  },
};

/** The params of a case: multiples of 1/64. */
export function embeddingParams(options: HashedEmbeddingOptions): NamedArrays {
  return mapValues(hashedEmbeddingParams("e", options), (spec, name) => cotangentFor(spec.shape, name.length));
}

/** What the output is multiplied by before it is summed. */
export const embeddingCotangent = cotangentFor([...ids.shape, shape.width]);

/** The data that `embeddings.py` reads: the rows and factors of each id by the interpreter's hash functions. */
export function embeddingData(): object {
  return mapValues(embeddingCases, (options) => {
    const { numRows, width, numHashes = 2, combine = "signs", numWeights = numRows, stream = 0 } = options;
    const each = <T>(of: (i: number) => T) => Array.from({ length: numHashes }, (_, i) => of(i));
    const hashed = (numBuckets: number, at: number) =>
      numbersOf(hash(input("ids", ids.shape, "int32"), numBuckets, stream + at));
    const params = embeddingParams(options);
    return {
      table: [...(params["e.table"]?.data ?? [])],
      width,
      rows: each((i) => hashed(numRows, i)),
      ...(combine === "signs" && { signs: each((i) => hashed(2, numHashes + i).map((bit) => 1 - 2 * bit)) }),
      ...(combine === "weights" && {
        weights: [...(params["e.weights"]?.data ?? [])],
        weightRows: hashed(numWeights, numHashes),
      }),
      cotangent: [...embeddingCotangent.data],
    };
  });
}

function numbersOf(output: Tensor): number[] {
  return [...(interpret({ outputs: { output }, updates: {} }, { ids }).outputs.output?.data ?? [])];
}
