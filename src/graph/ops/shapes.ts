import { ShapeError } from "../../errors.js";
import { type Axis, elementsOf, formatShape, type Shape } from "../shape.js";
import { node, part, type Tensor } from "../tensor.js";
import {
  allAxes,
  broadcastShapes,
  checkAxes,
  knownSize,
  type Operand,
  operand,
  requireDtype,
  sameShape,
  withAxis,
} from "./checks.js";
import { constant } from "./leaves.js";

/** A tensor or number broadcast to the shape of `like`, whose values do not matter. */
export function expand(value: Operand, like: Tensor): Tensor {
  const x = operand(value);
  requireDtype("expand", x, "float32");
  if (!sameShape(broadcastShapes("expand", x.shape, like.shape), like.shape)) {
    throw new ShapeError(`expand: ${formatShape(x.shape)} does not broadcast to ${formatShape(like.shape)}`);
  }
  return node("expand", [x, like], {}, like.shape, "float32");
}

/**
 * The same elements in another shape; the symbolic leading axis may absorb or release known ones. `x` itself when
 * nothing changes.
 */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const [before, after] = [elementsOf(x.shape), elementsOf(shape)];
  if (before.count !== after.count || before.isPerExample !== after.isPerExample) {
    throw new ShapeError(
      `reshape: ${formatShape(x.shape)} and ${formatShape(shape)} differ in their number of elements`,
    );
  }
  return sameShape(x.shape, shape) ? x : node("reshape", [x], { shape }, shape, x.dtype);
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

/** The elements in opposite order along an axis. */
export function flip(x: Tensor, axis: number): Tensor {
  checkAxes("flip", x, [axis]);
  return node("flip", [x], { axis }, x.shape, x.dtype);
}

/** Cut along an axis of known size into parts of the given sizes. */
export function split(x: Tensor, axis: number, sizes: readonly number[]): Tensor[] {
  const size = knownSize("split", x, axis);
  const total = sizes.reduce((sum, part) => sum + part, 0);
  if (total !== size) {
    throw new ShapeError(`split: the sizes [${sizes.join(", ")}] must add up to ${size}, got ${total}`);
  }
  const odd = sizes.find((part) => !(Number.isInteger(part) && part > 0));
  if (odd !== undefined) throw new ShapeError(`split: sizes must be positive whole numbers, got ${odd}`);
  const [first, ...others] = sizes.map((part) => ({ shape: withAxis(x.shape, axis, part), dtype: x.dtype }));
  if (!first) throw new ShapeError(`split: needs at least one size, got none`);
  const whole = node("split", [x], { axis, sizes }, first.shape, first.dtype, others);
  return [whole, ...others.map((_, i) => part(whole, i + 1))];
}

/** Tensors of one shape side by side along a new axis. */
export function stack(tensors: readonly Tensor[], axis: number): Tensor {
  return concat(
    tensors.map((x) => {
      if (!(Number.isInteger(axis) && axis >= 0 && axis <= x.shape.length)) {
        throw new ShapeError(`stack: the new axis must be 0 to ${x.shape.length}, got ${axis}`);
      }
      return reshape(x, x.shape.toSpliced(axis, 0, 1));
    }),
    axis,
  );
}

/** bool [size, size]: whether position j may be seen from position i, that is j <= i. */
export function causalMask(size: number): Tensor {
  const data = Uint8Array.from({ length: size * size }, (_, at) => Number(at % size <= Math.floor(at / size)));
  return constant({ dtype: "bool", shape: [size, size], data });
}
