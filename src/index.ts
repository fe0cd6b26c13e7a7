/** The public door of the core, which runs wherever JavaScript does; `codistill/node` adds what needs Node.js. */

export { decodeSafetensors, encodeSafetensors } from "./checkpoint/safetensors.js";
export { memoryStore, type Store } from "./checkpoint/store.js";
export { type CodistillOptions, codistill, type Step } from "./codistill/codistill.js";
export { type Exchange, type ExchangeOptions, storeExchange } from "./codistill/exchange.js";
export { type Topology, teachersOf } from "./codistill/topology.js";
export {
  CheckpointError,
  CodistillError,
  ConfigError,
  DataError,
  ShapeError,
  StoreError,
  TrainingError,
} from "./errors.js";
export { gradients } from "./graph/grad.js";
export { formatGraph, type Graph } from "./graph/graph.js";
export { toOnnx } from "./graph/onnx.js";
export * as ops from "./graph/ops.js";
export type { Shape, Tensor, Tensors } from "./graph/tensor.js";
export { type DistillLoss, type DistillLossName, distillLosses } from "./nn/distill-losses.js";
export type { LabelSmoothing } from "./nn/label-losses.js";
export { binary, type Objective } from "./nn/losses.js";
export { type MlpOptions, mlp } from "./nn/mlp.js";
export type { Model } from "./nn/model.js";
export {
  type CategoricalOptions,
  categorical,
  type RegressionOptions,
  regression,
  type WeightedBinaryOptions,
  weightedBinary,
} from "./nn/objectives.js";
export { clipByGlobalNorm, clipByRms, clipByValue } from "./optim/clip.js";
export { addDecay, scaleByLarsRatio, scaleByParamRms, scaleByTrustRatio } from "./optim/decay.js";
export { scaleByFactoredRms } from "./optim/factored.js";
export { addMomentum, scaleByAdagrad, scaleByAdam, scaleByLion, scaleByRms } from "./optim/moments.js";
export { adafactor, adagrad, adam, adamW, lamb, lars, lion, rmsprop, sgd } from "./optim/optimizers.js";
export {
  constantSchedule,
  cosineSchedule,
  exponentialSchedule,
  inverseSquareRootSchedule,
  linearSchedule,
  oneCycleSchedule,
  type Schedule,
  stepSchedule,
  withWarmUp,
} from "./optim/schedules.js";
export {
  chain,
  type GradientTransformation,
  scaleByLearningRate,
  scaleByPattern,
  scaleBySchedule,
  type UpdateInput,
  type UpdateOutput,
} from "./optim/transformations.js";
export { resolveConfig } from "./run/config.js";
export { defineRun, type RunConfig, type RunInput } from "./run/schema.js";
export { type DType, float32, int32, type NamedArrays, type NdArray, strings } from "./runtime/array.js";
export type { Engine, Program } from "./runtime/engine.js";
export { fold, type Key, key, normal, permutation, uniform } from "./runtime/random.js";
export type { LoggedEvent, RunResult, TrainEvent } from "./train/events.js";
export { createStudent, type StepMetrics, type Student, type Teacher } from "./train/student.js";
