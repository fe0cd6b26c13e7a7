import { ShapeError } from "../../errors.js";
import { type Axis, formatShape } from "../shape.js";
import { node, type Tensor } from "../tensor.js";
import { requireDtype } from "./checks.js";

/** Matrix product of `a` [m, k] and `b` [k, n], either of them transposed first if asked: [m, n]. */
export function matmul(
  a: Tensor,
  b: Tensor,
  { transposeA = false, transposeB = false }: { transposeA?: boolean; transposeB?: boolean } = {},
): Tensor {
  requireDtype("matmul", a, "float32");
  requireDtype("matmul", b, "float32");
  if (a.shape.length !== 2 || b.shape.length !== 2) {
    throw new ShapeError(
      `matmul: both operands must have 2 axes, got ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
    );
  }
  const [rows, inner] = (transposeA ? [...a.shape].reverse() : a.shape) as [Axis, Axis];
  const [innerB, columns] = (transposeB ? [...b.shape].reverse() : b.shape) as [Axis, Axis];
  if (inner !== innerB) {
    const note = transposeA || transposeB ? ` (transposeA=${transposeA}, transposeB=${transposeB})` : "";
    throw new ShapeError(
      `matmul: inner sizes must agree, got ${formatShape(a.shape)} and ${formatShape(b.shape)}${note}`,
    );
  }
  return node("matmul", [a, b], { transposeA, transposeB }, [rows, columns], "float32");
}
