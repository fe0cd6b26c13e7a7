import { ShapeError } from "../../errors.js";
import { type Axis, formatShape } from "../shape.js";
import { node, type Tensor } from "../tensor.js";
import { broadcastShapes, requireDtype } from "./checks.js";

export interface MatmulOptions {
  /** Exchange the last two axes of `a` first. */
  readonly transposeA?: boolean | undefined;
  /** Exchange the last two axes of `b` first. */
  readonly transposeB?: boolean | undefined;
  /** A factor on the product, as float32. 1 by default. */
  readonly scale?: number | undefined;
}

/**
 * Matrix product of `a` [..., m, k] and `b` [..., k, n], either of them transposed first if asked: [..., m, n]. The axes
 * before the last two broadcast.
 */
export function matmul(
  a: Tensor,
  b: Tensor,
  { transposeA = false, transposeB = false, scale = 1 }: MatmulOptions = {},
): Tensor {
  requireDtype("matmul", a, "float32");
  requireDtype("matmul", b, "float32");
  if (a.shape.length < 2 || b.shape.length < 2) {
    throw new ShapeError(
      `matmul: both operands must have at least 2 axes, got ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
    );
  }
  if (!Number.isFinite(scale)) throw new ShapeError(`matmul: the scale must be finite, got ${scale}`);
  const [rows, inner] = matrixAxes(a, transposeA);
  const [innerB, columns] = matrixAxes(b, transposeB);
  if (inner !== innerB) {
    const note = transposeA || transposeB ? ` (transposeA=${transposeA}, transposeB=${transposeB})` : "";
    throw new ShapeError(
      `matmul: inner sizes must agree, got ${formatShape(a.shape)} and ${formatShape(b.shape)}${note}`,
    );
  }
  const leading = broadcastShapes("matmul", a.shape.slice(0, -2), b.shape.slice(0, -2));
  const attributes = { transposeA, transposeB, scale: Math.fround(scale) };
  return node("matmul", [a, b], attributes, [...leading, rows, columns], "float32");
}

function matrixAxes({ shape }: Tensor, isTransposed: boolean): [Axis, Axis] {
  const [rows, columns] = shape.slice(-2) as [Axis, Axis];
  return isTransposed ? [columns, rows] : [rows, columns];
}
