/** Helpers of shape rules. Errors begin with the name of the operation, or of the function, that the caller called. */
import { ShapeError } from "../../errors.js";
import { type DType, int32, scalar } from "../../runtime/array.js";
import { formatShape, type Shape } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { constant } from "./leaves.js";

export { sameShape } from "../shape.js";

/** A tensor, or a number for a float32 scalar. */
export type Operand = Tensor | number;

/** The shape that two shapes broadcast to. */
export function broadcastShapes(op: string, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[i - rank + a.length] ?? 1;
    const y = b[i - rank + b.length] ?? 1;
    if (x !== y && x !== 1 && y !== 1) {
      throw new ShapeError(`${op}: shapes must broadcast, got ${formatShape(a)} and ${formatShape(b)}`);
    }
    return x === 1 ? y : x;
  });
}

/** The axes of a tensor: 0 to rank - 1. */
export function allAxes(x: Tensor): number[] {
  return [...x.shape.keys()];
}

/** The size of an axis that must not be "batch". */
export function knownSize(op: string, x: Tensor, axis: number): number {
  checkAxes(op, x, [axis]);
  const size = x.shape[axis];
  if (typeof size !== "number")
    throw new ShapeError(`${op}: axis ${axis} of ${formatShape(x.shape)} must have a known size`);
  return size;
}

export function operand(x: Operand): Tensor {
  return typeof x === "number" ? constant(scalar(x)) : x;
}

/** Two operands of one dtype, of those allowed; a number takes the dtype of the other, float32 beside another number. */
export function operands(op: string, x: Operand, y: Operand, allowed: readonly DType[]): [Tensor, Tensor] {
  const dtype = [x, y].find((side) => typeof side !== "number")?.dtype ?? "float32";
  const pair: [Tensor, Tensor] = [ofDtype(op, x, dtype), ofDtype(op, y, dtype)];
  for (const side of pair) requireDtype(op, side, ...allowed);
  for (const side of pair) requireDtype(op, side, dtype);
  return pair;
}

function ofDtype(op: string, x: Operand, dtype: DType): Tensor {
  if (typeof x !== "number" || dtype !== "int32") return operand(x);
  if ((x | 0) !== x) throw new ShapeError(`${op}: beside int32 a number must be a whole one of 32 bits, got ${x}`);
  return constant(int32([x], []));
}

/** An epsilon, which is added to a variance, as the float32 that engines use. */
export function checkedEpsilon(op: string, epsilon: number, isZeroAllowed: boolean): number {
  const rounded = Math.fround(epsilon);
  if (Number.isFinite(rounded) && (rounded > 0 || (isZeroAllowed && rounded === 0))) return rounded;
  throw new ShapeError(
    `${op}: epsilon must be finite and ${isZeroAllowed ? "not negative" : "positive"}, got ${epsilon}`,
  );
}

/** The last axis of a tensor, whose size must be known. */
export function lastAxis(op: string, x: Tensor): number {
  const axis = x.shape.length - 1;
  if (axis < 0) throw new ShapeError(`${op}: needs at least one axis, got ${formatShape(x.shape)}`);
  knownSize(op, x, axis);
  return axis;
}

export function withAxis(shape: Shape, axis: number, size: number): Shape {
  return shape.map((old, i) => (i === axis ? size : old));
}

export function reducedShape(op: string, x: Tensor, axes: readonly number[], keepDims: boolean): Shape {
  requireDtype(op, x, "float32");
  checkAxes(op, x, axes);
  return x.shape.flatMap((axis, i) => (axes.includes(i) ? (keepDims ? [1] : []) : [axis]));
}

export function checkAxes(op: string, x: Tensor, axes: readonly number[]): void {
  for (const axis of axes) {
    if (!(Number.isInteger(axis) && axis >= 0 && axis < x.shape.length)) {
      throw new ShapeError(`${op}: ${formatShape(x.shape)} has axes 0 to ${x.shape.length - 1}, got axis ${axis}`);
    }
  }
}

export function requireDtype(op: string, x: Tensor, ...allowed: readonly DType[]): void {
  if (allowed.includes(x.dtype)) return;
  throw new ShapeError(`${op}: needs ${allowed.join(" or ")}, got ${x.dtype}${formatShape(x.shape)}`);
}
