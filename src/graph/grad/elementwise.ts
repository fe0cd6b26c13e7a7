import * as ops from "../ops.js";
import type { ElementwiseOps, Tensor } from "../tensor.js";
import { known, NOT_DIFFERENTIABLE, precise, type Rules, unbroadcast } from "./rule.js";

export const elementwiseGradients = {
  neg: (g) => [ops.neg(g)],
  exp: (g, y) => [ops.mul(g, y)],
  log: (g, _, x) => [ops.div(g, known(x))],
  sqrt: (g, y) => [ops.div(g, ops.mul(2, y))],
  relu: (g, y) => [ops.where(ops.greater(y, 0), g, 0)],
  sigmoid: (g, y) => [ops.mul(g, ops.mul(y, ops.sub(1, y)))],
  softplus: (g, _, x) => [ops.mul(g, ops.sigmoid(known(x)))],
  abs: (g, _, x) => [ops.mul(g, ops.sign(known(x)))],
  sign: NOT_DIFFERENTIABLE,
  tanh: (g, y) => [ops.mul(g, ops.sub(1, ops.mul(y, y)))],
  erf: (g, _, x) => [
    ops.mul(ops.mul(g, precise(2 / Math.sqrt(Math.PI))), ops.exp(ops.neg(ops.mul(known(x), known(x))))),
  ],
  floor: NOT_DIFFERENTIABLE,
  sin: (g, _, x) => [ops.mul(g, ops.cos(known(x)))],
  cos: (g, _, x) => [ops.neg(ops.mul(g, ops.sin(known(x))))],
  clamp: (g, { attributes: { min, max } }, x) => {
    const isWithin = ops.and(ops.greaterOrEqual(known(x), min), ops.lessOrEqual(known(x), max));
    return [ops.where(isWithin, g, 0)];
  },
  add: (g, _, x, y) => [unbroadcast(g, x), unbroadcast(g, y)],
  sub: (g, _, x, y) => [unbroadcast(g, x), unbroadcast(ops.neg(g), y)],
  mul: (g, _, x, y) => [unbroadcast(ops.mul(g, known(y)), x), unbroadcast(ops.mul(g, known(x)), y)],
  div: (g, z, x, y) => [
    unbroadcast(ops.div(g, known(y)), x),
    unbroadcast(ops.neg(ops.div(ops.mul(g, z), known(y))), y),
  ],
  maximum: (g, _, x, y) => shared(g, known(x), known(y), known(x), known(y)),
  minimum: (g, _, x, y) => shared(g, known(x), known(y), known(y), known(x)),
  where: (g, _, condition, x, y) => [
    null,
    unbroadcast(ops.where(known(condition), g, 0), x),
    unbroadcast(ops.where(known(condition), 0, g), y),
  ],
  cast: (g, y, x) => [y.dtype === "float32" && known(x).dtype === "float32" ? g : null],
  // Phi(x) + x phi(x), of the distribution function and the density of the standard normal.
  gelu: (g, _, input) => {
    const x = known(input);
    const distribution = ops.mul(0.5, ops.add(1, ops.erf(ops.mul(x, precise(Math.SQRT1_2)))));
    const density = ops.mul(ops.exp(ops.mul(-0.5, ops.mul(x, x))), precise(1 / Math.sqrt(2 * Math.PI)));
    return [ops.mul(g, ops.add(distribution, ops.mul(x, density)))];
  },
  quickGelu: (g, { attributes: { alpha } }, input) => {
    const scaled = ops.mul(known(input), alpha);
    const gate = ops.sigmoid(scaled);
    return [ops.mul(g, ops.mul(gate, ops.add(1, ops.mul(scaled, ops.sub(1, gate)))))];
  },
  greater: NOT_DIFFERENTIABLE,
  greaterOrEqual: NOT_DIFFERENTIABLE,
  equal: NOT_DIFFERENTIABLE,
  and: NOT_DIFFERENTIABLE,
  or: NOT_DIFFERENTIABLE,
  not: NOT_DIFFERENTIABLE,
} satisfies Rules<keyof ElementwiseOps>;

/** The cotangents of two tensors: `x` has all of `g` where `larger` is larger, none where not, half where equal. */
function shared(g: Tensor, x: Tensor, y: Tensor, larger: Tensor, smaller: Tensor): Tensor[] {
  const half = ops.mul(g, 0.5);
  const byX = ops.where(ops.greater(larger, smaller), g, ops.where(ops.greater(smaller, larger), 0, half));
  return [unbroadcast(byX, x), unbroadcast(ops.sub(g, byX), y)];
}
