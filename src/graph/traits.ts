/**
 * What is true of an operation beside its shape, its gradient and its nodes: one total table for all who ask. An operation
 * that is forgotten here does not compile.
 */
import type { Op } from "./tensor.js";

export interface Traits {
  /** Every element of the result is written once, and is no sum, so that threads cannot change its bits. */
  readonly isWrittenOnce?: true;
  /**
   * Every element of the result is made of those at its place, and has the same bits wherever a tensor is cut: arithmetic
   * and roots that are correctly rounded, and choices. A kernel may take an exponential in another way when it is alone.
   */
  readonly isExact?: true;
  /** Has the same bits with its operands in either order; not so of a maximum, where they are zeros of two signs. */
  readonly isCommutative?: true;
  /** An engine may make the result a mere view of an operand, or leave the operation out where it changes nothing. */
  readonly mayShare?: true;
  /**
   * May write its result over its operand. "elements": it reads each element of a tensor before it writes it, as a product
   * of matrices does not. "rows": it sets rows in its first operand, which nothing else of it may read.
   */
  readonly overwrites?: "elements" | "rows";
  /** What WebGPU lacks or computes with fewer digits than float32 has, and the CPU computes there: its nodes, or those with further results. */
  readonly isForCpuOnWebGpu?: "always" | "with further results";
}

const none: Traits = {};
const once: Traits = { isWrittenOnce: true };
const exact: Traits = { isWrittenOnce: true, isExact: true };
const arithmetic: Traits = { ...exact, overwrites: "elements" };
const view: Traits = { isWrittenOnce: true, mayShare: true };
/** Views that tests run as often as sums: several results, or one that may be a sum of many. */
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
