import * as ops from "../ops.js";
import { known, NOT_DIFFERENTIABLE, type Rules, unbroadcast } from "./rule.js";

export const elementwiseGradients = {
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
  greater: NOT_DIFFERENTIABLE,
  where: (g, _, condition, x, y) => [
    null,
    unbroadcast(ops.where(known(condition), g, 0), x),
    unbroadcast(ops.where(known(condition), 0, g), y),
  ],
  cast: (g, y, x) => [y.dtype === "float32" && known(x).dtype === "float32" ? g : null],
} satisfies Rules<
  | "neg"
  | "exp"
  | "log"
  | "sqrt"
  | "relu"
  | "sigmoid"
  | "softplus"
  | "add"
  | "sub"
  | "mul"
  | "div"
  | "greater"
  | "where"
  | "cast"
>;
