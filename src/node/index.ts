/** What needs Node.js: the engine, stores on disk, tables, and whole runs as processes. */
export { directoryStore } from "./directory-store.js";
export { openTable, prepareTable } from "./ingest.js";
export { loadConfig } from "./load-config.js";
export { onnxRuntimeEngine } from "./onnxruntime.js";
export { formatOpTimes, type OpTime, opTimes, profileFiles } from "./ort/profile.js";
export { threadedEngine } from "./threaded-engine.js";
export { type TrainOptions, train } from "./train.js";
