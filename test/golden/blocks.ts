/**
 * Params and batches of small networks, as data for `blocks.py` and as arrays for the tests. What the networks are, and
 * how their params are laid out, stands at the head of `blocks_torch.py` and `cells_torch.py`.
 */
import { float32, int32, type NamedArrays, type NdArray, sizeOf } from "../../src/runtime/array.js";
import { mapValues } from "../../src/runtime/named.js";
import { fold, type Key, normal, rootKey, uniform } from "../../src/runtime/random.js";

type Shapes = Readonly<Record<string, readonly number[]>>;

/** A network, and the shapes of all that it is given. */
export interface BlockCase {
  readonly params: Shapes;
  /** What goes from step to step beside the params: states, or running statistics. */
  readonly kept: Shapes;
  /** Float values of a batch. */
  readonly floats: Shapes;
  /** Ids of a batch, each less than `numIds`. */
  readonly ids: Shapes;
  readonly numIds: number;
  readonly numHeads: number;
}

/** What PyTorch says: the loss of each step before its update, and what is there after the last step; all flat. */
export interface BlockResult {
  readonly losses: readonly number[];
  readonly params: Readonly<Record<string, readonly number[]>>;
  readonly kept: Readonly<Record<string, readonly number[]>>;
}

export const NUM_STEPS = 3;
export const LEARNING_RATE = 0.05;
/** v <- MOMENTUM v + g, param <- param - LEARNING_RATE v. */
export const MOMENTUM = 0.9;

const norm = (path: string, size: number): Shapes => ({ [`${path}.gain`]: [size], [`${path}.bias`]: [size] });
const linear = (path: string, inputs: number, outputs: number): Shapes => ({
  [`${path}.weight`]: [inputs, outputs],
  [`${path}.bias`]: [outputs],
});
const statistics = (path: string, size: number): Shapes => ({ [`${path}.mean`]: [size], [`${path}.variance`]: [size] });
const layerNormLstmLayer = (path: string, inputs: number, hidden: number): Shapes => ({
  [`${path}.inputWeight`]: [inputs, 4 * hidden],
  [`${path}.recurrentWeight`]: [hidden, 4 * hidden],
  ...norm(`${path}.inputNorm`, 4 * hidden),
  ...norm(`${path}.recurrentNorm`, 4 * hidden),
  ...norm(`${path}.cellNorm`, hidden),
});
const hiddenState = (path: string): Shapes => ({ [`${path}.hidden`]: [3, 4] });
const lstmState = (path: string): Shapes => ({ ...hiddenState(path), [`${path}.cell`]: [3, 4] });
/** A recurrent layer without norms that multiplies into so many blocks of hidden columns. */
const cellLayer = (path: string, inputs: number, hidden: number, numBlocks: number): Shapes => ({
  [`${path}.inputWeight`]: [inputs, numBlocks * hidden],
  [`${path}.recurrentWeight`]: [hidden, numBlocks * hidden],
  [`${path}.bias`]: [numBlocks * hidden],
});
const none = { floats: {}, ids: {}, numIds: 0, numHeads: 0 };

/** 5 time steps, 3 examples of width 5, 2 layers of 4 units. */
const cells = (layer: (path: string, inputs: number, hidden: number) => Shapes, state = hiddenState) => ({
  ...none,
  params: { ...layer("layers.0", 5, 4), ...layer("layers.1", 4, 4) },
  kept: { ...state("layers.0"), ...state("layers.1") },
  floats: { x: [5, 3, 5], target: [5, 3, 4] },
});

export const blockCases = {
  /** 5 time steps, 3 examples, 2 layers of 4 units, embeddings of width 5, a vocabulary of 7. */
  layerNormLstm: {
    ...none,
    params: {
      embedding: [7, 5],
      ...layerNormLstmLayer("layers.0", 5, 4),
      ...layerNormLstmLayer("layers.1", 4, 4),
      ...linear("output", 4, 7),
    },
    kept: { ...lstmState("layers.0"), ...lstmState("layers.1") },
    ids: { ids: [5, 3], labels: [5, 3] },
    numIds: 7,
  },
  lstm: cells((...sizes) => cellLayer(...sizes, 4), lstmState),
  gru: cells((path, inputs, hidden) => ({
    ...cellLayer(path, inputs, hidden, 3),
    [`${path}.candidateBias`]: [hidden],
  })),
  gruResetBefore: cells((...sizes) => cellLayer(...sizes, 3)),
  elman: cells((...sizes) => cellLayer(...sizes, 1)),
  elmanRelu: cells((...sizes) => cellLayer(...sizes, 1)),
  /** 2 examples, 5 time steps, width 8, 2 heads. */
  transformer: {
    ...none,
    params: {
      ...norm("norm1", 8),
      ...linear("attention.qkv", 8, 24),
      ...linear("attention.output", 8, 8),
      ...norm("norm2", 8),
      ...linear("mlp.0", 8, 32),
      ...linear("mlp.1", 32, 8),
    },
    kept: {},
    floats: { x: [2, 5, 8], target: [2, 5, 8] },
    numHeads: 2,
  },
  /** 4 examples of 3 channels, 6 x 6. */
  residual: {
    ...none,
    params: { "conv1.weight": [3, 3, 3, 3], ...norm("norm1", 3), "conv2.weight": [3, 3, 3, 3], ...norm("norm2", 3) },
    kept: { ...statistics("norm1", 3), ...statistics("norm2", 3) },
    floats: { x: [4, 3, 6, 6], target: [4, 3, 6, 6] },
  },
  /** 4 examples of 3 channels, 6 x 6, to 5 channels, 3 x 3. */
  separable: {
    ...none,
    params: { "depthwise.weight": [3, 1, 3, 3], "pointwise.weight": [5, 3, 1, 1], ...norm("norm", 5) },
    kept: statistics("norm", 5),
    floats: { x: [4, 3, 6, 6], target: [4, 5, 3, 3] },
  },
} as const satisfies Record<string, BlockCase>;

export type BlockName = keyof typeof blockCases;

/** The params before the first step: gains about 1, all else about 0, multiples of 1/64, exact in every format. */
export function blockParams(name: BlockName): NamedArrays {
  const shapes: Shapes = blockCases[name].params;
  return mapValues(shapes, (shape, path) =>
    draws(fold(keyOf(name, "params"), path), shape, 0.5, path.endsWith(".gain") ? 1 : 0),
  );
}

/** What is kept before the first step: 0, but for variances, which are 1. */
export function blockKept(name: BlockName): NamedArrays {
  const shapes: Shapes = blockCases[name].kept;
  return mapValues(shapes, (shape, path) =>
    float32(new Float32Array(sizeOf(shape)).fill(path.endsWith(".variance") ? 1 : 0), shape),
  );
}

/** The batch of a step, 0 to NUM_STEPS - 1. */
export function blockBatch(name: BlockName, step: number): NamedArrays {
  const { floats, ids, numIds }: BlockCase = blockCases[name];
  const of = fold(keyOf(name, "batches"), step);
  return {
    ...mapValues(floats, (shape, path) => draws(fold(of, path), shape, 1, 0)),
    ...mapValues(ids, (shape, path) => {
      const words = uniform(fold(of, path), sizeOf(shape));
      return int32(
        Int32Array.from(words, (u) => Math.floor(u * numIds)),
        shape,
      );
    }),
  };
}

function keyOf(name: BlockName, what: string): Key {
  return fold(fold(rootKey(12), name), what);
}

/** Normal values about a centre, rounded to multiples of 1/64. */
function draws(of: Key, shape: readonly number[], std: number, centre: number): NdArray {
  const values = normal(of, sizeOf(shape));
  return float32(
    values.map((value) => centre + Math.round(std * value * 64) / 64),
    shape,
  );
}

/** The data that `blocks.py` reads. */
export function blockData(): object {
  const plain = (arrays: NamedArrays) => mapValues(arrays, (array) => ({ ...array, data: [...array.data] }));
  const blocks = mapValues<BlockCase, object>(blockCases, ({ numHeads }, name) => ({
    numHeads,
    params: plain(blockParams(name as BlockName)),
    kept: plain(blockKept(name as BlockName)),
    batches: Array.from({ length: NUM_STEPS }, (_, step) => plain(blockBatch(name as BlockName, step))),
  }));
  return { learningRate: LEARNING_RATE, momentum: MOMENTUM, blocks };
}
