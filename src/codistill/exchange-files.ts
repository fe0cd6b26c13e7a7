/** The functions by which an exchange reads and writes a store, with their parsers: loaded at the first exchange. */
export {
  maxSnapshotBytes,
  publishSnapshot,
  readPointer,
  readSnapshot,
  removeOldSnapshots,
} from "../checkpoint/snapshot.js";
export { forwardOnnx } from "../nn/forward-onnx.js";
