/** The node of a vector as a call: what our operations ask it for. */
import type { AttributeProto, NodeProto } from "../../src/graph/onnx-proto.js";
import { input } from "../../src/graph/ops.js";
import type { Axis, Tensor } from "../../src/graph/tensor.js";
import type { NamedArrays, NdArray } from "../../src/runtime/array.js";
import { notOurs } from "./values.js";

export interface Call {
  readonly node: NodeProto;
  readonly numInputs: number;
  /** Whether an input is given. */
  readonly has: (i: number) => boolean;
  /** An input as a tensor that a run feeds. */
  readonly tensor: (i: number) => Tensor;
  /** The same, with its leading axis left open until a run brings it. */
  readonly batched: (i: number) => Tensor;
  /** What an input holds: shapes, axes, bounds, which ours takes as numbers. */
  readonly array: (i: number) => NdArray;
  readonly int: (name: string, otherwise: number) => number;
  readonly float: (name: string, otherwise: number) => number;
  readonly text: (name: string, otherwise: string) => string;
  readonly ints: (name: string) => readonly number[] | undefined;
  readonly attribute: (name: string) => AttributeProto | undefined;
}

/** A call whose inputs are arrays by position; undefined for those that are left out. Also what it is fed. */
export function callOf(
  node: NodeProto,
  arrays: readonly (() => NdArray | undefined)[],
): { readonly call: Call; readonly feeds: () => NamedArrays } {
  const asked = new Map<string, NdArray>();
  const arrayAt = (i: number): NdArray => arrays[i]?.() ?? notGiven(node, i);
  const inputs = new Map<string, Tensor>();
  const fed = (i: number, leading?: Axis): Tensor => {
    const array = arrayAt(i);
    const name = `x${i}`;
    const shape = leading === undefined ? array.shape : array.shape.map((size, axis) => (axis === 0 ? leading : size));
    const tensor = inputs.get(name) ?? input(name, shape, array.dtype);
    inputs.set(name, tensor);
    asked.set(name, array);
    return tensor;
  };
  const call = callWith(node, arrays.length, (i) => arrays[i]?.() !== undefined, fed, arrayAt);
  return { call, feeds: () => Object.fromEntries(asked) };
}

/** A call within a graph that a node runs: its inputs are tensors already. */
export function callOn(node: NodeProto, tensors: readonly (Tensor | undefined)[]): Call {
  const unknown = () => notOurs("a body that reads shapes or bounds from tensors");
  const tensorAt = (i: number) => tensors[i] ?? notGiven(node, i);
  return callWith(node, tensors.length, (i) => tensors[i] !== undefined, tensorAt, unknown);
}

function callWith(
  node: NodeProto,
  numInputs: number,
  has: (i: number) => boolean,
  tensor: (i: number, leading?: Axis) => Tensor,
  array: (i: number) => NdArray,
): Call {
  const attribute = (name: string) => node.attribute.find((attribute) => attribute.name === name);
  return {
    node,
    numInputs,
    has,
    tensor: (i) => tensor(i),
    batched: (i) => tensor(i, "batch"),
    array,
    attribute,
    int: (name, otherwise) => attribute(name)?.i ?? otherwise,
    float: (name, otherwise) => attribute(name)?.f ?? otherwise,
    text: (name, otherwise) => {
      const bytes = attribute(name)?.s;
      return bytes ? new TextDecoder().decode(bytes) : otherwise;
    },
    ints: (name) => attribute(name)?.ints,
  };
}

function notGiven({ opType }: NodeProto, i: number): never {
  throw new Error(`${opType}: input ${i} is not given`);
}

/** The numbers that an input holds, or an attribute in older forms of the operation; undefined where neither is given. */
export function numbersAt(call: Call, i: number, attribute?: string): number[] | undefined {
  if (call.has(i)) return [...(call.array(i).data as ArrayLike<number> & Iterable<number>)];
  const listed = attribute === undefined ? undefined : call.ints(attribute);
  return listed && [...listed];
}

/** Axes counted from the first. */
export function fromFirst(axes: readonly number[], rank: number): number[] {
  return axes.map((axis) => (axis < 0 ? axis + rank : axis));
}

/** The attribute `axis`, counted from the first. */
export function axisOf(call: Call, rank: number, otherwise: number): number {
  return fromFirst([call.int("axis", otherwise)], rank)[0] as number;
}

/** Our sizes of a tensor whose axes are all known. */
export function sizes({ shape }: Tensor): number[] {
  return shape as number[];
}

/** What ours makes of a call: the results of the node, in order. */
export type Translation = (call: Call) => Tensor | readonly Tensor[];

export type Translations = Readonly<Record<string, Translation>>;
