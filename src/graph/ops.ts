/**
 * The builders, one for each operation, each with its shape rule. Every builder throws {@link ShapeError} when its
 * operands do not fit. Elementwise operations broadcast as in NumPy; a number stands for a float32 scalar.
 */
import { ShapeError } from "../errors.js";
import { type DType, type NdArray, scalar } from "../runtime/array.js";
import { type Axis, formatShape, node, type Op, type Shape, type Tensor } from "./tensor.js";

/** A tensor, or a number for a float32 scalar. */
export type Operand = Tensor | number;

// --- leaves -------------------------------------------------------------------------------------------------------

/** A value that a run feeds, or that lives with the engine under this name. */
export function input(name: string, shape: Shape, dtype: DType = "float32"): Tensor<"input"> {
  return node("input", [], { name }, shape, dtype);
}

/** A value fixed in the graph. */
export function constant(value: NdArray): Tensor<"constant"> {
  return node("constant", [], { value }, value.shape, value.dtype);
}

/** The same value, through which no gradient flows. */
export function stopGradient(x: Tensor): Tensor {
  return node("stopGradient", [x], {}, x.shape, x.dtype);
}

// --- elementwise --------------------------------------------------------------------------------------------------

type UnaryOp = "neg" | "exp" | "log" | "sqrt" | "relu" | "sigmoid" | "softplus";
type BinaryOp = "add" | "sub" | "mul" | "div" | "greater";

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
    return node(op, [a, b], {}, broadcastShapes(op, a.shape, b.shape), op === "greater" ? "bool" : "float32");
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
export const add = binary("add");
export const sub = binary("sub");
export const mul = binary("mul");
export const div = binary("div");
/** x > y, as bool. */
export const greater = binary("greater");

/** `x` where the condition holds, else `y`. */
export function where(condition: Tensor, x: Operand, y: Operand): Tensor {
  const [a, b] = [operand(x), operand(y)];
  requireDtype("where", condition, "bool");
  requireDtype("where", a, "float32");
  requireDtype("where", b, "float32");
  const shape = broadcastShapes("where", condition.shape, broadcastShapes("where", a.shape, b.shape));
  return node("where", [condition, a, b], {}, shape, "float32");
}

/** The same values as another dtype. */
export function cast(x: Tensor, to: DType): Tensor {
  if (x.dtype === "string" || to === "string")
    throw new ShapeError(`cast: strings cannot be cast, got ${x.dtype} to ${to}`);
  return node("cast", [x], { to }, x.shape, to);
}

// --- products and reductions --------------------------------------------------------------------------------------

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

/** Sum over the axes (all by default); they stay as size 1 with `keepDims`. */
export function reduceSum(x: Tensor, axes = allAxes(x), keepDims = false): Tensor {
  return node("reduceSum", [x], { axes, keepDims }, reducedShape("reduceSum", x, axes, keepDims), "float32");
}

/** Mean over the axes (all by default); they stay as size 1 with `keepDims`. */
export function reduceMean(x: Tensor, axes = allAxes(x), keepDims = false): Tensor {
  return node("reduceMean", [x], { axes, keepDims }, reducedShape("reduceMean", x, axes, keepDims), "float32");
}

/** How many elements the axes of `x` span together, as a float32 scalar; known only when a run brings its batch. */
export function countAlong(x: Tensor, axes = allAxes(x)): Tensor {
  checkAxes("countAlong", x, axes);
  return node("countAlong", [x], { axes }, [], "float32");
}

// --- shape --------------------------------------------------------------------------------------------------------

/** `x` broadcast to the shape of `like`, whose values do not matter. */
export function expand(x: Tensor, like: Tensor): Tensor {
  requireDtype("expand", x, "float32");
  if (!sameShape(broadcastShapes("expand", x.shape, like.shape), like.shape)) {
    throw new ShapeError(`expand: ${formatShape(x.shape)} does not broadcast to ${formatShape(like.shape)}`);
  }
  return node("expand", [x, like], {}, like.shape, "float32");
}

/** The same elements in another shape; "batch" stays leading or is absent on both sides. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const known = (s: Shape) => s.reduce<number>((size, axis) => (axis === "batch" ? size : size * axis), 1);
  if (known(x.shape) !== known(shape) || x.shape.includes("batch") !== shape.includes("batch")) {
    throw new ShapeError(
      `reshape: ${formatShape(x.shape)} and ${formatShape(shape)} differ in their number of elements`,
    );
  }
  return node("reshape", [x], { shape }, shape, x.dtype);
}

/** Axes in another order (reversed by default). */
export function transpose(x: Tensor, permutation = allAxes(x).reverse()): Tensor {
  if ([...permutation].sort((a, b) => a - b).join() !== allAxes(x).join()) {
    throw new ShapeError(`transpose: [${permutation.join(", ")}] is no order of the axes of ${formatShape(x.shape)}`);
  }
  const shape = permutation.map((axis) => x.shape[axis] as Axis);
  return node("transpose", [x], { permutation }, shape, x.dtype);
}

/** Tensors joined along an axis of known size; all other axes must agree. */
export function concat(tensors: readonly Tensor[], axis: number): Tensor {
  const [first, ...others] = tensors;
  if (!first) throw new ShapeError("concat: needs at least one tensor");
  const sizes = tensors.map((x) => knownSize("concat", x, axis));
  for (const x of others) {
    if (x.dtype !== first.dtype || !sameShape(withAxis(x.shape, axis, 0), withAxis(first.shape, axis, 0))) {
      throw new ShapeError(
        `concat: all but axis ${axis} must agree, got ${first.dtype}${formatShape(first.shape)} and ${x.dtype}${formatShape(x.shape)}`,
      );
    }
  }
  const total = sizes.reduce((sum, size) => sum + size, 0);
  return node("concat", tensors, { axis }, withAxis(first.shape, axis, total), first.dtype);
}

/** Elements `start` to `end` (exclusive) along an axis of known size. */
export function slice(x: Tensor, axis: number, start: number, end: number): Tensor {
  const size = knownSize("slice", x, axis);
  if (!(Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start < end && end <= size)) {
    throw new ShapeError(`slice: needs 0 <= start < end <= ${size}, got start ${start} and end ${end}`);
  }
  return node("slice", [x], { axis, start, end }, withAxis(x.shape, axis, end - start), x.dtype);
}

/** Zeros added before and after along an axis of known size. */
export function pad(x: Tensor, axis: number, before: number, after: number): Tensor {
  requireDtype("pad", x, "float32");
  const size = knownSize("pad", x, axis);
  if (!(Number.isInteger(before) && Number.isInteger(after) && before >= 0 && after >= 0)) {
    throw new ShapeError(`pad: widths must be whole and not negative, got ${before} and ${after}`);
  }
  return node("pad", [x], { axis, before, after }, withAxis(x.shape, axis, before + size + after), "float32");
}

// --- rows by index ------------------------------------------------------------------------------------------------

/** Rows of `table` [rows, ...rest] at int32 `indices` [...]: [...indices, ...rest]. */
export function gather(table: Tensor, indices: Tensor): Tensor {
  requireDtype("gather", table, "float32");
  requireDtype("gather", indices, "int32");
  knownSize("gather", table, 0);
  return node("gather", [table, indices], {}, [...indices.shape, ...table.shape.slice(1)], "float32");
}

/** Zeros [numRows, ...rest] to which each of `updates` [...indices, ...rest] is added at its row; rows may repeat. */
export function scatterAdd(indices: Tensor, updates: Tensor, numRows: number): Tensor {
  requireDtype("scatterAdd", indices, "int32");
  requireDtype("scatterAdd", updates, "float32");
  if (!(Number.isInteger(numRows) && numRows > 0)) {
    throw new ShapeError(`scatterAdd: numRows must be a positive whole number, got ${numRows}`);
  }
  const rank = indices.shape.length;
  if (!sameShape(updates.shape.slice(0, rank), indices.shape)) {
    throw new ShapeError(
      `scatterAdd: updates ${formatShape(updates.shape)} must begin with the shape of the indices ${formatShape(indices.shape)}`,
    );
  }
  return node("scatterAdd", [indices, updates], { numRows }, [numRows, ...updates.shape.slice(rank)], "float32");
}

/** The position of each string among `keys`, counted from 1; 0 for a string that is not there. */
export function lookup(x: Tensor, keys: readonly string[]): Tensor {
  requireDtype("lookup", x, "string");
  if (keys.length === 0) throw new ShapeError("lookup: needs at least one key, got none");
  return node("lookup", [x], { keys }, x.shape, "int32");
}

// --- shape arithmetic ---------------------------------------------------------------------------------------------

/** The shape that two shapes broadcast to. */
export function broadcastShapes(op: Op, a: Shape, b: Shape): Shape {
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

/** Whether two shapes are equal. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((axis, i) => axis === b[i]);
}

/** The axes of a tensor: 0 to rank - 1. */
export function allAxes(x: Tensor): number[] {
  return [...x.shape.keys()];
}

/** The size of an axis that must not be "batch". */
export function knownSize(op: Op, x: Tensor, axis: number): number {
  checkAxes(op, x, [axis]);
  const size = x.shape[axis];
  if (typeof size !== "number")
    throw new ShapeError(`${op}: axis ${axis} of ${formatShape(x.shape)} must have a known size`);
  return size;
}

function operand(x: Operand): Tensor {
  return typeof x === "number" ? constant(scalar(x)) : x;
}

function withAxis(shape: Shape, axis: number, size: number): Shape {
  return shape.map((old, i) => (i === axis ? size : old));
}

function reducedShape(op: Op, x: Tensor, axes: readonly number[], keepDims: boolean): Shape {
  requireDtype(op, x, "float32");
  checkAxes(op, x, axes);
  return x.shape.flatMap((axis, i) => (axes.includes(i) ? (keepDims ? [1] : []) : [axis]));
}

function checkAxes(op: Op, x: Tensor, axes: readonly number[]): void {
  for (const axis of axes) {
    if (!(Number.isInteger(axis) && axis >= 0 && axis < x.shape.length)) {
      throw new ShapeError(`${op}: ${formatShape(x.shape)} has axes 0 to ${x.shape.length - 1}, got axis ${axis}`);
    }
  }
}

function requireDtype(op: Op, x: Tensor, dtype: DType): void {
  if (x.dtype !== dtype) throw new ShapeError(`${op}: needs ${dtype}, got ${x.dtype}${formatShape(x.shape)}`);
}
