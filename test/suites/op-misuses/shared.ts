/** Operands and patterns of misuses that several operations share. */
import * as ops from "../../../src/graph/ops.js";
import type { Op, Tensor } from "../../../src/graph/tensor.js";

/** A call that must throw, and what the message must say: the rule, and the values that broke it. */
export interface Misuse {
  readonly call: () => unknown;
  readonly message: RegExp;
}

/** Misuses of each of some operations. */
export type Misuses<O extends Op> = { readonly [P in O]: readonly Misuse[] };

export const vector = ops.input("vector", [3]);
export const other = ops.input("other", [4]);
export const matrix = ops.input("matrix", [2, 3]);
export const wide = ops.input("wide", [2, 5]);
export const batch = ops.input("batch", ["batch", 3]);
export const indices = ops.input("indices", ["batch"], "int32");
export const condition = ops.input("condition", [3], "bool");
export const flags = ops.input("flags", ["batch"], "bool");

export const needsNumbers = (op: Op, f: (x: Tensor) => unknown): Misuse[] => [
  { call: () => f(flags), message: new RegExp(`^${op}: needs float32, got bool\\[batch\\]`) },
  { call: () => f(indices), message: new RegExp(`^${op}: needs float32, got int32\\[batch\\]`) },
];

export const broadcasts = (op: Op, f: (x: ops.Operand, y: ops.Operand) => unknown): Misuse[] => [
  { call: () => f(vector, other), message: new RegExp(`^${op}: shapes must broadcast, got \\[3\\] and \\[4\\]`) },
  { call: () => f(matrix, wide), message: new RegExp(`^${op}: shapes must broadcast, got \\[2, 3\\] and \\[2, 5\\]`) },
  {
    call: () => f(batch, matrix),
    message: new RegExp(`^${op}: shapes must broadcast, got \\[batch, 3\\] and \\[2, 3\\]`),
  },
  {
    call: () => f(ops.input("scores", ["batch"]), ops.input("column", [4, 1])),
    message: new RegExp(`^${op}: "batch" must be the leading axis, the result would be \\[4, batch\\]`),
  },
  { call: () => f(vector, condition), message: new RegExp(`^${op}: needs float32, got bool\\[3\\]`) },
];

export const reductions = (op: Op, f: (x: Tensor, axes?: number[]) => unknown): Misuse[] => [
  ...needsNumbers(op, (x) => f(x)),
  { call: () => f(matrix, [2]), message: new RegExp(`^${op}: \\[2, 3\\] has axes 0 to 1, got axis 2`) },
  { call: () => f(matrix, [-1]), message: new RegExp(`^${op}: \\[2, 3\\] has axes 0 to 1, got axis -1`) },
];
