import { aligned, binary, broadcast, build, operand, type Rules, unary } from "./values.js";

export const elementwiseValues = {
  neg: unary((x) => -x),
  exp: unary(Math.exp),
  log: unary(Math.log),
  sqrt: unary(Math.sqrt),
  relu: unary((x) => Math.max(x, 0)),
  sigmoid: unary((x) => 1 / (1 + Math.exp(-x))),
  softplus: unary((x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))),
  add: binary((x, y) => x + y),
  sub: binary((x, y) => x - y),
  mul: binary((x, y) => x * y),
  div: binary((x, y) => x / y),
  greater: binary((x, y) => (x > y ? 1 : 0)),
  where: ({ inputs }) => {
    const [condition, x, y] = [operand(inputs, 0), operand(inputs, 1), operand(inputs, 2)];
    const shape = broadcast(broadcast(condition.shape, x.shape), y.shape);
    return build(shape, (at) => (aligned(condition, at) !== 0 ? aligned(x, at) : aligned(y, at)));
  },
  cast: ({ attributes: { to }, inputs }) => {
    const x = operand(inputs, 0);
    const convert = { float32: (v: number) => v, int32: Math.trunc, bool: (v: number) => (v !== 0 ? 1 : 0) };
    if (to === "string") throw new Error("interpret: nothing is cast to strings");
    return { shape: x.shape, data: x.data.map(convert[to]) };
  },
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
