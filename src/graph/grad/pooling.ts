/** The gradient of the maximum over windows that neither overlap nor miss anything between them. */
import { sizeOf } from "../../runtime/array.js";
import * as ops from "../ops.js";
import type { ConvolutionOps, Tensor } from "../tensor.js";

/** The nodes below grow with the elements of a window: of larger ones the pool finds the largest element. */
const MOST_ELEMENTS = 9;

/** Whether windows lie side by side from the first element on, and are small. */
export function isTiled({ kernel, strides, pads, dilations }: ConvolutionOps["maxPool"]): boolean {
  const areBeside = kernel.every((size, i) => size === strides[i] && (size === 1 || dilations[i] === 1));
  return areBeside && pads.flat().every((width) => width === 0) && sizeOf(kernel) <= MOST_ELEMENTS;
}

/**
 * The gradient of y, a tiled maximum of x [batch, C, ...spatial], from its cotangent g [batch, C, ...]: that of each window
 * goes to the first of its largest elements, which comparisons of slices find. In a window with NaN, or with a cotangent that
 * is not finite, it is not said which elements get it.
 */
export function tiledMaxGradient(g: Tensor, y: Tensor, x: Tensor, kernel: readonly number[]): Tensor {
  return toFirst(g, y, windowsOf(x, 2, kernel));
}

/** Windows along the axes from `axis` on, as slices of x: the first elements of all windows along it, the second ones. */
interface TiledWindows {
  readonly x: Tensor;
  readonly axis: number;
  readonly slices: readonly TiledWindows[];
  /** Elements at the end of `axis` that no window reaches. */
  readonly left: number;
  readonly largest: Tensor;
}

function windowsOf(x: Tensor, axis: number, [size, ...others]: readonly number[]): TiledWindows {
  if (size === undefined) return { x, axis, slices: [], left: 0, largest: x };
  const length = x.shape[axis] as number;
  const count = Math.floor(length / size);
  const left = length - count * size;
  const [covered = x] = left === 0 ? [x] : ops.split(x, axis, [length - left, left]);
  const apart = ops.reshape(covered, covered.shape.toSpliced(axis, 1, count, size));
  const ones = Array.from({ length: size }, () => 1);
  const slices = ops.split(apart, axis + 1, ones).map((slice) => {
    return windowsOf(ops.reshape(slice, covered.shape.with(axis, count)), axis + 1, others);
  });
  return { x, axis, slices, left, largest: slices.map(({ largest }) => largest).reduce(ops.maximum) };
}

/** Among the slices along the first axis the first that holds the largest element has it all, and within it the same. */
function toFirst(g: Tensor, y: Tensor, { x, axis, slices, left }: TiledWindows): Tensor {
  if (slices.length === 0) return g;
  let rest = g;
  const gradients = slices.map((slice, i) => {
    const isLast = i === slices.length - 1;
    const share = isLast ? rest : ops.where(ops.equal(slice.largest, y), rest, 0);
    rest = ops.sub(rest, share);
    return toFirst(share, slice.largest, slice);
  });
  const length = (x.shape[axis] as number) - left;
  const whole = ops.reshape(ops.stack(gradients, axis + 1), x.shape.with(axis, length));
  return left === 0 ? whole : ops.pad(whole, axis, 0, left);
}
