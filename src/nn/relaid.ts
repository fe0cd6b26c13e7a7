/** Networks over texts that read batches of another layout: one without a state lanes, one with a state sequences. */
import { constant, reshape, transpose } from "../graph/ops.js";
import type { Tensor, Tensors } from "../graph/tensor.js";
import { filled } from "../runtime/array.js";
import { mapValues } from "../runtime/named.js";
import { type Carried, carry, type Model } from "./model.js";

/**
 * A network without a state whose inputs are [batch, time], for inputs [time, batch]: its rows and logits [time x batch, ...] are in
 * the order of these. Training draws nothing, as only teachers and scores read another layout than their own.
 */
export function readingLanes(model: Model, batchSize: number, sequenceLength: number): Model {
  return relaid(model, [sequenceLength, batchSize], (weights, inputs) => carry(model, weights, inputs));
}

/**
 * A network with a state whose inputs are [time, batch], for inputs [batch, time]: it reads each sequence as a text of its own, from
 * the state at the beginning of texts on, and carries nothing from one batch to the next. So it knows of a sequence what a network
 * without a state knows.
 */
export function readingSequences(model: Model, batchSize: number, sequenceLength: number): Model {
  const begin = mapValues(model.state ?? {}, ({ shape, fill }) =>
    constant(filled([batchSize, ...(shape.slice(1) as number[])], fill)),
  );
  return relaid(model, [batchSize, sequenceLength], (weights, inputs) => ({
    ...carry(model, { ...weights, ...begin }, inputs),
    state: {},
  }));
}

/** A network that `read` reads by the other layout, for inputs of these sizes. */
function relaid(
  model: Model,
  sizes: readonly [number, number],
  read: (weights: Tensors, inputs: Tensors) => Carried,
): Model {
  const [first, second] = sizes;
  const inOrder = (rows: Tensor): Tensor => {
    const width = rows.shape.slice(1);
    const others = reshape(rows, [second, first, ...width]);
    return reshape(transpose(others, [1, 0, ...width.map((_, i) => i + 2)]), rows.shape);
  };
  const carryOthers = (weights: Tensors, inputs: Tensors): Carried => {
    const { logits, rows, state } = read(
      weights,
      mapValues(inputs, (ids) => transpose(ids, [1, 0])),
    );
    return { logits: inOrder(logits), state, ...(rows && { rows: inOrder(rows) }) };
  };
  return {
    params: model.params,
    ...(model.head && { head: model.head }),
    inputs: mapValues(model.inputs, ({ dtype }) => ({ shape: [...sizes], dtype })),
    batchAxis: model.batchAxis === 1 ? 0 : 1,
    carry: carryOthers,
    apply: (weights, inputs) => carryOthers(weights, inputs).logits,
  };
}
