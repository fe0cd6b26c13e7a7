/** Our side of the workloads of `specs.ts`. */
import type { Graph } from "../src/graph/graph.js";
import { relu, reshape } from "../src/graph/ops.js";
import type { Tensor } from "../src/graph/tensor.js";
import { linear, linearParams } from "../src/nn/layers.js";
import { binary } from "../src/nn/losses.js";
import { mlp } from "../src/nn/mlp.js";
import { type BufferSpec, initWeights, type Model } from "../src/nn/model.js";
import { transformerLanguageModel } from "../src/nn/transformer-language-model.js";
import { adam, sgd } from "../src/optim/optimizers.js";
import { constantSchedule } from "../src/optim/schedules.js";
import type { GradientTransformation } from "../src/optim/transformations.js";
import { filled, float32, int32, type NamedArrays, scalar } from "../src/runtime/array.js";
import { mapValues, named, withPrefix } from "../src/runtime/named.js";
import { fold, normal, rootKey, uniform } from "../src/runtime/random.js";
import { carriedSpecs, type Learner, stateNames, stepGraph, weightState } from "../src/train/graphs.js";
import { residualBlock } from "../test/fixtures/convolution-blocks.js";
import { languageModel, languageTask, randomTokens, transformerModel } from "../test/fixtures/sequence-models.js";
import type { WorkloadName } from "./specs.js";
import { onTargets, type Task } from "./targets.js";

/** A training step as an engine takes it. */
export interface Workload {
  /** A whole step; its first output is the loss. */
  readonly graph: Graph;
  /** What the engine keeps, before the first step. */
  readonly state: NamedArrays;
  /** What step 0, 1, ... is fed. */
  readonly feeds: (step: number) => NamedArrays;
  /** What takes the step, and the batch that every step is fed. */
  readonly learner: Learner;
  readonly batch: NamedArrays;
}

const ADAM = adam(constantSchedule(1e-3));
/** Of the input of the transformer block: length, width. */
const BLOCK_SHAPE = [128, 256];

/** Each workload by its name. */
export const workloads: Readonly<Record<WorkloadName, (batchSize?: number) => Workload>> = {
  click,
  flights,
  lstm: (batchSize) => taskOf(lstmTask(batchSize)),
  transformer: (batchSize = 16) => {
    const shape = [batchSize, ...BLOCK_SHAPE];
    return taskWith(ADAM, onTargets(transformerModel(shape, 4), shape));
  },
  llama: (batchSize) => taskOf(llamaTask(batchSize)),
  residual64: (batchSize) => residual(64, 32, batchSize),
  residual128: (batchSize) => residual(128, 16, batchSize),
};

function click(batchSize = 256): Workload {
  const inputs = 1000;
  const x = float32(normal(fold(rootKey(1), "x"), batchSize * inputs), [batchSize, inputs]);
  const learner = { model: denseMlp([inputs, 2560, 1024, 256, 1]), objective: binary, optimizer: ADAM };
  return training(learner, { x, labels: labels(batchSize) });
}

/** Names as many as the flights have, and their one number. */
export const flightsFeatures = {
  categorical: {
    origin: { numIds: 300, width: 16 },
    destination: { numIds: 300, width: 16 },
    halfHour: { numIds: 48, width: 8 },
    weekday: { numIds: 7, width: 4 },
    route: { numIds: 4000, width: 16 },
  },
  numeric: { logDistance: { mean: 0, std: 1 } },
};

function flights(batchSize = 2048): Workload {
  const { categorical } = flightsFeatures;
  const ids = mapValues(categorical, ({ numIds }, name) =>
    int32(Int32Array.from(uniform(fold(rootKey(1), name), batchSize), (u) => Math.floor(u * numIds))),
  );
  const features = { ...ids, logDistance: float32(normal(fold(rootKey(1), "logDistance"), batchSize)) };
  const learner = { model: mlp({ ...flightsFeatures, hidden: [128, 64] }), objective: binary, optimizer: ADAM };
  return training(learner, { ...withPrefix("features", features), labels: labels(batchSize) });
}

/** The language models, with a batch and what they are trained by. */
export const languageTasks = { lstm: lstmTask, llama: llamaTask } as const;

export type LanguageWorkloadName = keyof typeof languageTasks;

function lstmTask(batchSize = 32): Task & Learner {
  const sizes = { sequenceLength: 32, batchSize, vocabulary: 8192, width: 256, hidden: 512 };
  const batch = randomTokens(sizes, (name) => fold(rootKey(1), name));
  return { ...languageModel(sizes), batch, optimizer: ADAM };
}

function llamaTask(examples = 8): Task & Learner {
  const sizes = { sequenceLength: 128, batchSize: examples, vocabulary: 4096, width: 256, numHeads: 4, numLayers: 4 };
  const model = transformerLanguageModel(sizes);
  const [sequenceLength, batchSize] = named(model.inputs, "ids").shape as [number, number];
  const batch = randomTokens({ ...sizes, sequenceLength, batchSize }, (name) => fold(rootKey(1), name));
  return { ...languageTask(model, sizes.vocabulary), batch, optimizer: ADAM };
}

/** With so many channels, on images of such a height and width. */
function residual(channels: number, size: number, batchSize = 64): Workload {
  const task = onTargets(residualBlock(channels, [size, size]), [batchSize, channels, size, size]);
  return taskWith(sgd(constantSchedule(1e-3), { momentum: 0.9 }), task);
}

function taskWith(optimizer: GradientTransformation, task: Task): Workload {
  return taskOf({ ...task, optimizer });
}

function taskOf({ batch, ...learner }: Task & Learner): Workload {
  return training(learner, batch);
}

/** The steps of a learner on one batch, over and over. */
function training(learner: Learner, batch: NamedArrays): Workload {
  const { model, optimizer } = learner;
  const begun = (specs: Readonly<Record<string, BufferSpec>>) =>
    mapValues(specs, ({ shape, fill }) => filled(shape, fill));
  const memory = () => withPrefix(stateNames.optState, begun(optimizer.stateSpec(model.params)));
  return {
    learner,
    batch,
    graph: stepGraph(learner, 0),
    // Only when it is asked for: what looks at graphs needs none of it.
    get state() {
      const weights = weightState(model, initWeights(model, rootKey(1)));
      return { ...weights, ...memory(), ...begun(carriedSpecs(model, 0)) };
    },
    feeds: (step) => ({ ...batch, ...mapValues(optimizer.scalars, (schedule) => scalar(schedule(step))) }),
  };
}

/** x [batch, inputs] through linear layers with ReLU between them to one logit [batch]. */
function denseMlp(widths: readonly number[]): Model {
  const layers = widths.slice(1).map((outputs, i) => ({ path: `layers.${i}`, inputs: widths[i] ?? 0, outputs }));
  return {
    params: Object.assign({}, ...layers.map(({ path, inputs, outputs }) => linearParams(path, inputs, outputs))),
    inputs: { x: { shape: ["batch", widths[0] ?? 0], dtype: "float32" } },
    apply: (params, inputs) => {
      const layer = (x: Tensor, { path }: { path: string }, i: number) => linear(params, path, i === 0 ? x : relu(x));
      const logits = layers.reduce(layer, named(inputs, "x"));
      return reshape(logits, logits.shape.slice(0, 1));
    },
  };
}

function labels(batchSize: number): NamedArrays[string] {
  return float32(uniform(fold(rootKey(1), "labels"), batchSize).map((u) => Number(u < 0.25)));
}
