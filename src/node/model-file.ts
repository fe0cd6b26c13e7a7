/** Exported models as files: what they say of themselves, and ONNX Runtime to compute them. */
import { CheckpointError, messageOf } from "../errors.js";
import { decodeModel, isWhollyKnown, type ModelProto } from "../graph/onnx-proto.js";
import { graphProblem } from "../run/serving/model-graph.js";
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

/**
 * Open a model that a run exported. Throws {@link CheckpointError} when its graph has what no exported one has (loops,
 * functions, tensors in other files), before ONNX Runtime sees it, and when ONNX Runtime cannot run it. What runs is the file, or what `made` makes of its model
 * once that is known to be one of ours.
 */
export async function openSession(
  path: string,
  bytes: Uint8Array,
  options: InferenceSession.SessionOptions = {},
  made: (model: ModelProto) => Uint8Array = () => bytes,
): Promise<InferenceSession> {
  const model = decodeModelFile(path, bytes);
  const problem =
    graphProblem(model) ??
    (isWhollyKnown(bytes) ? null : "functions, tensors in other files, or other parts that codistill does not write");
  if (problem !== null) {
    throw new CheckpointError(
      `${path} is no model that codistill exported: it has ${problem}. Give the model.onnx of a run; other models run in ONNX Runtime itself.`,
    );
  }
  return InferenceSession.create(made(model), options).catch((error: unknown) => {
    throw new CheckpointError(`${path} does not run: ${messageOf(error)}`, { cause: error });
  });
}
