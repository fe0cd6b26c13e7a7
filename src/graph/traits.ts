/**
 * Properties of operations beside their shapes, gradients and nodes, in one total table: an operation that is forgotten
 * here does not compile.
 */
import type { Op } from "./tensor.js";

export interface Traits {
  /** Every element of the result is written once, and is no sum, so that threads cannot change its bits. */
  readonly isWrittenOnce?: true;
  /**
   * Every element of the result is made from the elements at its place, and has the same bits wherever a tensor is cut:
   * correctly rounded arithmetic and roots, and choices. Exponentials are not exact: a kernel may compute a single one
   * in another way.
   */
  readonly isExact?: true;
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
const exact: Traits = { isWrittenOnce: true, isExact: true };
const arithmetic: Traits = { ...exact, overwrites: "elements" };
const view: Traits = { isWrittenOnce: true, mayShare: true };
/** Views that are not written once: several results, or one that may be a sum. Tests run them as often as sums. */
const shared: Traits = { mayShare: true };

export const traits: { readonly [O in Op]: Traits } = {
  input: once,
  constant: once,
  stopGradient: view,
  // A further result is a view wherever the first one is.
  part: shared,

  neg: exact,
  exp: once,
  log: once,
  sqrt: exact,
  relu: exact,
  sigmoid: once,
  softplus: once,
  abs: exact,
  sign: exact,
  tanh: once,
  erf: once,
  floor: exact,
  sin: { ...once, isForCpuOnWebGpu: "always" },
  cos: { ...once, isForCpuOnWebGpu: "always" },
  clamp: exact,
  add: { ...arithmetic, isCommutative: true },
  sub: arithmetic,
  mul: { ...arithmetic, isCommutative: true },
  div: arithmetic,
  maximum: exact,
  minimum: exact,
  where: exact,
  cast: { ...exact, mayShare: true },

  gelu: once,
  quickGelu: once,

  greater: exact,
  greaterOrEqual: exact,
  equal: { ...exact, isCommutative: true },
  and: { ...exact, isCommutative: true },
  or: { ...exact, isCommutative: true },
  not: exact,

  matmul: none,

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
