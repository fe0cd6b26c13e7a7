import { ELEMENT_TYPES, elementwise, type Rules } from "./builder.js";

export const elementwiseEmission = {
  neg: elementwise("Neg"),
  exp: elementwise("Exp"),
  log: elementwise("Log"),
  sqrt: elementwise("Sqrt"),
  relu: elementwise("Relu"),
  sigmoid: elementwise("Sigmoid"),
  softplus: elementwise("Softplus"),
  abs: elementwise("Abs"),
  sign: elementwise("Sign"),
  tanh: elementwise("Tanh"),
  erf: elementwise("Erf"),
  add: elementwise("Add"),
  sub: elementwise("Sub"),
  mul: elementwise("Mul"),
  div: elementwise("Div"),
  maximum: elementwise("Max"),
  minimum: elementwise("Min"),
  greater: elementwise("Greater"),
  where: elementwise("Where"),
  cast: (b, { attributes: { to } }, x = "") => b.node("Cast", [x], { to: ELEMENT_TYPES[to] }),
} satisfies Rules<
  | "neg"
  | "exp"
  | "log"
  | "sqrt"
  | "relu"
  | "sigmoid"
  | "softplus"
  | "abs"
  | "sign"
  | "tanh"
  | "erf"
  | "add"
  | "sub"
  | "mul"
  | "div"
  | "maximum"
  | "minimum"
  | "greater"
  | "where"
  | "cast"
>;
