/** What an exchange reads and writes in a store, with the parsers that takes: loaded with the first exchange, and not before. */
export {
  maxSnapshotBytes,
  publishSnapshot,
  readPointer,
  readSnapshot,
  removeOldSnapshots,
} from "../checkpoint/snapshot.js";
export { forwardOnnx } from "../nn/forward-onnx.js";
