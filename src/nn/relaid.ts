/** A network over texts that reads batches of another layout. */
import { reshape, transpose } from "../graph/ops.js";
import type { Tensor, Tensors } from "../graph/tensor.js";
import { mapValues } from "../runtime/named.js";
import { carry, type Model } from "./model.js";

/**
 * A network without a state whose inputs are [batch, time], for inputs [time, batch]: its rows and logits [time x batch, ...] are in
 * the order of these. Training draws nothing, as only teachers and scores read another layout than their own.
 */
export function readingLanes(model: Model, batchSize: number, sequenceLength: number): Model {
  const byTime = (rows: Tensor): Tensor => {
    const width = rows.shape.slice(1);
    const byText = reshape(rows, [batchSize, sequenceLength, ...width]);
    return reshape(transpose(byText, [1, 0, ...width.map((_, i) => i + 2)]), rows.shape);
  };
  const carryLanes = (weights: Tensors, inputs: Tensors) => {
    const { logits, rows, state } = carry(
      model,
      weights,
      mapValues(inputs, (ids) => transpose(ids, [1, 0])),
    );
    return { logits: byTime(logits), state, ...(rows && { rows: byTime(rows) }) };
  };
  return {
    params: model.params,
    ...(model.head && { head: model.head }),
    inputs: mapValues(model.inputs, ({ dtype }) => ({ shape: [sequenceLength, batchSize], dtype })),
    batchAxis: 1,
    carry: carryLanes,
    apply: (weights, inputs) => carryLanes(weights, inputs).logits,
  };
}
