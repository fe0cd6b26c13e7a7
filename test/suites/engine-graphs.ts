/** Graphs that update state tensors `a` and `b`, both [2, 2], by whether `a` may be overwritten in place. */

import type { Graph } from "../../src/graph/graph.js";
import {
  add,
  cast,
  concat,
  constant,
  expand,
  gather,
  greater,
  input,
  matmul,
  mul,
  reduceSum,
  relu,
  reshape,
  scatterAdd,
  setRows,
  slice,
  split,
  stopGradient,
  sub,
  transpose,
  where,
} from "../../src/graph/ops.js";
import type { Tensor, Tensors } from "../../src/graph/tensor.js";
import { int32, scalar } from "../../src/runtime/array.js";
import { mapValues } from "../../src/runtime/named.js";

export const a = input("a", [2, 2]);
export const b = input("b", [2, 2]);
export const updates = (tensors: Tensors, outputs: Tensors = {}): Graph => ({ outputs, updates: tensors });

/** The second row of `a`, as a further result of an operation that has two. */
const [, lower] = split(a, 0, [1, 1]) as [Tensor, Tensor];

const swapped = constant(int32([1, 0]));

/** Graphs whose state tensors have every reader before their new value. */
export const safe: Readonly<Record<string, Graph>> = {
  "a step along a gradient": updates({ a: sub(a, mul(0.5, b)) }),
  "every read lies under the new value": updates({ a: add(a, matmul(a, b)) }, { loss: constant(scalar(1)) }),
  "an output of what the update needs": updates({ a: add(a, reduceSum(mul(a, a))) }, {}),
  "a value that nothing reads": updates({ a: mul(b, 2) }),
  "another state tensor": updates({ a: b }),
  "rows of it": updates({ a: setRows(a, swapped, mul(gather(a, swapped), 2)) }),
};

/** Graphs where something may still read the old value after the new one is written. */
export const unsafe: Readonly<Record<string, Graph>> = {
  "two that swap": updates({ a: b, b: a }),
  "two that swap after a step": updates({ a: add(b, 1), b: add(a, 1) }),
  "the old value is returned": updates({ a: add(a, 1) }, { old: a }),
  "a view of the old value is returned": updates({ a: add(a, 1) }, { old: reshape(a, [4]) }),
  "the old value is returned behind stopGradient": updates({ a: add(a, 1) }, { old: stopGradient(a) }),
  "an output reads the old value": updates({ a: add(a, 1) }, { doubled: mul(a, 2) }),
  "an output reads the old value by another tensor of its name": updates(
    { a: add(a, 1) },
    { doubled: mul(input("a", a.shape), 2) },
  ),
  "an output reads a view of the old value": updates(
    { a: add(a, 1) },
    { doubled: mul(expand(reshape(a, [4]), input("like", [3, 4])), 2) },
  ),
  "an output reads the second part of the old value": updates(
    { a: add(a, concat([lower, lower], 0)) },
    { positive: relu(lower) },
  ),
  "another new value reads the old one": updates({ a: add(a, 1), b: add(b, matmul(a, a)) }),
  "it stays as it is": updates({ a }),
};

/** A view that lies under the new value, and that an output reads as well: it may share the memory. */
export const views: Readonly<Record<string, Graph>> = mapValues(
  {
    reshape: reshape(a, [4]),
    stopGradient: stopGradient(a),
    cast: cast(a, "float32"),
    expand: expand(a, b),
    "view of a view": reshape(cast(a, "float32"), [4]),
  },
  (view) => updates({ a: add(a, reshape(view, [2, 2])) }, { doubled: mul(view, 2) }),
);

/** Graphs whose new value is made from elements of the old one at other places, so that it cannot be written over it. */
export const moving: Readonly<Record<string, Graph>> = {
  "a transposed": updates({ a: transpose(a) }),
  "a product with itself on the left": updates({ a: matmul(a, b) }),
  "a product with itself on the right": updates({ a: matmul(b, a) }),
  "rows in another order": updates({ a: gather(a, swapped) }),
  "rows added up": updates({ a: scatterAdd(swapped, a, 2) }),
  "rows of its own set": updates({ a: setRows(a, swapped, a) }),
  "rows of a view of its own set": updates({ a: setRows(a, swapped, reshape(reshape(a, [4]), [2, 2])) }),
  "rows set in another": updates({ a: setRows(b, swapped, mul(a, 2)) }),
  "columns in another order": updates({ a: concat([slice(a, 1, 1, 2), slice(a, 1, 0, 1)], 1) }),
  "itself repeated": updates({ a: matmul(a, a) }),
  "itself where it is positive": updates({ a: where(greater(a, 0), transpose(a), a) }),
};
