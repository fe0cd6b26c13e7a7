/** Small learners of every kind of network that is measured, with a batch for each. */
import { relu, reshape } from "../src/graph/ops.js";
import type { Tensor, Tensors } from "../src/graph/tensor.js";
import { transformerBlock, transformerBlockParams } from "../src/nn/attention.js";
import { squaredError } from "../src/nn/label-losses.js";
import { embedding, embeddingParams, linear, linearParams } from "../src/nn/layers.js";
import { binary } from "../src/nn/losses.js";
import { layerNormLstm, layerNormLstmParams } from "../src/nn/lstm.js";
import type { Model } from "../src/nn/model.js";
import { categorical } from "../src/nn/objectives.js";
import { adam, sgd } from "../src/optim/optimizers.js";
import { constantSchedule } from "../src/optim/schedules.js";
import { float32, int32, type NamedArrays, sizeOf } from "../src/runtime/array.js";
import { named } from "../src/runtime/named.js";
import { fold, key, normal, uniform } from "../src/runtime/random.js";
import type { Learner } from "../src/train/graphs.js";
import { residualBlock, separableBlock } from "./convolution-blocks.js";

const ADAM = adam(constantSchedule(1e-2));
/** Adam would make a whole step of a gradient that is 0 but for its rounding, as that of the bias of keys. */
const MOMENTUM = sgd(constantSchedule(1e-2), { momentum: 0.9 });

export interface SmallLearner {
  readonly learner: Learner;
  readonly batch: NamedArrays;
}

const draw = (name: string, shape: readonly number[]) => float32(normal(fold(key(1), name), sizeOf(shape)), shape);

/** For a network of `x` to targets of a shape. */
function onTargets(
  model: Model,
  optimizer: Learner["optimizer"],
  shape: readonly number[],
  targets: Model["inputs"][string],
  drawn = shape,
): SmallLearner {
  const objective = { ...binary, labels: targets, labelLoss: squaredError };
  return { learner: { model, objective, optimizer }, batch: { x: draw("x", shape), labels: draw("labels", drawn) } };
}

const [TIMES, BATCH_SIZE, VOCABULARY, HIDDEN] = [5, 3, 7, 4];

/** 2 layers of 4 units whose state goes from step to step. */
function languageModel(): SmallLearner {
  const layers = ["layers.0", "layers.1"];
  const stateOf = (path: string) => [`${path}.hidden`, `${path}.cell`] as const;
  const train = (weights: Tensors, inputs: Tensors) => {
    const buffers: Record<string, Tensor> = {};
    let x = embedding(weights, "embedding", named(inputs, "ids"));
    for (const path of layers) {
      const [hidden, cell] = stateOf(path);
      const after = layerNormLstm(weights, path, x, { hidden: named(weights, hidden), cell: named(weights, cell) });
      x = after.outputs;
      Object.assign(buffers, { [hidden]: after.state.hidden, [cell]: after.state.cell });
    }
    return { logits: linear(weights, "output", reshape(x, [TIMES * BATCH_SIZE, HIDDEN])), buffers };
  };
  const state = { shape: [BATCH_SIZE, HIDDEN], fill: 0 };
  const model: Model = {
    params: {
      ...embeddingParams("embedding", VOCABULARY, 5),
      ...layerNormLstmParams("layers.0", 5, HIDDEN),
      ...layerNormLstmParams("layers.1", HIDDEN, HIDDEN),
      ...linearParams("output", HIDDEN, VOCABULARY),
    },
    buffers: Object.fromEntries(layers.flatMap(stateOf).map((name) => [name, state])),
    inputs: { ids: { shape: [TIMES, BATCH_SIZE], dtype: "int32" } },
    train,
    apply: (weights, inputs) => train(weights, inputs).logits,
  };
  const rows = TIMES * BATCH_SIZE;
  const objective = { ...categorical({ numClasses: VOCABULARY }), labels: { shape: [rows], dtype: "int32" as const } };
  const ids = (name: string) => Int32Array.from(uniform(fold(key(1), name), rows), (u) => Math.floor(u * VOCABULARY));
  return {
    learner: { model, objective, optimizer: MOMENTUM },
    batch: { ids: int32(ids("ids"), [TIMES, BATCH_SIZE]), labels: int32(ids("labels"), [rows]) },
  };
}

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
  return { learner: { model, objective: binary, optimizer: ADAM }, batch: { x: draw("x", [4, 6]), labels } };
}

function transformer(): SmallLearner {
  const x = { shape: [2, 5, 8], dtype: "float32" } as const;
  const model: Model = {
    params: transformerBlockParams("", 8),
    inputs: { x },
    apply: (weights, inputs) => transformerBlock(weights, "", named(inputs, "x"), { numHeads: 2 }),
  };
  return onTargets(model, MOMENTUM, x.shape, x);
}

function residual(): SmallLearner {
  const model = residualBlock(3, [6, 6]);
  return onTargets(model, MOMENTUM, [4, 3, 6, 6], named(model.inputs, "x"));
}

function separable(): SmallLearner {
  const targets = { shape: ["batch", 5, 3, 3], dtype: "float32" } as const;
  return onTargets(separableBlock(3, 5, [6, 6]), MOMENTUM, [4, 3, 6, 6], targets, [4, 5, 3, 3]);
}

export const smallLearners: Readonly<Record<string, () => SmallLearner>> = {
  click,
  lstm: languageModel,
  transformer,
  residual,
  separable,
};
