import { node, type Tensor } from "../tensor.js";
import { broadcastShapes, type Operand, operands, requireDtype } from "./checks.js";

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
