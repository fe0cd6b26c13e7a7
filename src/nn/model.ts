import { dropout, input } from "../graph/ops.js";
import type { Shape, Tensor, Tensors } from "../graph/tensor.js";
import { type DType, filled, type NamedArrays, type NdArray, sizeOf } from "../runtime/array.js";
import { mapValues } from "../runtime/named.js";
import { fold, type Key } from "../runtime/random.js";

/** A trainable array: its shape, and how it begins. */
export interface ParamSpec {
  readonly shape: readonly number[];
  readonly init: (key: Key, shape: readonly number[]) => NdArray;
}

/** An array that training changes, but not by gradients, as a running mean: its shape, and the value it begins with. */
export interface BufferSpec {
  readonly shape: readonly number[];
  readonly fill: number;
}

/** A tensor that a model carries from each batch to the next, for each text on its own: its shape, with a leading "batch", and first value. */
export type StateSpec = BufferSpec;

/** An input of a model: shape (with a leading "batch") and dtype. */
export interface InputSpec {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** A network: its params, its inputs, and the function of both. */
export interface Model {
  /** Trainable arrays by dotted path, as `layers.0.weight`. */
  readonly params: Readonly<Record<string, ParamSpec>>;
  /** Arrays beside the params, which training changes without gradients, by paths no param has; none by default. */
  readonly buffers?: Readonly<Record<string, BufferSpec>>;
  /**
   * Tensors that are carried from each batch to the next, such as an LSTM's hidden state, by paths that no weight has;
   * none by default. State belongs to the stream of batches and to its reader: it is neither published nor shipped, and
   * a teacher has a state of its own.
   */
  readonly state?: Readonly<Record<string, StateSpec>>;
  readonly inputs: Readonly<Record<string, InputSpec>>;
  /**
   * The axis of the inputs along which the examples of a batch lie; 0 by default. The logits of several axes as one are in the order of
   * the inputs. Of a model that can teach on a share of a batch, `apply` and `carry` take any number of examples.
   */
  readonly batchAxis?: 0 | 1;
  /**
   * The logits, of the shape that an objective reads, for given weights (params and buffers; the state with them) and
   * inputs, all by the names above.
   */
  readonly apply: (weights: Tensors, inputs: Tensors) => Tensor;
  /** As `apply`, with the state after the batch and the last hidden layer; of models that give these. */
  readonly carry?: (weights: Tensors, inputs: Tensors) => Carried;
  /** The last layer, where losses are computed in chunks and a batch's logits are never held whole; none by default. */
  readonly head?: Head;
  /** The function of a training step, if it is not `apply`; by default it is `apply`, without new buffers. */
  readonly train?: (weights: Tensors, inputs: Tensors, key: Tensor) => Trained;
  /** Whether `train` draws random numbers by its key, int32 [2], another one for each batch; it is given none otherwise. */
  readonly isRandom?: boolean;
}

/** The logits, and the state after the batch. */
export interface Carried {
  readonly logits: Tensor;
  readonly state: Tensors;
  /** The last hidden layer, which the last layer turns into logits: [rows, width], of several members the mean of theirs. */
  readonly rows?: Tensor;
}

/** The last layer of a model whose logits are too many to be held at once. */
export interface Head {
  /** The number of chunks of equal size that the rows are cut into. */
  readonly numChunks: number;
  /** Rows [rows, width] to logits [rows, classes]. */
  readonly logits: (weights: Tensors, rows: Tensor) => Tensor;
}

/** The logits by which a model learns, and its buffers and its state after the step. */
export interface Trained {
  readonly logits: Tensor;
  readonly buffers: Tensors;
  readonly state?: Tensors;
  /** As of {@link Carried}. */
  readonly rows?: Tensor;
}

/** Applies dropout to a part of a network, by its place, in which no two parts are alike. */
export type Drop = (part: Tensor, place: number) => Tensor;

/**
 * How a network is trained that drops inner values at a rate: `run` with dropout at the places that it names. Nothing at
 * rate 0, where training is what predicting is.
 */
export function droppedTraining(
  rate: number,
  run: (weights: Tensors, inputs: Tensors, drop: Drop) => Omit<Trained, "buffers"> & Partial<Pick<Trained, "buffers">>,
): Pick<Model, "isRandom" | "train"> {
  if (rate === 0) return {};
  return {
    isRandom: true,
    train: (weights, inputs, key) => ({
      buffers: {},
      ...run(weights, inputs, (part, place) => dropout(part, rate, key, place)),
    }),
  };
}

/** The weights of a model. */
export type Weighted = Pick<Model, "params" | "buffers">;

/** Fresh params. Each draws from its own key, so adding one changes no other. */
function initParams(model: Model, key: Key): NamedArrays {
  return mapValues(model.params, ({ shape, init }, name) => init(fold(key, name), shape));
}

/** Fresh weights: params, and buffers as they begin. */
export function initWeights(model: Model, key: Key): NamedArrays {
  return { ...initParams(model, key), ...mapValues(model.buffers ?? {}, ({ shape, fill }) => filled(shape, fill)) };
}

/** The shapes of all that a model reads beside its inputs: params, then buffers. */
export function weightSpecs({ params, buffers }: Weighted): Record<string, { readonly shape: readonly number[] }> {
  return { ...params, ...buffers };
}

/** The logits, and the state after the batch. */
export function carry(model: Model, weights: Tensors, inputs: Tensors): Carried {
  return model.carry?.(weights, inputs) ?? { logits: model.apply(weights, inputs), state: {} };
}

/** The name under which a step of a random model is fed its key. */
export const keyName = "key";

/** The logits in training, the new buffers and the state after the batch. */
export function train(
  model: Model,
  weights: Tensors,
  inputs: Tensors,
  key: Tensor = input(keyName, [2], "int32"),
): Trained & Required<Pick<Trained, "state">> {
  const trained = model.train?.(weights, inputs, key) ?? { ...carry(model, weights, inputs), buffers: {} };
  return { state: {}, ...trained };
}

/** The model's inputs as graph inputs. */
export function inputTensors(model: Model): Tensors {
  return mapValues(model.inputs, ({ shape, dtype }, name) => input(name, shape, dtype));
}

/** A set of the model's params as graph inputs named `prefix.path`. */
export function paramTensors(model: Model, prefix: string): Tensors {
  return mapValues(model.params, ({ shape }, name) => input(`${prefix}.${name}`, shape));
}

/** The model's buffers as graph inputs named `prefix.path`. */
function bufferTensors({ buffers = {} }: Weighted, prefix: string): Tensors {
  return mapValues(buffers, ({ shape }, name) => input(`${prefix}.${name}`, shape));
}

/** The model's state as graph inputs named `prefix.path`. */
export function stateTensors({ state = {} }: Pick<Model, "state">, prefix: string): Tensors {
  return mapValues(state, ({ shape }, name) => input(`${prefix}.${name}`, shape));
}

/** A set of the model's weights as graph inputs; its buffers may be under another prefix than its params. */
export function weightTensors(model: Model, prefix: string, bufferPrefix = prefix): Tensors {
  return { ...paramTensors(model, prefix), ...bufferTensors(model, bufferPrefix) };
}

/** Number of trainable values. */
export function countParams(model: Model): number {
  return Object.values(model.params).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
}
