/** The trained model as a file that serves itself: plain ONNX from feature values to probabilities. */
import type { Preprocessing } from "../data/table.js";
import { toOnnx } from "../graph/onnx.js";
import { constant, input, lookup } from "../graph/ops.js";
import type { Tensor } from "../graph/tensor.js";
import type { NamedArrays } from "../runtime/array.js";
import { mapValues } from "../runtime/named.js";
import type { Learner } from "../train/graphs.js";

/**
 * An ONNX model with one input [batch] for each feature, under the feature's name: strings for categorical features
 * (unknown ones are allowed), float32 for numeric ones (NaN for missing). Output: `probability` [batch] of the
 * positive class. The vocabularies and scales are inside; `metadata` says what each feature was computed from.
 */
export function exportModel(
  { model, objective }: Learner,
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
  return toOnnx({ outputs: { probability: objective.probs(logits) }, updates: {} }, metadata);
}
