/** Exports a trained model of images as plain ONNX, from pixels to probabilities. */
import { toOnnx } from "../graph/onnx.js";
import type { NamedArrays } from "../runtime/array.js";
import { predictionGraph } from "./export.js";
import type { RunLearner } from "./learner.js";

/**
 * An ONNX model with the input `images`, uint8 [batch, height, width, channels], and the output `probabilities`, float32
 * [batch, classes]. Normalisation is part of the model, and the temperature of the probabilities where the task has one.
 * The names of the classes are added to `metadata`.
 */
export function exportImages(
  learner: RunLearner,
  params: NamedArrays,
  metadata: Readonly<Record<string, string>>,
  temperature?: number,
): Uint8Array {
  return toOnnx(predictionGraph(learner, params, { temperature }), { ...metadata, ...learner.task.metadata });
}
