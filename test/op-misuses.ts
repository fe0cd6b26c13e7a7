/** For every operation, what its shape rule must refuse. Keyed by `Op`: an operation without an entry does not compile. */
import * as ops from "../src/graph/ops.js";
import type { Op, Tensor } from "../src/graph/tensor.js";
import { float32 } from "../src/runtime/array.js";

/** A call that must throw, and what the message must say: the rule, and the values that broke it. */
export interface Misuse {
  readonly call: () => unknown;
  readonly message: RegExp;
}

const vector = ops.input("vector", [3]);
const other = ops.input("other", [4]);
const matrix = ops.input("matrix", [2, 3]);
const wide = ops.input("wide", [2, 5]);
const batch = ops.input("batch", ["batch", 3]);
const indices = ops.input("indices", ["batch"], "int32");
const condition = ops.input("condition", [3], "bool");
const words = ops.input("words", ["batch"], "string");

const needsNumbers = (op: Op, f: (x: Tensor) => unknown): Misuse[] => [
  { call: () => f(words), message: new RegExp(`^${op}: needs float32, got string\\[batch\\]`) },
  { call: () => f(indices), message: new RegExp(`^${op}: needs float32, got int32\\[batch\\]`) },
];

const broadcasts = (op: Op, f: (x: ops.Operand, y: ops.Operand) => unknown): Misuse[] => [
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

const reductions = (op: Op, f: (x: Tensor, axes?: number[]) => unknown): Misuse[] => [
  ...needsNumbers(op, (x) => f(x)),
  { call: () => f(matrix, [2]), message: new RegExp(`^${op}: \\[2, 3\\] has axes 0 to 1, got axis 2`) },
  { call: () => f(matrix, [-1]), message: new RegExp(`^${op}: \\[2, 3\\] has axes 0 to 1, got axis -1`) },
];

export const opMisuses: { readonly [O in Op]: readonly Misuse[] } = {
  input: [
    {
      call: () => ops.input("x", [2, "batch"]),
      message: /^input: "batch" must be the leading axis, the result would be \[2, batch\]/,
    },
  ],
  constant: [
    {
      call: () => ops.constant(float32([1, 2, 3], [2, 2])),
      message: /^array: shape \[2, 2\] holds 4 elements, got 3/,
    },
  ],
  // Takes any tensor, so there is nothing to refuse.
  stopGradient: [],
  neg: needsNumbers("neg", ops.neg),
  exp: needsNumbers("exp", ops.exp),
  log: needsNumbers("log", ops.log),
  sqrt: needsNumbers("sqrt", ops.sqrt),
  relu: needsNumbers("relu", ops.relu),
  sigmoid: needsNumbers("sigmoid", ops.sigmoid),
  softplus: needsNumbers("softplus", ops.softplus),
  add: broadcasts("add", ops.add),
  sub: broadcasts("sub", ops.sub),
  mul: broadcasts("mul", ops.mul),
  div: broadcasts("div", ops.div),
  greater: broadcasts("greater", ops.greater),
  where: [
    { call: () => ops.where(vector, vector, vector), message: /^where: needs bool, got float32\[3\]/ },
    { call: () => ops.where(condition, indices, 0), message: /^where: needs float32, got int32\[batch\]/ },
    { call: () => ops.where(condition, vector, other), message: /^where: shapes must broadcast, got \[3\] and \[4\]/ },
    {
      call: () => ops.where(condition, ops.input("x", [2]), 0),
      message: /^where: shapes must broadcast, got \[3\] and \[2\]/,
    },
  ],
  cast: [
    { call: () => ops.cast(words, "float32"), message: /^cast: strings cannot be cast, got string to float32/ },
    { call: () => ops.cast(vector, "string"), message: /^cast: strings cannot be cast, got float32 to string/ },
  ],
  matmul: [
    ...needsNumbers("matmul", (x) => ops.matmul(matrix, x)),
    {
      call: () => ops.matmul(vector, matrix),
      message: /^matmul: both operands must have 2 axes, got \[3\] and \[2, 3\]/,
    },
    { call: () => ops.matmul(matrix, wide), message: /^matmul: inner sizes must agree, got \[2, 3\] and \[2, 5\]$/ },
    {
      call: () => ops.matmul(matrix, wide, { transposeB: true }),
      message: /^matmul: inner sizes must agree, got \[2, 3\] and \[2, 5\] \(transposeA=false, transposeB=true\)/,
    },
    {
      call: () => ops.matmul(batch, matrix, { transposeA: true }),
      message: /^matmul: inner sizes must agree, got \[batch, 3\] and \[2, 3\] \(transposeA=true/,
    },
    {
      call: () => ops.matmul(batch, batch, { transposeB: true }),
      message: /^matmul: "batch" must be the leading axis, the result would be \[batch, batch\]/,
    },
  ],
  reduceSum: reductions("reduceSum", ops.reduceSum),
  reduceMean: reductions("reduceMean", ops.reduceMean),
  countAlong: [
    { call: () => ops.countAlong(batch, [2]), message: /^countAlong: \[batch, 3\] has axes 0 to 1, got axis 2/ },
  ],
  expand: [
    { call: () => ops.expand(matrix, vector), message: /^expand: \[2, 3\] does not broadcast to \[3\]/ },
    { call: () => ops.expand(vector, other), message: /^expand: shapes must broadcast, got \[3\] and \[4\]/ },
    { call: () => ops.expand(indices, batch), message: /^expand: needs float32, got int32\[batch\]/ },
  ],
  reshape: [
    {
      call: () => ops.reshape(matrix, [5]),
      message: /^reshape: \[2, 3\] and \[5\] differ in their number of elements/,
    },
    {
      call: () => ops.reshape(batch, [3]),
      message: /^reshape: \[batch, 3\] and \[3\] differ in their number of elements/,
    },
    {
      call: () => ops.reshape(batch, [3, "batch"]),
      message: /^reshape: "batch" must be the leading axis, the result would be \[3, batch\]/,
    },
  ],
  transpose: [
    { call: () => ops.transpose(matrix, [0, 0]), message: /^transpose: \[0, 0\] is no order of the axes of \[2, 3\]/ },
    { call: () => ops.transpose(matrix, [1]), message: /^transpose: \[1\] is no order of the axes of \[2, 3\]/ },
    {
      call: () => ops.transpose(batch),
      message: /^transpose: "batch" must be the leading axis, the result would be \[3, batch\]/,
    },
  ],
  concat: [
    { call: () => ops.concat([], 0), message: /^concat: needs at least one tensor/ },
    {
      call: () => ops.concat([matrix, wide], 0),
      message: /^concat: all but axis 0 must agree, got float32\[2, 3\] and float32\[2, 5\]/,
    },
    {
      call: () => ops.concat([vector, ops.input("x", [3], "int32")], 0),
      message: /^concat: all but axis 0 must agree, got float32\[3\] and int32\[3\]/,
    },
    {
      call: () => ops.concat([batch, batch], 0),
      message: /^concat: axis 0 of \[batch, 3\] must have a known size/,
    },
    { call: () => ops.concat([vector, matrix], 1), message: /^concat: \[3\] has axes 0 to 0, got axis 1/ },
  ],
  slice: [
    { call: () => ops.slice(matrix, 1, 2, 4), message: /^slice: needs 0 <= start < end <= 3, got start 2 and end 4/ },
    { call: () => ops.slice(matrix, 1, 1, 1), message: /^slice: needs 0 <= start < end <= 3, got start 1 and end 1/ },
    { call: () => ops.slice(matrix, 1, -1, 2), message: /^slice: needs 0 <= start < end <= 3, got start -1 and end 2/ },
    { call: () => ops.slice(batch, 0, 0, 1), message: /^slice: axis 0 of \[batch, 3\] must have a known size/ },
  ],
  pad: [
    ...needsNumbers("pad", (x) => ops.pad(x, 0, 1, 1)),
    { call: () => ops.pad(matrix, 1, -1, 0), message: /^pad: widths must be whole and not negative, got -1 and 0/ },
    { call: () => ops.pad(matrix, 1, 0, 0.5), message: /^pad: widths must be whole and not negative, got 0 and 0\.5/ },
    { call: () => ops.pad(batch, 0, 1, 1), message: /^pad: axis 0 of \[batch, 3\] must have a known size/ },
  ],
  gather: [
    { call: () => ops.gather(matrix, vector), message: /^gather: needs int32, got float32\[3\]/ },
    { call: () => ops.gather(batch, indices), message: /^gather: axis 0 of \[batch, 3\] must have a known size/ },
    {
      call: () => ops.gather(ops.input("scalar", []), indices),
      message: /^gather: \[\] has axes 0 to -1, got axis 0/,
    },
  ],
  scatterAdd: [
    { call: () => ops.scatterAdd(vector, batch, 4), message: /^scatterAdd: needs int32, got float32\[3\]/ },
    {
      call: () => ops.scatterAdd(indices, batch, 0),
      message: /^scatterAdd: numRows must be a positive whole number, got 0/,
    },
    { call: () => ops.scatterAdd(indices, condition, 4), message: /^scatterAdd: needs float32, got bool\[3\]/ },
    {
      call: () => ops.scatterAdd(indices, matrix, 4),
      message: /^scatterAdd: updates \[2, 3\] must begin with the shape of the indices \[batch\]/,
    },
  ],
  lookup: [
    { call: () => ops.lookup(indices, ["a"]), message: /^lookup: needs string, got int32\[batch\]/ },
    { call: () => ops.lookup(ops.input("text", ["batch"], "string"), []), message: /^lookup: needs at least one key/ },
  ],
};
