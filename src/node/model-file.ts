/** Exported models as files: what they say of themselves, and ONNX Runtime to compute them. */
import { CheckpointError, messageOf } from "../errors.js";
import { decodeModel, type ModelProto } from "../graph/onnx-proto.js";
import { InferenceSession } from "./ort/library.js";

/** The model that the bytes of a file are. Throws {@link CheckpointError} when they are none. */
export function decodeModelFile(path: string, bytes: Uint8Array): ModelProto {
  try {
    return decodeModel(bytes);
  } catch (error) {
    throw new CheckpointError(`${path} is not an ONNX model: ${messageOf(error)}`, { cause: error });
  }
}

/** Its metadata by name. Throws what {@link decodeModelFile} throws. */
export function metadataOf(path: string, bytes: Uint8Array): Readonly<Record<string, string>> {
  return Object.fromEntries(decodeModelFile(path, bytes).metadataProps.map(({ key, value }) => [key, value]));
}

/** Throws {@link CheckpointError} when ONNX Runtime cannot run it. */
export function openSession(
  path: string,
  bytes: Uint8Array,
  options: InferenceSession.SessionOptions = {},
): Promise<InferenceSession> {
  return InferenceSession.create(bytes, options).catch((error: unknown) => {
    throw new CheckpointError(`${path} does not run: ${messageOf(error)}`, { cause: error });
  });
}
