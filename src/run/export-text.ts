/** A trained language model as plain ONNX: one unit of each text in, what comes next out, the state beside both. */
import { toOnnx } from "../graph/onnx.js";
import { constant, input, logSoftmax } from "../graph/ops.js";
import type { UnitReader } from "../nn/unit-reader.js";
import type { NamedArrays } from "../runtime/array.js";
import { mapValues, withPrefix } from "../runtime/named.js";

/** Names of an exported language model's inputs and outputs. */
export const textNames = { ids: "ids", logProbs: "logProbabilities", before: "before", after: "after" } as const;

/**
 * An ONNX model that reads a text a unit at a time. Inputs: `ids` int32 [batch], and of each part of the state
 * `before.<name>` float32 [batch, ...], zeros where a text begins. Outputs: `logProbabilities` [batch, units] of the unit
 * that comes next, and `after.<name>`, which is `before.<name>` of the next call. `metadata` is joined by `state`, the shapes of
 * the state's parts, without the batch, as JSON.
 */
export function exportText(
  reader: UnitReader,
  weights: NamedArrays,
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const before = mapValues(reader.state, (shape, name) => input(`${textNames.before}.${name}`, ["batch", ...shape]));
  const ids = input(textNames.ids, ["batch"], "int32");
  const { logits, state } = reader.read(mapValues(weights, constant), ids, before);
  const outputs = { [textNames.logProbs]: logSoftmax(logits), ...withPrefix(textNames.after, state) };
  return toOnnx({ outputs, updates: {} }, { ...metadata, state: JSON.stringify(reader.state) });
}
