/**
 * The reference: every operation again, in double precision, as plainly as it can be said. It shares nothing with the
 * ONNX emission but the types, so that the two can be held against each other.
 */
import type { Attributes, Graph, Op, Tensor } from "../src/graph/tensor.js";

/** Anything with a shape and elements in row-major order, an NdArray included; a bool is 0 or 1. */
export interface Values {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number> | readonly string[];
}

/** Numbers in double precision. */
export interface Numbers {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** What a graph computes from what it is fed: outputs and the new values of kept inputs, by name. */
export function interpret(
  graph: Graph,
  feeds: Readonly<Record<string, Values>>,
): { readonly outputs: Record<string, Numbers>; readonly updates: Record<string, Numbers> } {
  const known = new Map<Tensor, Values>();
  const evaluate = (tensor: Tensor): Values => {
    const before = known.get(tensor);
    if (before) return before;
    const rule = rules[tensor.op] as Rule<Op>;
    const value = rule({ attributes: tensor.attributes, inputs: tensor.inputs.map(evaluate), feeds });
    known.set(tensor, value);
    return value;
  };
  const all = (tensors: Readonly<Record<string, Tensor>>) =>
    Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, numbers(evaluate(tensor))]));
  return { outputs: all(graph.outputs), updates: all(graph.updates) };
}

/** Values as double precision numbers. */
export function numbers({ shape, data }: Values): Numbers {
  if (Array.isArray(data)) {
    if (data.some((element) => typeof element === "string")) throw new Error("numbers expected, got strings");
  }
  return { shape, data: Float64Array.from(data as ArrayLike<number>) };
}

interface Call<O extends Op> {
  readonly attributes: Attributes[O];
  readonly inputs: readonly Values[];
  readonly feeds: Readonly<Record<string, Values>>;
}

type Rule<O extends Op> = (call: Call<O>) => Values;

const unary =
  (f: (x: number) => number): Rule<Op> =>
  ({ inputs }) => {
    const x = operand(inputs, 0);
    return { shape: x.shape, data: x.data.map(f) };
  };

const binary =
  (f: (x: number, y: number) => number): Rule<Op> =>
  ({ inputs }) => {
    const [x, y] = [operand(inputs, 0), operand(inputs, 1)];
    return build(broadcast(x.shape, y.shape), (at) => f(aligned(x, at), aligned(y, at)));
  };

const rules: { readonly [O in Op]: Rule<O> } = {
  input: ({ attributes: { name }, feeds }) => {
    const fed = feeds[name];
    if (!fed) throw new Error(`interpret: "${name}" was not fed`);
    return fed;
  },
  constant: ({ attributes: { value } }) => value,
  stopGradient: ({ inputs }) => operand(inputs, 0),
  neg: unary((x) => -x),
  exp: unary(Math.exp),
  log: unary(Math.log),
  sqrt: unary(Math.sqrt),
  relu: unary((x) => Math.max(x, 0)),
  sigmoid: unary((x) => 1 / (1 + Math.exp(-x))),
  softplus: unary((x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))),
  add: binary((x, y) => x + y),
  sub: binary((x, y) => x - y),
  mul: binary((x, y) => x * y),
  div: binary((x, y) => x / y),
  greater: binary((x, y) => (x > y ? 1 : 0)),
  where: ({ inputs }) => {
    const [condition, x, y] = [operand(inputs, 0), operand(inputs, 1), operand(inputs, 2)];
    const shape = broadcast(broadcast(condition.shape, x.shape), y.shape);
    return build(shape, (at) => (aligned(condition, at) !== 0 ? aligned(x, at) : aligned(y, at)));
  },
  cast: ({ attributes: { to }, inputs }) => {
    const x = operand(inputs, 0);
    const convert = { float32: (v: number) => v, int32: Math.trunc, bool: (v: number) => (v !== 0 ? 1 : 0) };
    if (to === "string") throw new Error("interpret: nothing is cast to strings");
    return { shape: x.shape, data: x.data.map(convert[to]) };
  },
  matmul: ({ attributes: { transposeA, transposeB }, inputs }) => {
    const [a, b] = [operand(inputs, 0), operand(inputs, 1)];
    const [rows = 0, inner = 0] = transposeA ? [a.shape[1], a.shape[0]] : a.shape;
    const columns = b.shape[transposeB ? 0 : 1] ?? 0;
    return build([rows, columns], ([i = 0, j = 0]) => {
      let sum = 0;
      for (let k = 0; k < inner; k++)
        sum += aligned(a, transposeA ? [k, i] : [i, k]) * aligned(b, transposeB ? [j, k] : [k, j]);
      return sum;
    });
  },
  reduceSum: ({ attributes: { axes, keepDims }, inputs }) => sumOver(operand(inputs, 0), axes, keepDims),
  reduceMean: ({ attributes: { axes, keepDims }, inputs }) => {
    const x = operand(inputs, 0);
    const sum = sumOver(x, axes, keepDims);
    return { shape: sum.shape, data: sum.data.map((element) => element / span(x.shape, axes)) };
  },
  countAlong: ({ attributes: { axes }, inputs }) => ({ shape: [], data: [span(inputs[0]?.shape ?? [], axes)] }),
  expand: ({ inputs }) => {
    const [x, like] = [operand(inputs, 0), operand(inputs, 1)];
    return build(like.shape, (at) => aligned(x, at));
  },
  reshape: ({ attributes: { shape }, inputs }) => {
    const x = operand(inputs, 0);
    const others = shape.reduce<number>((product, axis) => (axis === "batch" ? product : product * axis), 1);
    return { shape: shape.map((axis) => (axis === "batch" ? x.data.length / others : axis)), data: x.data };
  },
  transpose: ({ attributes: { permutation }, inputs }) => {
    const x = operand(inputs, 0);
    const shape = permutation.map((axis) => x.shape[axis] ?? 0);
    return build(shape, (at) => {
      const source: number[] = [];
      permutation.forEach((axis, i) => {
        source[axis] = at[i] ?? 0;
      });
      return aligned(x, source);
    });
  },
  concat: ({ attributes: { axis }, inputs }) => {
    const parts = inputs.map((_, i) => operand(inputs, i));
    const shape = [...(parts[0]?.shape ?? [])];
    shape[axis] = parts.reduce((sum, part) => sum + (part.shape[axis] ?? 0), 0);
    return build(shape, (at) => {
      let position = at[axis] ?? 0;
      for (const part of parts) {
        const size = part.shape[axis] ?? 0;
        if (position < size) return aligned(part, at.with(axis, position));
        position -= size;
      }
      throw new Error("interpret: concat ran past its inputs");
    });
  },
  slice: ({ attributes: { axis, start, end }, inputs }) => {
    const x = operand(inputs, 0);
    return build(x.shape.with(axis, end - start), (at) => aligned(x, at.with(axis, (at[axis] ?? 0) + start)));
  },
  pad: ({ attributes: { axis, before, after }, inputs }) => {
    const x = operand(inputs, 0);
    const size = x.shape[axis] ?? 0;
    return build(x.shape.with(axis, before + size + after), (at) => {
      const position = (at[axis] ?? 0) - before;
      return position >= 0 && position < size ? aligned(x, at.with(axis, position)) : 0;
    });
  },
  gather: ({ inputs }) => {
    const [table, indices] = [operand(inputs, 0), operand(inputs, 1)];
    const rank = indices.shape.length;
    return build([...indices.shape, ...table.shape.slice(1)], (at) => {
      const row = aligned(indices, at.slice(0, rank));
      if (!(row >= 0 && row < (table.shape[0] ?? 0))) throw new Error(`interpret: gather has no row ${row}`);
      return aligned(table, [row, ...at.slice(rank)]);
    });
  },
  scatterAdd: ({ attributes: { numRows }, inputs }) => {
    const [indices, updates] = [operand(inputs, 0), operand(inputs, 1)];
    const rest = updates.shape.slice(indices.shape.length);
    const width = count(rest);
    const data = new Float64Array(numRows * width);
    indices.data.forEach((row, i) => {
      if (!(row >= 0 && row < numRows)) throw new Error(`interpret: scatterAdd has no row ${row}`);
      for (let j = 0; j < width; j++) data[row * width + j]! += updates.data[i * width + j] ?? 0;
    });
    return { shape: [numRows, ...rest], data };
  },
  lookup: ({ attributes: { keys }, inputs }) => {
    const { shape = [], data = [] } = inputs[0] ?? {};
    return { shape, data: (data as readonly string[]).map((text) => keys.indexOf(text) + 1) };
  },
};

function operand(inputs: readonly Values[], position: number): Numbers {
  const value = inputs[position];
  if (!value) throw new Error(`interpret: operand ${position} is missing`);
  return value.data instanceof Float64Array ? (value as Numbers) : numbers(value);
}

function count(shape: readonly number[]): number {
  return shape.reduce((product, axis) => product * axis, 1);
}

/** An array from a function of the coordinates of each element. */
function build(shape: readonly number[], element: (at: readonly number[]) => number): Numbers {
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

/** The element at coordinates that are aligned at the last axis; an axis of size 1 is repeated. */
function aligned({ shape, data }: Numbers, at: readonly number[]): number {
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

function broadcast(a: readonly number[], b: readonly number[]): number[] {
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
function span(shape: readonly number[], axes: readonly number[]): number {
  return axes.reduce((product, axis) => product * (shape[axis] ?? 0), 1);
}

function sumOver(x: Numbers, axes: readonly number[], keepDims: boolean): Numbers {
  const kept = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const data = new Float64Array(count(kept));
  const strides = kept.map((_, axis) => (kept[axis] === 1 ? 0 : count(kept.slice(axis + 1))));
  build(x.shape, (at) => {
    const target = at.reduce((offset, position, axis) => offset + position * (strides[axis] ?? 0), 0);
    data[target]! += aligned(x, at);
    return 0;
  });
  return { shape: keepDims ? kept : x.shape.filter((_, axis) => !axes.includes(axis)), data };
}
