import type { ElementwiseOps } from "../../../src/graph/tensor.js";
import { aligned, binary, broadcast, build, operand, type Rules, unary } from "./values.js";

export const elementwiseValues = {
  neg: unary((x) => -x),
  exp: unary(Math.exp),
  log: unary(Math.log),
  sqrt: unary(Math.sqrt),
  relu: unary((x) => Math.max(x, 0)),
  sigmoid: unary((x) => 1 / (1 + Math.exp(-x))),
  softplus: unary((x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))),
  abs: unary(Math.abs),
  sign: unary(Math.sign),
  tanh: unary(Math.tanh),
  erf: unary(erf),
  floor: unary(Math.floor),
  sin: unary(Math.sin),
  cos: unary(Math.cos),
  clamp: ({ attributes: { min, max }, inputs }) => {
    const x = operand(inputs, 0);
    return { shape: x.shape, data: x.data.map((value) => Math.min(Math.max(value, min), max)) };
  },
  add: binary((x, y) => x + y),
  sub: binary((x, y) => x - y),
  mul: binary((x, y) => x * y),
  div: binary((x, y) => x / y),
  maximum: binary(Math.max),
  minimum: binary(Math.min),
  where: ({ inputs }) => {
    const [condition, x, y] = [operand(inputs, 0), operand(inputs, 1), operand(inputs, 2)];
    const shape = broadcast(broadcast(condition.shape, x.shape), y.shape);
    return build(shape, (at) => (aligned(condition, at) !== 0 ? aligned(x, at) : aligned(y, at)));
  },
  cast: ({ attributes: { to }, inputs }) => {
    const x = operand(inputs, 0);
    const convert = { float32: (v: number) => v, int32: Math.trunc, bool: (v: number) => (v !== 0 ? 1 : 0) };
    return { shape: x.shape, data: x.data.map(convert[to]) };
  },
  gelu: unary((x) => (x * (1 + erf(x / Math.SQRT2))) / 2),
  quickGelu: ({ attributes: { alpha }, inputs }) => {
    const x = operand(inputs, 0);
    return { shape: x.shape, data: x.data.map((value) => value / (1 + Math.exp(-alpha * value))) };
  },
  greater: binary((x, y) => Number(x > y)),
  greaterOrEqual: binary((x, y) => Number(x >= y)),
  equal: binary((x, y) => Number(x === y)),
  and: binary((x, y) => Number(x !== 0 && y !== 0)),
  or: binary((x, y) => Number(x !== 0 || y !== 0)),
  not: unary((x) => Number(x === 0)),
} satisfies Rules<keyof ElementwiseOps>;

/** The series 2 / sqrt(pi) e^(-x^2) sum of 2^n x^(2n+1) / (1 3 5 ... (2n+1)), whose terms all have one sign. */
export function erf(x: number): number {
  // Beyond 6 the rest is less than the spacing of float64 at 1.
  if (!(Math.abs(x) < 6)) return Math.sign(x);
  let [term, sum] = [x, x];
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}
