import type { DType, NdArray } from "../runtime/array.js";
import type { Shape } from "./shape.js";

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
  add: None;
  sub: None;
  mul: None;
  div: None;
  maximum: None;
  minimum: None;
  greater: None;
  where: None;
  cast: { readonly to: DType };
  matmul: { readonly transposeA: boolean; readonly transposeB: boolean };
  reduceSum: { readonly axes: readonly number[]; readonly keepDims: boolean };
  reduceMean: { readonly axes: readonly number[]; readonly keepDims: boolean };
  countAlong: { readonly axes: readonly number[] };
  expand: None;
  reshape: { readonly shape: Shape };
  transpose: { readonly permutation: readonly number[] };
  concat: { readonly axis: number };
  slice: { readonly axis: number; readonly start: number; readonly end: number };
  pad: { readonly axis: number; readonly before: number; readonly after: number };
  gather: None;
  scatterAdd: { readonly numRows: number };
  lookup: { readonly keys: readonly string[] };
}
