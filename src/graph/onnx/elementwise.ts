import { ELEMENT_TYPES, elementwise, type Rules } from "./builder.js";

export const elementwiseEmission = {
  neg: elementwise("Neg"),
  exp: elementwise("Exp"),
  log: elementwise("Log"),
  sqrt: elementwise("Sqrt"),
  relu: elementwise("Relu"),
  sigmoid: elementwise("Sigmoid"),
  softplus: elementwise("Softplus"),
  add: elementwise("Add"),
  sub: elementwise("Sub"),
  mul: elementwise("Mul"),
  div: elementwise("Div"),
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
  | "add"
  | "sub"
  | "mul"
  | "div"
  | "greater"
  | "where"
  | "cast"
>;
