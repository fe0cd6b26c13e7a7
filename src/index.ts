/** The public API of the core, which runs wherever JavaScript does; `codistill/node` adds what needs Node.js. */

export type { Bytes } from "./checkpoint/bytes.js";
export type { Checkpoint, CheckpointInfo } from "./checkpoint/checkpoint.js";
export { readCheckpoint } from "./checkpoint/read-checkpoint.js";
export { decodeSafetensors, encodeSafetensors, type Safetensors } from "./checkpoint/safetensors.js";
export { memoryStore, type Store } from "./checkpoint/store.js";
export { type CodistillOptions, codistill } from "./codistill/codistill.js";
export {
  type Exchange,
  type ExchangeOptions,
  type SeenTeacher,
  type StoreExchange,
  storeExchange,
} from "./codistill/exchange.js";
export {
  type PublishedSnapshot,
  type PublishOptions,
  publishSnapshot,
  type ReadSnapshotOptions,
  readSnapshot,
} from "./codistill/snapshots.js";
export { type Topology, teachersOf } from "./codistill/topology.js";
export { prefetched } from "./data/prefetched.js";
export type { Cursor, Part, Stream } from "./data/stream.js";
export type { Engine, EngineOptions, Program, RunOptions, WriteOptions } from "./engine/engine.js";
export {
  CheckpointError,
  ClosedError,
  CodistillError,
  ConfigError,
  DamagedCacheError,
  DamagedError,
  DataError,
  type ErrorCode,
  ForeignFileError,
  ShapeError,
  StoreError,
  TrainingError,
} from "./errors.js";
export { toOnnx } from "./graph/encode.js";
export { gradients } from "./graph/grad.js";
export { formatGraph, type Graph } from "./graph/graph.js";
export * as ops from "./graph/public-ops.js";
export type { Axis } from "./graph/shape.js";
export type { Attributes, Op, Result, Shape, Tensor, Tensors } from "./graph/tensor.js";
export type {
  ExchangeEvent,
  LoggedEvent,
  MetricName,
  Metrics,
  QuarantineEvent,
  RunResult,
  TaskKind,
  TeachersEvent,
  TeacherUse,
  TestMetrics,
  TrainEvent,
} from "./log/events.js";
export * as initialisers from "./nn/all-initialisers.js";
export * as layers from "./nn/all-layers.js";
export * as losses from "./nn/all-losses.js";
export { type DistillLoss, type DistillLossName, distillLosses } from "./nn/distill-losses.js";
export type { ImageNetworkOptions } from "./nn/image-input.js";
export type { LabelSmoothing, SoftmaxCrossEntropyOptions } from "./nn/label-losses.js";
export { binary, type Objective } from "./nn/losses.js";
export { membersObjective } from "./nn/members.js";
export { type MlpOptions, mlp } from "./nn/mlp.js";
export { type MobileNetOptions, mobileNet } from "./nn/mobilenet.js";
export {
  type BufferSpec,
  type Carried,
  countParams,
  type Head,
  type InputSpec,
  initWeights,
  type Model,
  type ParamSpec,
  type StateSpec,
  type Trained,
} from "./nn/model.js";
export {
  type CategoricalOptions,
  categorical,
  type RegressionOptions,
  regression,
  type WeightedBinaryOptions,
  weightedBinary,
} from "./nn/objectives.js";
export { type ResNetDepth, type ResNetOptions, resnet } from "./nn/resnet.js";
export { type SmallCnnOptions, smallCnn } from "./nn/small-cnn.js";
export { type TabmOptions, tabm } from "./nn/tabm.js";
export { clipByGlobalNorm, clipByRms, clipByValue } from "./optim/clip.js";
export {
  addDecay,
  type DecayOptions,
  type LarsRatioOptions,
  scaleByLarsRatio,
  scaleByParamRms,
  scaleByTrustRatio,
} from "./optim/decay.js";
export { type FactoredOptions, scaleByFactoredRms } from "./optim/factored.js";
export {
  type AdagradOptions,
  type AdamOptions,
  addMomentum,
  type LionOptions,
  type MomentumOptions,
  type RmsOptions,
  scaleByAdagrad,
  scaleByAdam,
  scaleByLion,
  scaleByRms,
} from "./optim/moments.js";
export {
  type AdafactorOptions,
  adafactor,
  adagrad,
  adam,
  adamW,
  type CommonOptions,
  type LambOptions,
  lamb,
  lars,
  lion,
  muon,
  rmsprop,
  sgd,
  type WithDecay,
} from "./optim/optimizers.js";
export type { Selection } from "./optim/patterns.js";
export {
  constantSchedule,
  cosineSchedule,
  exponentialSchedule,
  inverseSquareRootSchedule,
  linearSchedule,
  type OneCycleOptions,
  oneCycleSchedule,
  type Schedule,
  stepSchedule,
  withWarmUp,
} from "./optim/schedules.js";
export { touchingRows } from "./optim/sparse-updates.js";
export {
  chain,
  type GradientTransformation,
  type OptStateSpec,
  type Shapes,
  scaleByLearningRate,
  scaleByPattern,
  scaleBySchedule,
  type UpdateInput,
  type UpdateOutput,
} from "./optim/transformations.js";
export { resolveConfig } from "./run/check-config.js";
export type { ImageRunInput, TableRunInput, TextRunInput } from "./run/input/run.js";
export type { OptimizerConfig, OptimizerInSteps } from "./run/optimizer-schema.js";
export { defineRun, type RunConfig, type RunInput } from "./run/schema.js";
export type { TaskConfig } from "./run/task-schema.js";
export { type DataOf, type DType, float32, int32, type NamedArrays, type NdArray } from "./runtime/array.js";
export { fold, type Key, normal, permutation, rootKey, uniform } from "./runtime/random.js";
export type { Step } from "./train/algorithm.js";
export type { Distillation, Learner } from "./train/graphs.js";
export {
  engineStudent,
  type StepMetrics,
  type Student,
  type StudentOptions,
  type StudentState,
  type Teacher,
} from "./train/student.js";
export type { StudentStatistics, TeacherStatistics } from "./train/teacher-statistics.js";
export { version } from "./version.js";
