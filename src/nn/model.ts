import { toOnnx } from "../graph/onnx.js";
import { input } from "../graph/ops.js";
import type { Shape, Tensor, Tensors } from "../graph/tensor.js";
import type { DType, NamedArrays, NdArray } from "../runtime/array.js";
import { mapValues } from "../runtime/named.js";
import { fold, type Key } from "../runtime/random.js";

/** A trainable array: its shape, and how it begins. */
export interface ParamSpec {
  readonly shape: readonly number[];
  readonly init: (key: Key, shape: readonly number[]) => NdArray;
}

/** What a model reads: shape (with a leading "batch") and dtype. */
export interface InputSpec {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** A network: what it trains, what it reads, and the function between. */
export interface Model {
  /** Trainable arrays by dotted path, as `layers.0.weight`. */
  readonly params: Readonly<Record<string, ParamSpec>>;
  readonly inputs: Readonly<Record<string, InputSpec>>;
  /** The logits [batch] (binary) for given params and inputs, both by the names above. */
  readonly apply: (params: Tensors, inputs: Tensors) => Tensor;
}

/** Fresh params. Each draws from its own key, so adding one changes no other. */
export function initParams(model: Model, key: Key): NamedArrays {
  return mapValues(model.params, ({ shape, init }, name) => init(fold(key, name), shape));
}

/** The model's inputs as graph inputs. */
export function inputTensors(model: Model): Tensors {
  return mapValues(model.inputs, ({ shape, dtype }, name) => input(name, shape, dtype));
}

/** A set of the model's params as graph inputs named `prefix.path`. */
export function paramTensors(model: Model, prefix: string): Tensors {
  return mapValues(model.params, ({ shape }, name) => input(`${prefix}.${name}`, shape));
}

/** Number of trainable values. */
export function countParams(model: Model): number {
  return Object.values(model.params).reduce((sum, { shape }) => sum + shape.reduce((size, axis) => size * axis, 1), 0);
}

/** The forward graph as ONNX: equal bytes mean that two models compute the same function of their params. */
export function forwardOnnx(model: Model): Uint8Array {
  const logits = model.apply(paramTensors(model, "params"), inputTensors(model));
  return toOnnx({ outputs: { logits }, updates: {} });
}
