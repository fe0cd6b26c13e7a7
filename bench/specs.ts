/** What is measured: full training steps of these networks, on both sides from the same definitions and sizes. */
import { convProducts, linearProducts, type Product } from "./products.js";

export interface Spec {
  /** Network, sizes, loss and optimizer in a line. */
  readonly description: string;
  /** Measured steps of one process; those before them are not counted. */
  readonly numSteps: number;
  /** Tokens of text in a step, of language models. */
  readonly tokens?: number;
  /** The matrix products and convolutions of one step, in the formulation that is fastest in ONNX Runtime. */
  readonly products: readonly Product[];
}

const range = (length: number) => [...Array(length).keys()];

/** Products of a multilayer perceptron; with `isXData` nothing is trained below its first layer. */
function mlpProducts(rows: number, widths: readonly number[], isXData: boolean): Product[] {
  return widths.slice(1).flatMap((outputs, i) => linearProducts(rows, widths[i] ?? 0, outputs, isXData && i === 0));
}

/** Products of recurrent steps: forward and by the state one time after the other, by the weight all time steps at once. */
function recurrentProducts(numTimes: number, batchSize: number, hidden: number, weight: string): Product[] {
  const gates = 4 * hidden;
  const matmul = (product: Omit<Product & { kind: "matmul" }, "kind">): Product => ({ kind: "matmul", ...product });
  return [
    ...range(numTimes).map(() => matmul({ a: [batchSize, hidden], b: [hidden, gates], weight })),
    ...range(numTimes).map(() => matmul({ a: [batchSize, gates], b: [hidden, gates], transposeB: true, weight })),
    matmul({ a: [numTimes * batchSize, hidden], b: [numTimes * batchSize, gates], transposeA: true }),
  ];
}

/** Products of attention: scores, weighted sum, and what each of them gives back to its two operands. */
function attentionProducts(batch: number, length: number, width: number): Product[] {
  const [square, tall] = [[length, length] as const, [length, width] as const];
  return [
    { kind: "matmul", batch, a: tall, b: tall, transposeB: true },
    { kind: "matmul", batch, a: square, b: tall },
    { kind: "matmul", batch, a: tall, b: tall, transposeB: true },
    { kind: "matmul", batch, a: square, b: tall, transposeA: true },
    { kind: "matmul", batch, a: square, b: tall },
    { kind: "matmul", batch, a: square, b: tall, transposeA: true },
  ];
}

export const specs = {
  click: {
    description: "MLP 1000-2560-1024-256-1 on dense floats, ReLU, sigmoid cross-entropy, Adam at 1e-3, batch 256",
    numSteps: 40,
    products: mlpProducts(256, [1000, 2560, 1024, 256, 1], true),
  },
  flights: {
    description:
      "embeddings of 300/300/48/7/4000 ids to 16/16/8/4/16 beside a number, 128-64-1, sigmoid cross-entropy, Adam at 1e-3, batch 2,048",
    numSteps: 300,
    products: mlpProducts(2048, [61, 128, 64, 1], false),
  },
  lstm: {
    description:
      "LayerNorm-LSTM language model 2 x 512, embedding 256, vocabulary 8,192, 32 time steps, softmax cross-entropy, Adam at 1e-3, batch 32",
    numSteps: 10,
    tokens: 32 * 32,
    products: [
      ...linearProducts(32 * 32, 256, 2048),
      ...recurrentProducts(32, 32, 512, "recurrent 0"),
      ...linearProducts(32 * 32, 512, 2048),
      ...recurrentProducts(32, 32, 512, "recurrent 1"),
      ...linearProducts(32 * 32, 512, 8192),
    ],
  },
  transformer: {
    description:
      "one pre-norm block, width 256, 4 heads, 128 time steps, causal, exact GELU, MLP 4x, mean square to a target, no gradient by x, Adam at 1e-3, batch 16",
    numSteps: 40,
    products: [
      ...linearProducts(16 * 128, 256, 768),
      ...attentionProducts(16 * 4, 128, 64),
      ...linearProducts(16 * 128, 256, 256),
      ...linearProducts(16 * 128, 256, 1024),
      ...linearProducts(16 * 128, 1024, 256),
    ],
  },
  llama: {
    description:
      "transformer language model of 4 blocks, RMS norms, SwiGLU of 688, rotary positions, width 256, 4 heads, vocabulary 4,096 tied, 128 time steps, softmax cross-entropy, Adam at 1e-3, batch 8",
    numSteps: 10,
    tokens: 8 * 128,
    products: [
      ...range(4).flatMap(() => [
        ...linearProducts(8 * 128, 256, 768),
        ...attentionProducts(8 * 4, 128, 64),
        ...linearProducts(8 * 128, 256, 256),
        ...linearProducts(8 * 128, 256, 688),
        ...linearProducts(8 * 128, 256, 688),
        ...linearProducts(8 * 128, 688, 256),
      ]),
      ...linearProducts(8 * 128, 256, 4096),
    ],
  },
  residual64: {
    description:
      "residual block of two 3 x 3 convolutions with batch norm, 64 channels, 32 x 32, mean square to a target, no gradient by x, SGD at 1e-3 with momentum 0.9, batch 64",
    numSteps: 10,
    products: [...convProducts([64, 64, 32, 32], true), ...convProducts([64, 64, 32, 32])],
  },
  residual128: {
    description: "the same with 128 channels, 16 x 16",
    numSteps: 10,
    products: [...convProducts([64, 128, 16, 16], true), ...convProducts([64, 128, 16, 16])],
  },
} as const satisfies Record<string, Spec>;

export type WorkloadName = keyof typeof specs;

export const workloadNames = Object.keys(specs) as WorkloadName[];

/** Whether there is a workload of this name. */
export function isWorkload(name: string): name is WorkloadName {
  return Object.hasOwn(specs, name);
}
