import { scalar } from "../../runtime/array.js";
import type { ElementwiseOps } from "../tensor.js";
import { elementwise, MICROSOFT, type Rules } from "./builder.js";
import { ELEMENT_TYPES } from "./element-types.js";

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
  floor: elementwise("Floor"),
  sin: elementwise("Sin"),
  cos: elementwise("Cos"),
  clamp: (b, { attributes: { min, max } }, x = "") =>
    b.node("Clip", [x, b.constant(scalar(min)), b.constant(scalar(max))]),
  add: elementwise("Add"),
  sub: elementwise("Sub"),
  mul: elementwise("Mul"),
  div: elementwise("Div"),
  maximum: elementwise("Max"),
  minimum: elementwise("Min"),
  where: elementwise("Where"),
  cast: (b, { attributes: { to } }, x = "") => b.node("Cast", [x], { to: ELEMENT_TYPES[to] }),
  gelu: (b, _, x = "") => b.node("Gelu", [x], {}, MICROSOFT),
  quickGelu: (b, { attributes: { alpha } }, x = "") => b.node("QuickGelu", [x], { alpha: { float: alpha } }, MICROSOFT),
  greater: elementwise("Greater"),
  greaterOrEqual: elementwise("GreaterOrEqual"),
  equal: elementwise("Equal"),
  and: elementwise("And"),
  or: elementwise("Or"),
  not: elementwise("Not"),
} satisfies Rules<keyof ElementwiseOps>;
