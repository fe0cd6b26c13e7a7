/** Exports a trained model of a table as plain ONNX, from columns of the table to predictions. */
import type { Preprocessing } from "../data/table.js";
import type { Graph } from "../graph/graph.js";
import { toModel } from "../graph/onnx.js";
import { encodeModel } from "../graph/onnx-proto.js";
import { constant, input } from "../graph/ops.js";
import { predict } from "../nn/losses.js";
import type { NamedArrays } from "../runtime/array.js";
import { mapValues } from "../runtime/named.js";
import type { Serving } from "../serving/expression.js";
import { servedFrom } from "../serving/prelude.js";
import { keptPrediction } from "../serving/serving.js";
import { outputNames } from "../train/task.js";
import type { RunLearner } from "./learner.js";

/**
 * An ONNX model with one input [batch] for each column that a feature reads: float64 for numbers (NaN for missing;
 * yes/no as 1 and 0) and for points in time (milliseconds since 1970 in UTC), strings for text ("" for missing; unseen
 * ones are allowed). Output: `probability` [batch] of the positive class, `probabilities` [batch, classes], or
 * `prediction` [batch] in the unit of the label, in float64 where float32 would lose it. Expressions, vocabularies and
 * scales are part of the model, and the temperature of the probabilities where the task has one. Added to `metadata`
 * are `inputs` (each input as SQL over a row) and the metadata of the task, such as the names of the classes.
 */
export function exportModel(
  learner: RunLearner,
  preprocessing: Preprocessing,
  serving: Serving,
  params: NamedArrays,
  metadata: Readonly<Record<string, string>>,
  temperature?: number,
): Uint8Array {
  const { labels } = preprocessing;
  const isShifted = labels?.kind === "numbers" && labels.shift !== undefined;
  const graph = predictionGraph(learner, params, { temperature, ...(isShifted && { name: keptPrediction }) });
  const all = { ...metadata, inputs: JSON.stringify(serving.inputs), ...learner.task.metadata };
  return encodeModel(servedFrom(toModel(graph, all), serving, preprocessing));
}

/** From the inputs of a model, as training reads them, to predictions under their name. */
export function predictionGraph(
  { model, objective, task }: Pick<RunLearner, "model" | "objective" | "task">,
  params: NamedArrays,
  {
    name = outputNames[task.kind],
    temperature,
  }: { readonly name?: string; readonly temperature?: number | undefined } = {},
): Graph {
  const inputs = mapValues(model.inputs, ({ shape, dtype }, name) => input(name, shape, dtype));
  const logits = model.apply(mapValues(params, constant), inputs);
  const predicted = predict(objective, logits);
  const shipped =
    task.calibration && temperature !== undefined ? task.calibration.graph(predicted, temperature) : predicted;
  return { outputs: { [name]: shipped }, updates: {} };
}
