/** Small networks of every kind that we train, each with an optimizer and batches: what is trained on both devices. */
import { reshape } from "../../src/graph/ops.js";
import type { Tensor, Tensors } from "../../src/graph/tensor.js";
import { transformerBlock, transformerBlockParams } from "../../src/nn/attention.js";
import { squaredError } from "../../src/nn/label-losses.js";
import { embedding, embeddingParams, linear, linearParams } from "../../src/nn/layers.js";
import { binary } from "../../src/nn/losses.js";
import { layerNormLstm, layerNormLstmParams } from "../../src/nn/lstm.js";
import type { Model } from "../../src/nn/model.js";
import { categorical } from "../../src/nn/objectives.js";
import { sgd } from "../../src/optim/optimizers.js";
import { constantSchedule } from "../../src/optim/schedules.js";
import { float32, int32, type NamedArrays, sizeOf } from "../../src/runtime/array.js";
import { named } from "../../src/runtime/named.js";
import { fold, key, normal, uniform } from "../../src/runtime/random.js";
import type { Learner } from "../../src/train/graphs.js";
import { residualBlock, separableBlock } from "../convolution-blocks.js";
import { flightsLike, randomBatch } from "../flights-like.js";

/** A learner, and what it is fed in step 0, 1, ... */
export interface Lesson {
  readonly learner: Learner;
  /** How far apart two devices may be after 3 steps, relative to the largest element. */
  readonly tolerance: number;
  readonly batch: (step: number) => NamedArrays;
}

/** Adam would make whole steps of the rounding in gradients that are 0 but for it: that of a key's bias, for one. */
const MOMENTUM = sgd(constantSchedule(0.05), { momentum: 0.9 });

export const lessons: Readonly<Record<string, () => Lesson>> = {
  "an MLP over embeddings, Adam": () => ({
    learner: flightsLike(),
    tolerance: 1e-5,
    batch: (step) => randomBatch(32, step),
  }),
  "a layer-normalised LSTM, momentum": lstmLesson,
  "a transformer block, momentum": () => onTargets(transformerModel(), [2, 5, 8]),
  "a residual block with batch norm, momentum": () => onTargets(residualBlock(3, [6, 6]), [4, 3, 6, 6]),
  "a depthwise-separable block, momentum": () => onTargets(separableBlock(3, 5, [6, 6]), [4, 5, 3, 3]),
};

const [TIMES, BATCH_SIZE, VOCABULARY, WIDTH, HIDDEN] = [5, 3, 7, 5, 4];

/** Two layers over embeddings; their state goes from step to step as buffers. */
function lstmLesson(): Lesson {
  const layers = ["layers.0", "layers.1"];
  const stateOf = (path: string) => [`${path}.hidden`, `${path}.cell`] as const;
  const train = (weights: Tensors, inputs: Tensors) => {
    const buffers: Record<string, Tensor> = {};
    let x = embedding(weights, "embedding", named(inputs, "ids"));
    for (const path of layers) {
      const [hidden, cell] = stateOf(path);
      const after = layerNormLstm(weights, path, x, { hidden: named(weights, hidden), cell: named(weights, cell) });
      x = after.outputs;
      buffers[hidden] = after.state.hidden;
      buffers[cell] = after.state.cell;
    }
    return { logits: linear(weights, "output", reshape(x, [TIMES * BATCH_SIZE, HIDDEN])), buffers };
  };
  const state = { shape: [BATCH_SIZE, HIDDEN], fill: 0 };
  const model: Model = {
    params: {
      ...embeddingParams("embedding", VOCABULARY, WIDTH),
      ...layerNormLstmParams("layers.0", WIDTH, HIDDEN),
      ...layerNormLstmParams("layers.1", HIDDEN, HIDDEN),
      ...linearParams("output", HIDDEN, VOCABULARY),
    },
    buffers: Object.fromEntries(layers.flatMap(stateOf).map((name) => [name, state])),
    inputs: { ids: { shape: [TIMES, BATCH_SIZE], dtype: "int32" } },
    train,
    apply: (weights, inputs) => train(weights, inputs).logits,
  };
  const numRows = TIMES * BATCH_SIZE;
  const ids = (name: string, step: number) =>
    Int32Array.from(uniform(fold(fold(key(3), name), step), numRows), (u) => Math.floor(u * VOCABULARY));
  return {
    learner: {
      model,
      objective: { ...categorical({ numClasses: VOCABULARY }), labels: { shape: [numRows], dtype: "int32" } },
      optimizer: MOMENTUM,
    },
    // Norms over 4 units magnify rounding: after these steps each device is 1 to 2e-5 from double precision.
    tolerance: 5e-5,
    batch: (step) => ({ ids: int32(ids("ids", step), [TIMES, BATCH_SIZE]), labels: int32(ids("labels", step)) }),
  };
}

/** 2 examples of 5 times, width 8, 2 heads. */
function transformerModel(): Model {
  return {
    params: transformerBlockParams("", 8),
    inputs: { x: { shape: [2, 5, 8], dtype: "float32" } },
    apply: (weights, inputs) => transformerBlock(weights, "", named(inputs, "x"), { numHeads: 2 }),
  };
}

/** A network of `x` that learns random targets of this shape by mean square. */
function onTargets(model: Model, targetShape: readonly number[]): Lesson {
  const [numExamples = 1, ...target] = targetShape;
  const [leading = "batch", ...rest] = named(model.inputs, "x").shape;
  const inputShape = [numExamples, ...(rest as number[])];
  const draw = (name: string, step: number, shape: readonly number[]) =>
    float32(normal(fold(fold(key(4), name), step), sizeOf(shape)), shape);
  return {
    learner: {
      model,
      objective: { ...binary, labels: { shape: [leading, ...target], dtype: "float32" }, labelLoss: squaredError },
      optimizer: MOMENTUM,
    },
    tolerance: 1e-5,
    batch: (step) => ({ x: draw("x", step, inputShape), labels: draw("labels", step, targetShape) }),
  };
}
