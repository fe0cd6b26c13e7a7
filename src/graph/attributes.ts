import type { DType, NdArray } from "../runtime/array.js";
import type { Convolution, Windows } from "./geometry.js";
import type { ScanBody } from "./ops/scan.js";
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
  add: None;
  sub: None;
  mul: None;
  div: None;
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
