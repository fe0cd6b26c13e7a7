/** What the rules of the interpreter are made of. */
import { factorOf, isSymbolic } from "../../../src/graph/shape.js";
import type { Attributes, Axis, Op, Shape, Tensor } from "../../../src/graph/tensor.js";

/** Anything with a shape and elements in row-major order, an NdArray included; a bool is 0 or 1. */
export interface Values {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/** Numbers in double precision. */
export interface Numbers {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** Whether a rule gave several results. */
export function isSeveral(value: Values | readonly Values[]): value is readonly Values[] {
  return Array.isArray(value);
}

/** Values as double precision numbers. */
export function numbers({ shape, data }: Values): Numbers {
  return { shape, data: Float64Array.from(data) };
}

export interface Call<O extends Op> {
  readonly attributes: Attributes[O];
  readonly inputs: readonly Values[];
  /** The symbolic shape of the result. */
  readonly shape: Shape;
  readonly feeds: Readonly<Record<string, Values>>;
  /** The values of the tensors of a body, for given values of those it begins with. */
  readonly evaluate: (roots: readonly Tensor[], bound: ReadonlyMap<Tensor, Values>) => Values[];
}

/** The value of an operation; of each of its results, if it has several. */
export type Rule<O extends Op> = (call: Call<O>) => Values | readonly Values[];

export const unary =
  (f: (x: number) => number): Rule<Op> =>
  ({ inputs }) => {
    const x = operand(inputs, 0);
    return { shape: x.shape, data: x.data.map(f) };
  };

export const binary =
  (f: (x: number, y: number) => number): Rule<Op> =>
  ({ inputs }) => {
    const [x, y] = [operand(inputs, 0), operand(inputs, 1)];
    return build(broadcast(x.shape, y.shape), (at) => f(aligned(x, at), aligned(y, at)));
  };

export function operand(inputs: readonly Values[], position: number): Numbers {
  const value = inputs[position];
  if (!value) throw new Error(`interpret: operand ${position} is missing`);
  return value.data instanceof Float64Array ? (value as Numbers) : numbers(value);
}

/** The size that an axis has when the batch has so many examples. */
export function sizeFor(axis: Axis, numExamples: number): number {
  return isSymbolic(axis) ? factorOf(axis) * numExamples : axis;
}

export function count(shape: readonly number[]): number {
  return shape.reduce((product, axis) => product * axis, 1);
}

/** An array from a function of the coordinates of each element. */
export function build(shape: readonly number[], element: (at: readonly number[]) => number): Numbers {
  const data = new Float64Array(count(shape));
  const at = shape.map(() => 0);
  for (let i = 0; i < data.length; i++) {
    data[i] = element(at);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at[axis]!++;
      if ((at[axis] ?? 0) < (shape[axis] ?? 0)) break;
      at[axis] = 0;
    }
  }
  return { shape, data };
}

/** The vectors along the last axis. */
export function rowsOf({ shape, data }: Numbers): Float64Array[] {
  const width = shape.at(-1) ?? 1;
  return Array.from({ length: data.length / width }, (_, i) => data.subarray(i * width, (i + 1) * width));
}

/** An array whose vectors along the last axis are made of those of another. */
export function mapRows(x: Numbers, f: (row: Float64Array, i: number) => Float64Array): Numbers {
  const data = new Float64Array(x.data.length);
  rowsOf(x).forEach((row, i) => {
    data.set(f(row, i), i * row.length);
  });
  return { shape: x.shape, data };
}

/** The element at coordinates that are aligned at the last axis; an axis of size 1 is repeated. */
export function aligned({ shape, data }: Numbers, at: readonly number[]): number {
  const extra = at.length - shape.length;
  let offset = 0;
  for (let axis = 0; axis < shape.length; axis++) {
    const size = shape[axis] ?? 0;
    offset = offset * size + (size === 1 ? 0 : (at[axis + extra] ?? 0));
  }
  const element = data[offset];
  if (element === undefined) throw new Error(`interpret: nothing at [${at.join(", ")}] of [${shape.join(", ")}]`);
  return element;
}

export function broadcast(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  const fromEnd = (shape: readonly number[], i: number) => shape[shape.length - rank + i] ?? 1;
  return Array.from({ length: rank }, (_, i) => {
    const [x, y] = [fromEnd(a, i), fromEnd(b, i)];
    if (x !== y && x !== 1 && y !== 1) {
      throw new Error(`interpret: [${a.join(", ")}] and [${b.join(", ")}] do not broadcast`);
    }
    return x === 1 ? y : x;
  });
}

/** How many elements the axes span together. */
export function span(shape: readonly number[], axes: readonly number[]): number {
  return axes.reduce((product, axis) => product * (shape[axis] ?? 0), 1);
}

export function sumOver(x: Numbers, axes: readonly number[], keepDims: boolean): Numbers {
  return reduce(x, { axes, keepDims }, (sum, element) => sum + element, 0);
}

/** The elements along the axes, taken into `start` one after the other. */
export function reduce(
  x: Numbers,
  { axes, keepDims }: { readonly axes: readonly number[]; readonly keepDims: boolean },
  take: (before: number, element: number) => number,
  start: number,
): Numbers {
  const kept = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const data = new Float64Array(count(kept)).fill(start);
  const strides = kept.map((_, axis) => (kept[axis] === 1 ? 0 : count(kept.slice(axis + 1))));
  build(x.shape, (at) => {
    const target = at.reduce((offset, position, axis) => offset + position * (strides[axis] ?? 0), 0);
    data[target] = take(data[target] ?? 0, aligned(x, at));
    return 0;
  });
  return { shape: keepDims ? kept : x.shape.filter((_, axis) => !axes.includes(axis)), data };
}

/** A rule for each of some operations. */
export type Rules<O extends Op> = { readonly [P in O]: Rule<P> };
