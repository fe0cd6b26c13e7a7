/** A trained language model as plain ONNX: one token of each text in, log probabilities of the next one out, the state beside both. */
import { toOnnx } from "../graph/onnx.js";
import { constant, input, logSoftmax } from "../graph/ops.js";
import type { TokenReader } from "../nn/token-reader.js";
import type { NamedArrays } from "../runtime/array.js";
import { mapValues, withPrefix } from "../runtime/named.js";

/** Names of an exported language model's inputs and outputs. */
export const textNames = { ids: "ids", logProbs: "logProbabilities", before: "before", after: "after" } as const;

/**
 * An ONNX model that reads a text a token at a time. Inputs: `ids` int32 [batch], and of each part of the state
 * `before.<name>` float32 [batch, ...], zeros where a text begins. Outputs: `logProbabilities` [batch, vocabulary] of
 * the next token, and `after.<name>`, which is `before.<name>` of the next call. `state` is added to `metadata`: the
 * shapes of the state's parts, without the batch, as JSON.
 */
export function exportText(
  reader: TokenReader,
  weights: NamedArrays,
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const before = mapValues(reader.state, (shape, name) => input(`${textNames.before}.${name}`, ["batch", ...shape]));
  const ids = input(textNames.ids, ["batch"], "int32");
  const { logits, state } = reader.read(mapValues(weights, constant), ids, before);
  const outputs = { [textNames.logProbs]: logSoftmax(logits), ...withPrefix(textNames.after, state) };
  return toOnnx({ outputs, updates: {} }, { ...metadata, state: JSON.stringify(reader.state) });
}
