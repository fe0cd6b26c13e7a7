/** What operations make of small constants. */
import type { NdArray } from "../../runtime/array.js";
import type { Op, Shape, Tensor } from "../tensor.js";

/** The elements of a result, in double precision; nothing where the engine's bits are not known. */
export type FoldRule<O extends Op = Op> = (
  values: readonly NdArray[],
  tensor: Tensor<O>,
) => readonly number[] | undefined;

/** The smallest normal float32: the engine takes what is smaller for 0. */
const LEAST = 2 ** -126;

/** Operations that are not here are left to the engine. */
export const foldValues: { readonly [O in Op]?: FoldRule<O> } = {
  neg: unary((x) => -x),
  abs: unary(Math.abs),
  relu: unary((x) => (x !== 0 ? Math.max(x, 0) : undefined)),
  floor: unary((x) => (Math.floor(x) !== 0 ? Math.floor(x) : undefined)),
  not: unary((x) => Number(x === 0)),
  clamp: ([x], { attributes: { min, max } }) =>
    all(elements(x).map((value) => (value === 0 ? undefined : Math.min(Math.max(value, min), max)))),
  add: binary((x, y) => x + y),
  sub: binary((x, y) => x - y),
  mul: binary((x, y) => x * y),
  div: binary((x, y) => x / y),
  maximum: binary((x, y) => (x === y ? (Object.is(x, y) ? x : undefined) : Math.max(x, y))),
  minimum: binary((x, y) => (x === y ? (Object.is(x, y) ? x : undefined) : Math.min(x, y))),
  greater: binary((x, y) => Number(x > y)),
  greaterOrEqual: binary((x, y) => Number(x >= y)),
  equal: binary((x, y) => Number(x === y)),
  and: binary((x, y) => Number(x !== 0 && y !== 0)),
  or: binary((x, y) => Number(x !== 0 || y !== 0)),
  where: ([condition, x, y], { shape }) =>
    positions(shape).map((at) => (aligned(condition, at) !== 0 ? aligned(x, at) : aligned(y, at))),
  cast: ([x], { attributes: { to } }) => {
    const isWithin = (value: number) => Math.abs(value) < 2 ** 31;
    if (to === "bool") return elements(x).map((value) => Number(value !== 0));
    return all(
      elements(x).map((value) => (to === "float32" ? value : isWithin(value) ? Math.trunc(value) : undefined)),
    );
  },
  reshape: ([x]) => elements(x),
  expand: ([x], { shape }) => positions(shape).map((at) => aligned(x, at)),
  transpose: ([x], { attributes: { permutation }, shape }) =>
    positions(shape).map((at) =>
      aligned(
        x,
        permutation.map((_, axis) => at[permutation.indexOf(axis)] as number),
      ),
    ),
  slice: ([x], { attributes: { axis, start }, shape }) => moved(x, shape, axis, (position) => position + start),
  flip: ([x], { attributes: { axis }, shape }) =>
    moved(x, shape, axis, (position) => (shape[axis] as number) - 1 - position),
  pad: ([x], { attributes: { axis, before }, shape }) => moved(x, shape, axis, (position) => position - before),
  concat: (values, { attributes: { axis }, shape }) => {
    const starts = values.map((_, i) => values.slice(0, i).reduce((sum, value) => sum + (value.shape[axis] ?? 0), 0));
    return positions(shape).map((at) => {
      const position = at[axis] ?? 0;
      const which = starts.findLastIndex((start) => start <= position);
      return aligned(values[which], at.with(axis, position - (starts[which] ?? 0)));
    });
  },
};

/** Arithmetic in double precision, rounded to float32 at the end, is correctly rounded: 53 >= 2 x 24 + 2 (Figueroa 1995). */
function unary(f: (x: number) => number | undefined): FoldRule {
  return ([x]) => all(elements(x).map(f));
}

function binary(f: (x: number, y: number) => number | undefined): FoldRule {
  return ([x, y], { shape }) => all(positions(shape).map((at) => f(aligned(x, at), aligned(y, at))));
}

function all(values: readonly (number | undefined)[]): readonly number[] | undefined {
  const isSure = (value: number | undefined) => value !== undefined && (value === 0 || !(Math.abs(value) < LEAST));
  return values.every(isSure) ? (values as readonly number[]) : undefined;
}

/** Elements by their position along one axis, 0 beyond its ends. */
function moved(x: NdArray | undefined, shape: Shape, axis: number, from: (position: number) => number): number[] {
  return positions(shape).map((at) => {
    const position = from(at[axis] ?? 0);
    return position >= 0 && position < (x?.shape[axis] ?? 0) ? aligned(x, at.with(axis, position)) : 0;
  });
}

function elements(x: NdArray | undefined): number[] {
  return [...((x?.data ?? []) as Iterable<number>)];
}

/** The positions of a known shape in row-major order. */
function positions(shape: Shape): number[][] {
  return (shape as readonly number[]).reduce<number[][]>(
    (all, size) => all.flatMap((at) => Array.from({ length: size }, (_, i) => [...at, i])),
    [[]],
  );
}

/** The element that broadcasts to a position. */
function aligned(x: NdArray | undefined, at: readonly number[]): number {
  const { shape, data } = x as NdArray;
  const own = at.slice(at.length - shape.length);
  const offset = shape.reduce((sum, size, axis) => sum * size + (size === 1 ? 0 : (own[axis] ?? 0)), 0);
  return Number(data[offset]);
}
