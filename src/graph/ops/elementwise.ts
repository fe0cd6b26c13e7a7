import { ShapeError } from "../../errors.js";
import type { ComputedDType } from "../../runtime/array.js";
import { node, type Tensor } from "../tensor.js";
import { broadcastShapes, type Operand, operand, operands, requireDtype } from "./checks.js";

type UnaryOp =
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
  | "floor"
  | "sin"
  | "cos";
type BinaryOp = "add" | "sub" | "mul" | "div" | "maximum" | "minimum";

const unary =
  (op: UnaryOp) =>
  (x: Tensor): Tensor => {
    requireDtype(op, x, "float32");
    return node(op, [x], {}, x.shape, "float32");
  };

const binary =
  (op: BinaryOp) =>
  (x: Operand, y: Operand): Tensor => {
    const [a, b] = [operand(x), operand(y)];
    requireDtype(op, a, "float32");
    requireDtype(op, b, "float32");
    return node(op, [a, b], {}, broadcastShapes(op, a.shape, b.shape), "float32");
  };

export const neg = unary("neg");
export const exp = unary("exp");
/** Natural logarithm. */
export const log = unary("log");
export const sqrt = unary("sqrt");
/** max(x, 0), with gradient 0 at 0. */
export const relu = unary("relu");
/** 1 / (1 + e^-x). */
export const sigmoid = unary("sigmoid");
/** log(1 + e^x), without overflow. */
export const softplus = unary("softplus");
/** |x|, with gradient 0 at 0. */
export const abs = unary("abs");
/** -1, 0 or 1; no gradient flows through it. */
export const sign = unary("sign");
export const tanh = unary("tanh");
/** 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x. */
export const erf = unary("erf");
/** The largest whole number that is not above x; no gradient flows through it. */
export const floor = unary("floor");
export const sin = unary("sin");
export const cos = unary("cos");
export const add = binary("add");
export const sub = binary("sub");
export const mul = binary("mul");
export const div = binary("div");
/** The larger of two; where they are equal, each takes half of the gradient. NaN where either is. */
export const maximum = binary("maximum");
/** The smaller of two; where they are equal, each takes half of the gradient. NaN where either is. */
export const minimum = binary("minimum");
/** x kept within `min` and `max`, as float32; the gradient is 1 within and at the bounds, 0 beyond. */
export function clamp(x: Tensor, min: number, max: number): Tensor {
  requireDtype("clamp", x, "float32");
  if (!(min <= max)) throw new ShapeError(`clamp: needs min <= max, got min ${min} and max ${max}`);
  return node("clamp", [x], { min: Math.fround(min), max: Math.fround(max) }, x.shape, "float32");
}

/** x^2. */
export function square(x: Tensor): Tensor {
  return mul(x, x);
}

/** `x` where the condition holds, else `y`; both float32 or both int32. */
export function where(condition: Tensor, x: Operand, y: Operand): Tensor {
  requireDtype("where", condition, "bool");
  const [a, b] = operands("where", x, y, ["float32", "int32"]);
  const shape = broadcastShapes("where", condition.shape, broadcastShapes("where", a.shape, b.shape));
  return node("where", [condition, a, b], {}, shape, a.dtype);
}

/** The same values as another dtype. */
export function cast(x: Tensor, to: ComputedDType): Tensor {
  return node("cast", [x], { to }, x.shape, to);
}

/** x Phi(x), where Phi is the distribution function of the standard normal: exact GELU (Hendrycks and Gimpel 2016). */
export function gelu(x: Tensor): Tensor {
  requireDtype("gelu", x, "float32");
  return node("gelu", [x], {}, x.shape, "float32");
}

/** x sigmoid(alpha x), with alpha as float32; 1.702 comes close to {@link gelu} (Hendrycks and Gimpel 2016). */
export function quickGelu(x: Tensor, alpha = 1.702): Tensor {
  requireDtype("quickGelu", x, "float32");
  if (!Number.isFinite(alpha)) throw new ShapeError(`quickGelu: alpha must be finite, got ${alpha}`);
  return node("quickGelu", [x], { alpha: Math.fround(alpha) }, x.shape, "float32");
}

/** x sigmoid(x) (Elfwing et al. 2017; Ramachandran et al. 2017). */
export function silu(x: Tensor): Tensor {
  return quickGelu(x, 1);
}

/** x clamp(x + 3, 0, 6) / 6 (Howard et al. 2019). */
export function hardSwish(x: Tensor): Tensor {
  return div(mul(x, clamp(add(x, 3), 0, 6)), 6);
}

/** Comparisons of two float32 or two int32 tensors; with NaN on either side every one is false, as in IEEE 754. */
const comparison =
  (op: "greater" | "greaterOrEqual" | "equal") =>
  (x: Operand, y: Operand): Tensor => {
    const [a, b] = operands(op, x, y, ["float32", "int32"]);
    return node(op, [a, b], {}, broadcastShapes(op, a.shape, b.shape), "bool");
  };

const connective =
  (op: "and" | "or") =>
  (x: Tensor, y: Tensor): Tensor => {
    requireDtype(op, x, "bool");
    requireDtype(op, y, "bool");
    return node(op, [x, y], {}, broadcastShapes(op, x.shape, y.shape), "bool");
  };

/** x > y, as bool. */
export const greater = comparison("greater");
/** x >= y, as bool. */
export const greaterOrEqual = comparison("greaterOrEqual");
/** x = y, as bool. */
export const equal = comparison("equal");
/** x < y, as bool. */
export const less = (x: Operand, y: Operand): Tensor => greater(y, x);
/** x <= y, as bool. */
export const lessOrEqual = (x: Operand, y: Operand): Tensor => greaterOrEqual(y, x);
/** Whether both bools hold. */
export const and = connective("and");
/** Whether one of two bools holds, or both. */
export const or = connective("or");

/** Whether a bool does not hold. */
export function not(x: Tensor): Tensor {
  requireDtype("not", x, "bool");
  return node("not", [x], {}, x.shape, "bool");
}
