/** Reverse-mode differentiation: one rule for each operation, one walk. */
import { ShapeError } from "../errors.js";
import { scalar } from "../runtime/array.js";
import * as ops from "./ops.js";
import { type Axis, formatShape, isOp, type Op, type Shape, type Tensor, topologicalOrder } from "./tensor.js";

/** From the cotangent of a node to the cotangents of its inputs; null where none flows. */
type Rule<O extends Op> = (cotangent: Tensor, node: Tensor<O>, ...inputs: Tensor[]) => (Tensor | null)[];

/** Operations that end a gradient on purpose: their output is not a number to differentiate, or is held fixed. */
const NOT_DIFFERENTIABLE = "not differentiable";

const leaf = () => [];

/** Total: an operation that has neither a rule nor its declaration does not compile. */
const rules: { readonly [O in Op]: Rule<O> | typeof NOT_DIFFERENTIABLE } = {
  input: leaf,
  constant: leaf,
  stopGradient: NOT_DIFFERENTIABLE,
  greater: NOT_DIFFERENTIABLE,
  countAlong: NOT_DIFFERENTIABLE,
  lookup: NOT_DIFFERENTIABLE,

  neg: (g) => [ops.neg(g)],
  exp: (g, y) => [ops.mul(g, y)],
  log: (g, _, x) => [ops.div(g, known(x))],
  sqrt: (g, y) => [ops.div(g, ops.mul(2, y))],
  relu: (g, y) => [ops.where(ops.greater(y, 0), g, 0)],
  sigmoid: (g, y) => [ops.mul(g, ops.mul(y, ops.sub(1, y)))],
  softplus: (g, _, x) => [ops.mul(g, ops.sigmoid(known(x)))],
  add: (g, _, x, y) => [unbroadcast(g, x), unbroadcast(g, y)],
  sub: (g, _, x, y) => [unbroadcast(g, x), unbroadcast(ops.neg(g), y)],
  mul: (g, _, x, y) => [unbroadcast(ops.mul(g, known(y)), x), unbroadcast(ops.mul(g, known(x)), y)],
  div: (g, z, x, y) => [
    unbroadcast(ops.div(g, known(y)), x),
    unbroadcast(ops.neg(ops.div(ops.mul(g, z), known(y))), y),
  ],
  where: (g, _, condition, x, y) => [
    null,
    unbroadcast(ops.where(known(condition), g, 0), x),
    unbroadcast(ops.where(known(condition), 0, g), y),
  ],
  cast: (g, y, x) => [y.dtype === "float32" && known(x).dtype === "float32" ? g : null],

  matmul: (g, { attributes: { transposeA, transposeB } }, x, y) => {
    const [a, b] = [known(x), known(y)];
    return [
      transposeA
        ? ops.matmul(b, g, { transposeA: transposeB, transposeB: true })
        : ops.matmul(g, b, { transposeB: !transposeB }),
      transposeB
        ? ops.matmul(g, a, { transposeA: true, transposeB: transposeA })
        : ops.matmul(a, g, { transposeA: !transposeA }),
    ];
  },
  reduceSum: (g, { attributes: { axes } }, x) => [expandReduced(g, known(x), axes)],
  reduceMean: (g, { attributes: { axes } }, x) => [
    expandReduced(ops.div(g, ops.countAlong(known(x), [...axes])), known(x), axes),
  ],

  expand: (g, _, x) => [unbroadcast(g, x), null],
  reshape: (g, _, x) => [ops.reshape(g, known(x).shape)],
  transpose: (g, { attributes: { permutation } }) => [
    ops.transpose(
      g,
      permutation.map((_, i) => permutation.indexOf(i)),
    ),
  ],
  concat: (g, { attributes: { axis } }, ...inputs) => {
    let start = 0;
    return inputs.map((x) => {
      const end = start + ops.knownSize("concat", x, axis);
      const part = ops.slice(g, axis, start, end);
      start = end;
      return part;
    });
  },
  slice: (g, { attributes: { axis, start, end } }, x) => [
    ops.pad(g, axis, start, ops.knownSize("slice", known(x), axis) - end),
  ],
  pad: (g, { attributes: { axis, before } }, x) => [
    ops.slice(g, axis, before, before + ops.knownSize("pad", known(x), axis)),
  ],
  gather: (g, _, table, indices) => [ops.scatterAdd(known(indices), g, ops.knownSize("gather", known(table), 0)), null],
  scatterAdd: (g, _, indices) => [null, ops.gather(g, known(indices))],
};

/**
 * The gradients of a scalar loss with respect to tensors: dloss/dw, each of the shape of its `w`.
 *
 * Throws {@link ShapeError} when the loss is not a float32 scalar, or does not depend on one of the tensors.
 */
export function gradients(loss: Tensor, wrt: readonly Tensor[]): Tensor[] {
  if (loss.shape.length > 0 || loss.dtype !== "float32") {
    throw new ShapeError(`gradients: the loss must be a float32 scalar, got ${loss.dtype}${formatShape(loss.shape)}`);
  }
  const order = topologicalOrder([loss]);
  const needed = new Set<Tensor>(wrt);
  for (const tensor of order) if (tensor.inputs.some((input) => needed.has(input))) needed.add(tensor);

  const cotangents = new Map<Tensor, Tensor>([[loss, ops.constant(scalar(1))]]);
  for (const tensor of order.reverse()) {
    const cotangent = cotangents.get(tensor);
    const rule = rules[tensor.op] as Rule<Op> | typeof NOT_DIFFERENTIABLE;
    if (!cotangent || !needed.has(tensor) || rule === NOT_DIFFERENTIABLE) continue;
    rule(cotangent, tensor, ...tensor.inputs).forEach((contribution, i) => {
      const input = tensor.inputs[i];
      if (!input || !contribution || !needed.has(input)) return;
      const sum = cotangents.get(input);
      cotangents.set(input, sum ? ops.add(sum, contribution) : contribution);
    });
  }
  return wrt.map((tensor) => {
    const gradient = cotangents.get(tensor);
    if (gradient) return gradient;
    const name = isOp(tensor, "input") ? tensor.attributes.name : tensor.op;
    throw new ShapeError(`gradients: the loss does not depend on ${name}; leave it out, or use it in the model`);
  });
}

/** Whether gradients flow through an operation. */
export function isDifferentiable(op: Op): boolean {
  return rules[op] !== NOT_DIFFERENTIABLE;
}

/** Undo broadcasting: sum a cotangent over the axes along which `x` was repeated. */
function unbroadcast(cotangent: Tensor, x: Tensor | undefined): Tensor {
  const { shape } = known(x);
  const extra = cotangent.shape.length - shape.length;
  const axes = cotangent.shape.flatMap((axis, i) => (i < extra || (shape[i - extra] === 1 && axis !== 1) ? [i] : []));
  const summed = axes.length > 0 ? ops.reduceSum(cotangent, axes, true) : cotangent;
  return ops.sameShape(summed.shape, shape) ? summed : ops.reshape(summed, shape);
}

/** Repeat the cotangent of a reduction along the reduced axes. */
function expandReduced(cotangent: Tensor, x: Tensor, axes: readonly number[]): Tensor {
  const kept: Shape = x.shape.map((axis, i): Axis => (axes.includes(i) ? 1 : axis));
  return ops.expand(ops.reshape(cotangent, kept), x);
}

function known(x: Tensor | undefined): Tensor {
  if (!x) throw new Error("internal: a gradient rule asked for an input that its node does not have");
  return x;
}
