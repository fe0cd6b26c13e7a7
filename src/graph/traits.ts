/**
 * Properties of operations beside their shapes, gradients and nodes, in one total table: an operation that is forgotten
 * here does not compile.
 */
import type { Op } from "./tensor.js";

export interface Traits {
  /** Every element of the result is written once, and is no sum, so that threads cannot change its bits. */
  readonly isWrittenOnce?: true;
  /** Has the same bits with its operands in either order. A maximum has not: of 0 and -0 it may give either. */
  readonly isCommutative?: true;
  /** An engine may make the result a mere view of an operand, or leave the operation out where it changes nothing. */
  readonly mayShare?: true;
  /**
   * An engine may write the result over an operand. "elements": the operation reads each element of a tensor before it
   * overwrites the element, as a matrix product does not. "rows": it sets rows in its first operand, which its other
   * operands must not read.
   */
  readonly overwrites?: "elements" | "rows";
  /**
   * On WebGPU the CPU computes the operation, because WebGPU lacks it or computes it with fewer digits than float32
   * has: all of its nodes, or those with further results.
   */
  readonly isForCpuOnWebGpu?: "always" | "with further results";
}

const none: Traits = {};
const once: Traits = { isWrittenOnce: true };
const arithmetic: Traits = { ...once, overwrites: "elements" };
const view: Traits = { isWrittenOnce: true, mayShare: true };
/** Views that are not written once: several results, or one that may be a sum. Tests run them as often as sums. */
const shared: Traits = { mayShare: true };

export const traits: { readonly [O in Op]: Traits } = {
  input: once,
  constant: once,
  stopGradient: view,
  // A further result is a view wherever the first one is.
  part: shared,

  neg: once,
  exp: once,
  log: once,
  sqrt: once,
  relu: once,
  sigmoid: once,
  softplus: once,
  abs: once,
  sign: once,
  tanh: once,
  erf: once,
  floor: once,
  sin: { ...once, isForCpuOnWebGpu: "always" },
  cos: { ...once, isForCpuOnWebGpu: "always" },
  clamp: once,
  add: { ...arithmetic, isCommutative: true },
  sub: arithmetic,
  mul: { ...arithmetic, isCommutative: true },
  div: arithmetic,
  maximum: once,
  minimum: once,
  where: once,
  cast: { ...once, mayShare: true },

  gelu: once,
  quickGelu: once,

  greater: once,
  greaterOrEqual: once,
  equal: { ...once, isCommutative: true },
  and: { ...once, isCommutative: true },
  or: { ...once, isCommutative: true },
  not: once,

  matmul: none,
  // Its sums are of whole numbers, and so have the same bits in any order.
  quantisedMatmul: { isForCpuOnWebGpu: "always" },

  reduceSum: shared,
  reduceMean: shared,
  reduceMax: shared,
  reduceMin: shared,
  argMax: none,
  cumulativeSum: none,
  countAlong: none,

  softmax: none,
  logSoftmax: none,
  logSoftmaxAt: none,

  layerNorm: none,

  batchNorm: none,
  normalise: none,
  channelDots: none,

  conv: none,
  convTranspose: none,
  convWeightGrad: none,
  maxPool: { isForCpuOnWebGpu: "with further results" },
  averagePool: none,
  scatterWithin: none,
  gatherWithin: none,

  expand: view,
  reshape: view,
  transpose: view,
  concat: view,
  slice: view,
  split: shared,
  flip: once,
  pad: view,

  takeAlong: none,
  addAlong: none,
  topK: none,

  gather: none,
  scatterAdd: none,
  setRows: { overwrites: "rows" },
  firstEqual: none,
  hash: none,

  randomUniform: once,

  scan: none,
};
