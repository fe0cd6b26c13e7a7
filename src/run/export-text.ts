/** A trained language model as plain ONNX: one unit of each text in, what comes next out, the state beside both. */
import { toOnnx } from "../graph/onnx.js";
import { constant, input, logSoftmax } from "../graph/ops.js";
import { lstmLanguageModelStep } from "../nn/lstm-language-model.js";
import type { Model } from "../nn/model.js";
import type { NamedArrays } from "../runtime/array.js";
import { mapValues, withPrefix } from "../runtime/named.js";

/** Names of an exported language model's inputs and outputs. */
export const textNames = { ids: "ids", logProbs: "logProbabilities", before: "before", after: "after" } as const;

/**
 * An ONNX model that reads a text a unit at a time. Inputs: `ids` int32 [batch], and of each part of the state
 * `before.<name>` float32 [batch, hidden], zeros where a text begins. Outputs: `logProbabilities` [batch, units] of the unit
 * that comes next, and `after.<name>`, which is `before.<name>` of the next call. `metadata` is joined by `state`, the sizes of
 * the state's parts as JSON.
 */
export function exportText(
  model: Model,
  numLayers: number,
  weights: NamedArrays,
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const state = mapValues(model.state ?? {}, ({ shape }, name) =>
    input(`${textNames.before}.${name}`, ["batch", ...shape.slice(1)]),
  );
  const ids = input(textNames.ids, ["batch"], "int32");
  const { logits, state: after } = lstmLanguageModelStep({ ...mapValues(weights, constant), ...state }, ids, numLayers);
  const outputs = { [textNames.logProbs]: logSoftmax(logits), ...withPrefix(textNames.after, after) };
  const sizes = mapValues(model.state ?? {}, ({ shape }) => shape.at(-1));
  return toOnnx({ outputs, updates: {} }, { ...metadata, state: JSON.stringify(sizes) });
}
