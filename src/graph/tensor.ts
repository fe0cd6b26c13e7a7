import { ShapeError } from "../errors.js";
import type { ComputedDType, DType, NdArray } from "../runtime/array.js";
import type { Convolution, Windows } from "./geometry.js";
import { type Axis, formatShape, isSymbolic, type Shape, sameShape } from "./shape.js";

export { type Axis, formatShape, type Shape } from "./shape.js";

type None = Readonly<Record<never, never>>;

/** What a graph begins with, and further results. */
export interface LeafOps {
  input: { readonly name: string };
  constant: { readonly value: NdArray };
  stopGradient: None;
  /** A further result of an operation that has several. */
  part: { readonly index: number };
}

/** Element by element, with broadcasting. */
export interface ElementwiseOps {
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
  add: None;
  sub: None;
  mul: None;
  div: None;
  maximum: None;
  minimum: None;
  where: None;
  cast: { readonly to: ComputedDType };
  // Activations that ONNX Runtime has as one kernel.
  gelu: None;
  quickGelu: { readonly alpha: number };
  // Comparisons and logic.
  greater: None;
  greaterOrEqual: None;
  equal: None;
  and: None;
  or: None;
  not: None;
}

/** Sums and the like over axes, and products of matrices. */
export interface ContractionOps {
  reduceSum: { readonly axes: readonly number[]; readonly keepDims: boolean };
  reduceMean: { readonly axes: readonly number[]; readonly keepDims: boolean };
  reduceMax: { readonly axes: readonly number[]; readonly keepDims: boolean };
  reduceMin: { readonly axes: readonly number[]; readonly keepDims: boolean };
  argMax: { readonly axis: number };
  cumulativeSum: { readonly axis: number; readonly exclusive: boolean; readonly reverse: boolean };
  countAlong: { readonly axes: readonly number[] };
  matmul: { readonly transposeA: boolean; readonly transposeB: boolean; readonly scale: number };
  quantisedMatmul: { readonly pieces: 1 | 2 };
}

/** Normalisation of channels, and along the last axis. */
export interface NormalisationOps {
  batchNorm: { readonly epsilon: number };
  normalise: { readonly epsilon: number };
  channelDots: None;
  layerNorm: { readonly epsilon: number };
  softmax: None;
  logSoftmax: None;
  logSoftmaxAt: None;
}

/** Windows over space: convolutions and pools. */
export interface ConvolutionOps {
  conv: Convolution;
  convTranspose: Convolution & { readonly outputPadding: readonly number[] };
  convWeightGrad: Convolution & { readonly kernel: readonly number[] };
  maxPool: Windows & { readonly kernel: readonly number[] };
  averagePool: Windows & { readonly kernel: readonly number[]; readonly countIncludePad: boolean };
  scatterWithin: { readonly sizes: readonly number[] };
  gatherWithin: None;
}

/** The same elements in other places. */
export interface ShapeOps {
  expand: None;
  reshape: { readonly shape: Shape };
  transpose: { readonly permutation: readonly number[] };
  concat: { readonly axis: number };
  slice: { readonly axis: number; readonly start: number; readonly end: number };
  split: { readonly axis: number; readonly sizes: readonly number[] };
  flip: { readonly axis: number };
  pad: { readonly axis: number; readonly before: number; readonly after: number };
}

/** Rows and elements by position. */
export interface IndexOps {
  gather: None;
  scatterAdd: { readonly numRows: Axis };
  setRows: None;
  firstEqual: None;
  takeAlong: { readonly axis: number };
  addAlong: { readonly axis: number };
  topK: { readonly k: number };
}

/** Numbers that look random: functions of a key, and of whole numbers. */
export interface RandomOps {
  randomUniform: { readonly stream: number };
  hash: { readonly numBuckets: number; readonly stream: number };
}

/** Loops over time. */
export interface ScanOps {
  scan: { readonly body: ScanBody; readonly reverse: boolean };
}

/**
 * The closed set of operations, each with its attributes. Shape rules and meaning stand in `ops.ts`, by the same
 * families.
 */
export interface Attributes
  extends LeafOps,
    ElementwiseOps,
    ContractionOps,
    NormalisationOps,
    ConvolutionOps,
    ShapeOps,
    IndexOps,
    RandomOps,
    ScanOps {}

/** What one step of a loop computes: from inputs of its own, and from values of outside that all steps share. */
export interface ScanBody {
  readonly states: readonly Tensor[];
  readonly elements: readonly Tensor[];
  readonly captured: readonly Tensor[];
  readonly nextStates: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  /** The tensors that the gradient needs: the states before each step, then the products, which cost most to remake. */
  readonly saved: readonly Tensor[];
}

export type Op = keyof Attributes;

/** A symbolic value: an operation and its inputs. It owns no memory; {@link Graph}s of it are compiled. */
export interface Tensor<O extends Op = Op> {
  readonly op: O;
  readonly inputs: readonly Tensor[];
  readonly attributes: Attributes[O];
  readonly shape: Shape;
  readonly dtype: DType;
  /** The further results of an operation that has several, from 1 on; the tensor itself is the first. */
  readonly parts?: readonly Result[];
}

/** The shape and dtype of one of several results. */
export interface Result {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** Symbolic tensors by name. */
export type Tensors = Readonly<Record<string, Tensor>>;

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
 * All tensors that the roots depend on, each after its inputs; the same order for the same graph. The `given` tensors
 * are left out, with all that only they depend on.
 */
export function topologicalOrder(roots: readonly Tensor[], given: ReadonlySet<Tensor> = new Set()): Tensor[] {
  const order: Tensor[] = [];
  const seen = new Set<Tensor>();
  const isDone = (tensor: Tensor) => seen.has(tensor) || given.has(tensor);
  const stack = [...roots].reverse().map((tensor) => ({ tensor, next: 0 }));
  while (stack.length > 0) {
    const top = stack[stack.length - 1] as { tensor: Tensor; next: number };
    const input = isDone(top.tensor) ? undefined : top.tensor.inputs[top.next++];
    if (input) {
      if (!isDone(input)) stack.push({ tensor: input, next: 0 });
    } else {
      stack.pop();
      if (!isDone(top.tensor)) order.push(top.tensor);
      seen.add(top.tensor);
    }
  }
  return order;
}

/** The name of placeholders, which no input of a graph may have. */
const PLACEHOLDER = "%of a step";

/** A placeholder for a value that a loop gives each of its steps. Unlike an input of a graph it equals only itself. */
export function placeholder({ shape, dtype }: Result): Tensor<"input"> {
  return node("input", [], { name: PLACEHOLDER }, shape, dtype);
}

/** Whether two tensors are one input of a graph: inputs of one name, shape and dtype, wherever they were made. */
export function isSameInput(a: Tensor, b: Tensor): boolean {
  if (!isOp(a, "input") || !isOp(b, "input")) return false;
  const { name } = a.attributes;
  if (name === PLACEHOLDER) return a === b;
  return name === b.attributes.name && a.dtype === b.dtype && sameShape(a.shape, b.shape);
}
