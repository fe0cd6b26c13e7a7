/**
 * The part of the package that needs Node.js: the engine, stores on disk, tables, language models, images, and whole runs
 * as processes.
 */

export type { Column, RecordLayout, Rows, TrainingRows } from "../data/records.js";
export type { LabelStatistics, Preprocessing, TableSpec } from "../data/table.js";
export type { Evaluation } from "../train/evaluation.js";
export type { ReliabilityBin } from "../train/reliability.js";
export type { Costs, Decided, DecidedBy, ThresholdAdvice } from "../train/thresholds.js";
export {
  type EvaluateImagesOptions,
  evaluateImages,
  type ImageEvaluation,
  type WorstImage,
} from "./image/evaluate-images.js";
export { type ImageModel, openImageModel } from "./image/image-model.js";
export { type PredictImagesOptions, type PredictImagesResult, predictImages } from "./image/predict-images.js";
export { ensemble } from "./launch/ensemble.js";
export type { EnsembleMemberInfo, EnsembleOptions, EnsembleResult } from "./launch/ensemble-files.js";
export { trainEvents } from "./launch/run-events.js";
export { type TrainOptions, train } from "./launch/train.js";
export { onnxRuntimeEngine } from "./ort/onnxruntime.js";
export { threadedEngine } from "./ort/threaded-engine.js";
export { loadConfig } from "./runs/load-config.js";
export type { Join } from "./runs/scope.js";
export { directoryStore } from "./stores/directory-store.js";
export { openStore } from "./stores/stores.js";
export { type Changed, type ChurnOptions, type ChurnResult, churn } from "./table/churn.js";
export { type EvaluateOptions, type EvaluateResult, evaluate } from "./table/evaluate.js";
export type { ColumnImportance, GroupImportance, Importance, ImportanceOptions } from "./table/importance.js";
export {
  type DescribeOptions,
  type DescribeOverrides,
  describeTable,
  type TableDescription,
} from "./table/infer/describe.js";
export {
  type CachedTable,
  type OpenTableOptions,
  openTable,
  type PreparedTable,
  type PrepareTableOptions,
  prepareTable,
} from "./table/ingest.js";
export { type PredictOptions, type PredictResult, predict } from "./table/predict.js";
export {
  type CellValue,
  type DataRow,
  evaluateRows,
  type Prediction,
  type PredictRowsOptions,
  predictRows,
} from "./table/predict-rows.js";
export { openModel, type ServedModel } from "./table/served-model.js";
export { type EvaluateTextOptions, evaluateText, type TextEvaluation } from "./text/evaluate-text.js";
export { type LanguageModel, openLanguageModel, type TextState } from "./text/language-model.js";
export { type SampleOptions, sample } from "./text/sample.js";
export { type TrainedTokenizer, type TrainTokenizerOptions, trainTokenizer } from "./text/train-tokenizer.js";
