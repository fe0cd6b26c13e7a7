/** The trained model as a file that serves itself: plain ONNX from feature values to probabilities. */
import type { Preprocessing } from "../data/table.js";
import { toOnnx } from "../graph/onnx.js";
import { constant, input, lookup } from "../graph/ops.js";
import type { Tensor } from "../graph/tensor.js";
import { predict } from "../nn/losses.js";
import type { NamedArrays } from "../runtime/array.js";
import { mapValues } from "../runtime/named.js";
import { outputNames } from "../train/task.js";
import type { RunLearner } from "./learner.js";

/**
 * An ONNX model with one input [batch] for each feature, under the feature's name: strings for categorical features
 * (unknown ones are allowed), float32 for numeric ones (NaN for missing). Output: `probability` [batch] of the
 * positive class, `probabilities` [batch, classes], or `prediction` [batch] in the unit of the label. The vocabularies and
 * scales are inside; `metadata` says what each feature was computed from, and that of the task the names of the classes.
 */
export function exportModel(
  { model, objective, task }: RunLearner,
  preprocessing: Preprocessing,
  params: NamedArrays,
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const vocabularies = new Map(Object.entries(preprocessing.vocabularies));
  const inputs = mapValues(model.inputs, ({ shape }, name): Tensor => {
    const feature = name.slice(name.indexOf(".") + 1);
    const vocabulary = vocabularies.get(feature);
    return vocabulary ? lookup(input(feature, shape, "string"), vocabulary) : input(feature, shape);
  });
  const logits = model.apply(mapValues(params, constant), inputs);
  const outputs = { [outputNames[task.kind]]: predict(objective, logits) };
  return toOnnx({ outputs, updates: {} }, { ...metadata, ...task.metadata });
}
