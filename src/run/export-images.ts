/** Exports a trained model of images as plain ONNX, from pixels to probabilities. */
import { imagesName } from "../data/batch.js";
import { toModel } from "../graph/onnx.js";
import { encodeModel } from "../graph/onnx-proto.js";
import type { NamedArrays } from "../runtime/array.js";
import { named } from "../runtime/named.js";
import { type ImageFit, servedAtAnySize } from "../serving/image-size.js";
import { predictionGraph } from "./export.js";
import type { RunLearner } from "./learner.js";

/**
 * An ONNX model with the input `images`, uint8 [batch, height, width, channels] of any height and width, and the output `probabilities`, float32
 * [batch, classes]. Resizing and normalisation are part of the model, and the temperature of the probabilities where the task has one.
 * The names of the classes are added to `metadata`.
 */
export function exportImages(
  learner: RunLearner,
  fit: ImageFit,
  params: NamedArrays,
  metadata: Readonly<Record<string, string>>,
  temperature?: number,
): Uint8Array {
  const graph = predictionGraph(learner, params, { temperature });
  const [, height, width, channels] = named(learner.model.inputs, imagesName).shape as [string, number, number, number];
  const model = toModel(graph, { ...metadata, ...learner.task.metadata });
  const served = servedAtAnySize(model, { name: imagesName, imageSize: [height, width], channels, fit });
  return encodeModel(served);
}
