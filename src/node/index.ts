/** What needs Node.js: the engine, stores on disk, tables, and whole runs as processes. */

export type {
  Column,
  LabelStatistics,
  Preprocessing,
  RecordLayout,
  Rows,
  TableSpec,
  TrainingRows,
} from "../data/table.js";
export { directoryStore } from "./directory-store.js";
export {
  type DescribeOptions,
  type DescribeOverrides,
  describeTable,
  type TableDescription,
} from "./infer/describe.js";
export {
  type CachedTable,
  type OpenTableOptions,
  openTable,
  type PreparedTable,
  type PrepareTableOptions,
  prepareTable,
} from "./ingest.js";
export { loadConfig } from "./load-config.js";
export { onnxRuntimeEngine } from "./onnxruntime.js";
export { formatOpTimes, type OpTime, opTimes, profileFiles } from "./ort/profile.js";
export type { Join } from "./scope.js";
export { threadedEngine } from "./threaded-engine.js";
export { type TrainOptions, train } from "./train.js";
