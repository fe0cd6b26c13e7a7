/** Types and helpers of gradient rules. */
import * as ops from "../ops.js";
import type { Axis, Op, Shape, Tensor } from "../tensor.js";

/** From the cotangent of a node to the cotangents of its inputs; null where none flows. */
export type Rule<O extends Op> = (cotangent: Tensor, node: Tensor<O>, ...inputs: Tensor[]) => (Tensor | null)[];

/** Operations that end a gradient on purpose: their output is not a number to differentiate, or is held fixed. */
export const NOT_DIFFERENTIABLE = "not differentiable";

/** The rule of an operation with several results that carry gradients: a cotangent for each, null where none flows. */
export interface PartsRule<O extends Op> {
  readonly ofParts: (
    cotangents: readonly (Tensor | null)[],
    node: Tensor<O>,
    pullBack: PullBack,
    ...inputs: Tensor[]
  ) => (Tensor | null)[];
}

/**
 * From the cotangents of tensors to those of `wrt`: for each of these the sum over all tensors, null where none depends
 * on it. The walk stops at the `given` tensors.
 */
export type PullBack = (
  cotangents: readonly (readonly [tensor: Tensor, cotangent: Tensor])[],
  wrt: readonly Tensor[],
  given?: ReadonlySet<Tensor>,
) => (Tensor | null)[];

/** A rule, or its declared absence, for each of some operations. */
export type Rules<O extends Op> = { readonly [P in O]: Rule<P> | PartsRule<P> | typeof NOT_DIFFERENTIABLE };

/** Undo broadcasting: sum a cotangent over the axes along which `x` was repeated. */
export function unbroadcast(cotangent: Tensor, x: Tensor | undefined): Tensor {
  const { shape } = known(x);
  const extra = cotangent.shape.length - shape.length;
  const axes = cotangent.shape.flatMap((axis, i) => (i < extra || (shape[i - extra] === 1 && axis !== 1) ? [i] : []));
  if (axes.length === 0) return cotangent;
  // The sum drops the axes that broadcasting put in front, unless an axis of size 1 behind them must stay.
  return ops.reshape(
    ops.reduceSum(
      cotangent,
      axes,
      axes.some((axis) => axis >= extra),
    ),
    shape,
  );
}

/** Repeat the cotangent of a reduction along the reduced axes. */
export function expandReduced(cotangent: Tensor, x: Tensor, axes: readonly number[]): Tensor {
  return ops.expand(ops.reshape(cotangent, keptShape(x, axes)), x);
}

/** The shape of `x` with size 1 at the reduced axes. */
export function keptShape(x: Tensor, axes: readonly number[]): Shape {
  return x.shape.map((axis, i): Axis => (axes.includes(i) ? 1 : axis));
}

/** A number to double precision, where the reference computes in it: the nearest float32, plus the rest. */
export function precise(value: number): Tensor {
  return ops.add(Math.fround(value), value - Math.fround(value));
}

export function known(x: Tensor | undefined): Tensor {
  if (!x) throw new Error("internal: a gradient rule asked for an input that its node does not have");
  return x;
}
