import { relu, reshape } from "../graph/ops.js";
import type { Tensors } from "../graph/tensor.js";
import { linear, linearParams } from "./layers.js";
import { type Drop, droppedTraining, type Model } from "./model.js";
import { type TableFeaturesOptions, tableFeatures } from "./table-features.js";

export interface MlpOptions extends TableFeaturesOptions {
  /** Widths of the hidden layers, each followed by ReLU. */
  readonly hidden: readonly number[];
  /** Logits of an example: 1 by default, and then they are [batch], else [batch, outputs]. */
  readonly numOutputs?: number | undefined;
  /** Share of the hidden units that are dropped in training, 0 by default. */
  readonly dropout?: number | undefined;
}

/**
 * Embeddings and numbers, side by side, into a multilayer perceptron with logits [batch] or [batch, outputs]: the click
 * network of Anil et al. 2018 at any size. Inputs and their embeddings are those of {@link tableFeatures}.
 */
export function mlp({ hidden, numOutputs = 1, dropout: rate = 0, ...options }: MlpOptions): Model {
  const features = tableFeatures(options);
  const layers = layersOf([features.width, ...hidden, numOutputs]);
  const run = (params: Tensors, inputs: Tensors, drop: Drop) => {
    let x = features.rows(params, inputs);
    let rows = x;
    layers.forEach(({ path }, i) => {
      rows = i === 0 ? x : drop(relu(x), i);
      x = linear(params, path, rows);
    });
    return { logits: numOutputs === 1 ? reshape(x, x.shape.slice(0, 1)) : x, rows, state: {} };
  };
  const carry = (params: Tensors, inputs: Tensors) => run(params, inputs, (x) => x);
  return {
    params: Object.assign(
      {},
      features.params,
      ...layers.map(({ path, inputs, outputs }) => linearParams(path, inputs, outputs)),
    ),
    inputs: features.inputs,
    carry,
    apply: (params, inputs) => carry(params, inputs).logits,
    ...droppedTraining(rate, run),
  };
}

/** The layers between widths, with their paths. */
export function layersOf(widths: readonly number[]) {
  return widths.slice(1).map((outputs, i) => ({ path: `layers.${i}`, inputs: widths[i] as number, outputs }));
}
