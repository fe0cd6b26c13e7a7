import { ShapeError } from "../errors.js";
import type { DType, NdArray } from "../runtime/array.js";
import type { Convolution, Windows } from "./geometry.js";
import { formatShape, isSymbolic, type Shape } from "./shape.js";

export { type Axis, formatShape, type Shape } from "./shape.js";

type None = Readonly<Record<never, never>>;

/** The closed set of operations, each with its attributes. Shape rules and meaning stand in `ops.ts`. */
export interface Attributes {
  input: { readonly name: string };
  constant: { readonly value: NdArray };
  stopGradient: None;
  /** A further result of an operation that has several. */
  part: { readonly index: number };
  neg: None;
  exp: None;
  log: None;
  sqrt: None;
  relu: None;
  sigmoid: None;
  softplus: None;
  abs: None;
  sign: None;
  tanh: None;
  erf: None;
  floor: None;
  sin: None;
  cos: None;
  clamp: { readonly min: number; readonly max: number };
  gelu: None;
  quickGelu: { readonly alpha: number };
  add: None;
  sub: None;
  mul: None;
  div: None;
  maximum: None;
  minimum: None;
  greater: None;
  greaterOrEqual: None;
  equal: None;
  and: None;
  or: None;
  not: None;
  where: None;
  cast: { readonly to: DType };
  matmul: { readonly transposeA: boolean; readonly transposeB: boolean; readonly scale: number };
  reduceSum: { readonly axes: readonly number[]; readonly keepDims: boolean };
  reduceMean: { readonly axes: readonly number[]; readonly keepDims: boolean };
  reduceMax: { readonly axes: readonly number[]; readonly keepDims: boolean };
  reduceMin: { readonly axes: readonly number[]; readonly keepDims: boolean };
  argMax: { readonly axis: number };
  cumulativeSum: { readonly axis: number; readonly exclusive: boolean; readonly reverse: boolean };
  softmax: None;
  logSoftmax: None;
  logSoftmaxAt: None;
  layerNorm: { readonly epsilon: number };
  countAlong: { readonly axes: readonly number[] };
  expand: None;
  reshape: { readonly shape: Shape };
  transpose: { readonly permutation: readonly number[] };
  concat: { readonly axis: number };
  slice: { readonly axis: number; readonly start: number; readonly end: number };
  split: { readonly axis: number; readonly sizes: readonly number[] };
  pad: { readonly axis: number; readonly before: number; readonly after: number };
  flip: { readonly axis: number };
  takeAlong: { readonly axis: number };
  addAlong: { readonly axis: number };
  topK: { readonly k: number };
  randomUniform: { readonly stream: number };
  gather: None;
  scatterAdd: { readonly numRows: number };
  scan: { readonly body: ScanBody; readonly reverse: boolean };
  lookup: { readonly keys: readonly string[] };
  conv: Convolution;
  convTranspose: Convolution & { readonly outputPadding: readonly number[] };
  convWeightGrad: Convolution & { readonly kernel: readonly number[] };
  maxPool: Windows & { readonly kernel: readonly number[] };
  averagePool: Windows & { readonly kernel: readonly number[]; readonly countIncludePad: boolean };
  scatterWithin: { readonly sizes: readonly number[] };
  gatherWithin: None;
  batchNorm: { readonly epsilon: number };
  normalise: { readonly epsilon: number };
  channelDots: None;
}

/** What one step of a loop computes: from placeholders of its own, and from values of outside that all steps share. */
export interface ScanBody {
  readonly states: readonly Tensor[];
  readonly elements: readonly Tensor[];
  readonly captured: readonly Tensor[];
  readonly nextStates: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  /** What the way back asks for: the states before each step, then the products, which cost most to compute again. */
  readonly saved: readonly Tensor[];
}

export type Op = keyof Attributes;

/** A symbolic value: what operation made it, from what. It owns no memory; {@link Graph}s of it are compiled. */
export interface Tensor<O extends Op = Op> {
  readonly op: O;
  readonly inputs: readonly Tensor[];
  readonly attributes: Attributes[O];
  readonly shape: Shape;
  readonly dtype: DType;
  /** Of an operation with several results: what the further ones are, from 1; the tensor itself is the first. */
  readonly parts?: readonly Result[];
}

/** What one of several results is. */
export interface Result {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** Symbolic tensors by name. */
export type Tensors = Readonly<Record<string, Tensor>>;

/** What a program computes. */
export interface Graph {
  /** Values that a run returns, by name. */
  readonly outputs: Readonly<Record<string, Tensor>>;
  /** New values of inputs that live with the engine, by the name of the input. */
  readonly updates: Readonly<Record<string, Tensor>>;
  /** A bool scalar: where it does not hold, a run leaves what it would update as it is, to the bit. */
  readonly when?: Tensor;
}

/** Make a node. Throws {@link ShapeError} when "batch" is not the leading axis. */
export function node<O extends Op>(
  op: O,
  inputs: readonly Tensor[],
  attributes: Attributes[O],
  shape: Shape,
  dtype: DType,
  parts?: readonly Result[],
): Tensor<O> {
  if (shape.some((axis, i) => isSymbolic(axis) && i > 0)) {
    throw new ShapeError(`${op}: "batch" must be the leading axis, the result would be ${formatShape(shape)}`);
  }
  return { op, inputs, attributes, shape, dtype, ...(parts && { parts }) };
}

/** A further result of a tensor that has several; the tensor itself is result 0. */
export function part(whole: Tensor, index: number): Tensor {
  const result = whole.parts?.[index - 1];
  if (!result) throw new Error(`internal: ${whole.op} has no result ${index}`);
  return node("part", [whole], { index }, result.shape, result.dtype);
}

/** Whether a tensor was made by the given operation; narrows its attributes. */
export function isOp<O extends Op>(tensor: Tensor, op: O): tensor is Tensor<O> {
  return tensor.op === op;
}

/**
 * All tensors that the roots depend on, each after its inputs; the same order for the same graph. What the `given` ones
 * depend on is left out, and so are they.
 */
export function topologicalOrder(roots: readonly Tensor[], given: ReadonlySet<Tensor> = new Set()): Tensor[] {
  const order: Tensor[] = [];
  const seen = new Set<Tensor>(given);
  const stack = [...roots].reverse().map((tensor) => ({ tensor, next: 0 }));
  while (stack.length > 0) {
    const top = stack[stack.length - 1] as { tensor: Tensor; next: number };
    const input = seen.has(top.tensor) ? undefined : top.tensor.inputs[top.next++];
    if (input) {
      if (!seen.has(input)) stack.push({ tensor: input, next: 0 });
    } else {
      stack.pop();
      if (!seen.has(top.tensor)) order.push(top.tensor);
      seen.add(top.tensor);
    }
  }
  return order;
}

/** The tensors that a graph returns or keeps, outputs first, and what it asks in between. */
export function rootsOf(graph: Graph): Tensor[] {
  return [...alwaysOf(graph), ...Object.values(graph.updates)];
}

/** The tensors that every run computes: those that it returns, and whether it updates anything. */
export function alwaysOf({ outputs, when }: Graph): Tensor[] {
  return [...Object.values(outputs), ...(when ? [when] : [])];
}

/** The inputs of a graph by name. Throws {@link ShapeError} when two different inputs share a name. */
export function inputsOf(graph: Graph): Map<string, Tensor<"input">> {
  const inputs = new Map<string, Tensor<"input">>();
  for (const tensor of topologicalOrder(rootsOf(graph))) {
    if (!isOp(tensor, "input")) continue;
    const { name } = tensor.attributes;
    if (inputs.has(name)) throw new ShapeError(`graph: two inputs are named "${name}"; give each its own name`);
    inputs.set(name, tensor);
  }
  return inputs;
}

/** A graph as text, one tensor a line, in the order of computation. */
export function formatGraph(graph: Graph): string {
  const names = new Map<Tensor, string>();
  const lines: string[] = [];
  for (const tensor of topologicalOrder(rootsOf(graph))) {
    const name = isOp(tensor, "input") ? tensor.attributes.name : `%${names.size}`;
    names.set(tensor, name);
    const parts = [...tensor.inputs.map((input) => names.get(input)), ...formatAttributes(tensor)];
    lines.push(`${name}: ${tensor.dtype}${formatShape(tensor.shape)} = ${tensor.op}(${parts.join(", ")})`);
  }
  for (const [name, tensor] of Object.entries(graph.outputs)) lines.push(`return ${name} = ${names.get(tensor)}`);
  if (graph.when) lines.push(`when ${names.get(graph.when)}`);
  for (const [name, tensor] of Object.entries(graph.updates)) lines.push(`update ${name} = ${names.get(tensor)}`);
  return lines.join("\n");
}

function formatAttributes(tensor: Tensor): string[] {
  if (isOp(tensor, "input")) return [];
  if (isOp(tensor, "constant")) return [formatValues(tensor.attributes.value)];
  if (isOp(tensor, "scan")) return formatBody(tensor);
  if (isOp(tensor, "lookup")) return [`${tensor.attributes.keys.length} keys`];
  return Object.entries(tensor.attributes).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
}

function formatBody({ attributes: { body, reverse } }: Tensor<"scan">): string[] {
  const given = new Set([...body.states, ...body.elements, ...body.captured]);
  const ops = topologicalOrder([...body.nextStates, ...body.outputs], given).map(({ op }) => op);
  return [`${body.states.length} states`, `step=${ops.join(" ")}`, `reverse=${reverse}`];
}

function formatValues({ data }: NdArray): string {
  const shown = [...data.slice(0, 4)].join(", ");
  return data.length > 4 ? `${shown}, ...` : shown;
}
