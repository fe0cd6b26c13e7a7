/** Small learners of every kind of network that we train, each with its batches. */
import { relu, reshape } from "../src/graph/ops.js";
import { squaredError } from "../src/nn/label-losses.js";
import { linear, linearParams } from "../src/nn/layers.js";
import { binary } from "../src/nn/losses.js";
import type { Model } from "../src/nn/model.js";
import { adam, sgd } from "../src/optim/optimizers.js";
import { constantSchedule } from "../src/optim/schedules.js";
import { float32, type NamedArrays, sizeOf } from "../src/runtime/array.js";
import { named } from "../src/runtime/named.js";
import { fold, normal, rootKey } from "../src/runtime/random.js";
import type { Learner } from "../src/train/graphs.js";
import { residualBlock, separableBlock } from "./convolution-blocks.js";
import { flightsLike, randomBatch } from "./flights-like.js";
import { languageModel, randomTokens, transformerModel } from "./sequence-models.js";

/** A learner, and what it is fed in step 0, 1, ... */
export interface SmallLearner {
  readonly learner: Learner;
  readonly batch: (step: number) => NamedArrays;
}

const ADAM = adam(constantSchedule(1e-2));
/** Adam would make whole steps of the rounding in gradients that are 0 but for it: that of a key's bias, for one. */
const MOMENTUM = sgd(constantSchedule(0.05), { momentum: 0.9 });

export const smallLearners = {
  click,
  flights: () => ({ learner: flightsLike(), batch: (step) => randomBatch(32, step) }),
  lstm,
  transformer: () => onTargets(transformerModel([2, 5, 8], 2), [2, 5, 8]),
  residual: () => onTargets(residualBlock(3, [6, 6]), [4, 3, 6, 6]),
  separable: () => onTargets(separableBlock(3, 5, [6, 6]), [4, 5, 3, 3]),
} as const satisfies Readonly<Record<string, () => SmallLearner>>;

/** A multilayer perceptron over numbers. */
function click(): SmallLearner {
  const model: Model = {
    params: { ...linearParams("layers.0", 6, 5), ...linearParams("layers.1", 5, 1) },
    inputs: { x: { shape: ["batch", 6], dtype: "float32" } },
    apply: (weights, inputs) => {
      const hidden = relu(linear(weights, "layers.0", named(inputs, "x")));
      return reshape(linear(weights, "layers.1", hidden), ["batch"]);
    },
  };
  const labels = float32([0, 1, 1, 0]);
  return {
    learner: { model, objective: binary, optimizer: ADAM },
    batch: (step) => ({ x: draw("x", step, [4, 6]), labels }),
  };
}

/** Two layers over embeddings. */
function lstm(): SmallLearner {
  const sizes = { sequenceLength: 5, batchSize: 3, vocabulary: 7, width: 5, hidden: 4 };
  return {
    learner: { ...languageModel(sizes), optimizer: MOMENTUM },
    batch: (step) => randomTokens(sizes, (name) => fold(fold(rootKey(3), name), step)),
  };
}

/** A network of `x` that learns random targets of this shape by mean square. */
function onTargets(model: Model, targetShape: readonly number[]): SmallLearner {
  const [numExamples = 1, ...target] = targetShape;
  const [leading = "batch", ...rest] = named(model.inputs, "x").shape;
  const inputShape = [numExamples, ...(rest as number[])];
  return {
    learner: {
      model,
      objective: { ...binary, labels: { shape: [leading, ...target], dtype: "float32" }, labelLoss: squaredError },
      optimizer: MOMENTUM,
    },
    batch: (step) => ({ x: draw("x", step, inputShape), labels: draw("labels", step, targetShape) }),
  };
}

function draw(name: string, step: number, shape: readonly number[]): NamedArrays[string] {
  return float32(normal(fold(fold(rootKey(4), name), step), sizeOf(shape)), shape);
}
