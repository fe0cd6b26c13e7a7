import { ShapeError } from "../../errors.js";
import { along, type Windows } from "../geometry.js";
import { formatShape } from "../shape.js";
import { node, type Tensor } from "../tensor.js";
import { allAxes, knownSize, requireDtype, sameShape } from "./checks.js";
import { reduceMean } from "./contractions.js";
import { reshape } from "./shapes.js";
import { outputSizes, positives, spatialSizes, type WindowOptions, windowsOf } from "./spatial.js";

export interface PoolOptions extends WindowOptions {
  /** The size of a window, for each spatial axis or for all of them. */
  readonly kernel: number | readonly number[];
}

/**
 * The largest element of each window of `x` [batch, C, ...spatial], of equal ones the first. Padding is never the
 * largest. Result 1 holds the positions of the largest elements: int32, within each [...spatial], in row-major order.
 */
export function maxPool(x: Tensor, { kernel, ...options }: PoolOptions): Tensor {
  const sizes = spatialSizes("maxPool", x);
  const windows = windowsOf("maxPool", sizes.length, options);
  const whole = positives("maxPool", "kernel", sizes.length, kernel);
  const shape = [...x.shape.slice(0, 2), ...outputSizes("maxPool", sizes, whole, windows)];
  checkWindows("maxPool", sizes, shape.slice(2) as number[], whole, windows);
  return node("maxPool", [x], { kernel: whole, ...windows }, shape, "float32", [{ shape, dtype: "int32" }]);
}

/**
 * The mean of each window of `x` [batch, C, ...spatial]: of those elements that lie inside, or with `countIncludePad` of
 * all of them, zeros outside. Windows are not dilated.
 */
export function averagePool(
  x: Tensor,
  {
    kernel,
    countIncludePad = false,
    ...options
  }: Omit<PoolOptions, "dilations"> & { readonly countIncludePad?: boolean },
): Tensor {
  const sizes = spatialSizes("averagePool", x);
  const windows = windowsOf("averagePool", sizes.length, options);
  const whole = positives("averagePool", "kernel", sizes.length, kernel);
  const shape = [...x.shape.slice(0, 2), ...outputSizes("averagePool", sizes, whole, windows)];
  checkWindows("averagePool", sizes, shape.slice(2) as number[], whole, windows);
  return node("averagePool", [x], { kernel: whole, ...windows, countIncludePad }, shape, "float32");
}

/** The mean over all spatial axes: [batch, C]. */
export function globalAveragePool(x: Tensor): Tensor {
  spatialSizes("averagePool", x);
  return reduceMean(x, allAxes(x).slice(2));
}

/** The largest element over all spatial axes: [batch, C]. */
export function globalMaxPool(x: Tensor): Tensor {
  return reshape(maxPool(x, { kernel: spatialSizes("maxPool", x) }), x.shape.slice(0, 2));
}

/**
 * Zeros [batch, C, ...sizes] to which each of `updates` [batch, C, ...] is added at its position within [...sizes], as
 * int32 `positions` of the same shape say; positions may repeat.
 */
export function scatterWithin(updates: Tensor, positions: Tensor, sizes: readonly number[]): Tensor {
  spatialSizes("scatterWithin", updates);
  requireDtype("scatterWithin", positions, "int32");
  if (!sameShape(updates.shape, positions.shape)) {
    throw new ShapeError(
      `scatterWithin: updates and positions must have one shape, got ${formatShape(updates.shape)} and ${formatShape(positions.shape)}`,
    );
  }
  const whole = positives("scatterWithin", "sizes", updates.shape.length - 2, sizes);
  return node(
    "scatterWithin",
    [updates, positions],
    { sizes: whole },
    [...updates.shape.slice(0, 2), ...whole],
    "float32",
  );
}

/** The elements of `x` [batch, C, ...spatial] at int32 `positions` [batch, C, ...] within [...spatial]. */
export function gatherWithin(x: Tensor, positions: Tensor): Tensor {
  spatialSizes("gatherWithin", x);
  requireDtype("gatherWithin", positions, "int32");
  if (positions.shape.length !== x.shape.length || !sameShape(x.shape.slice(0, 2), positions.shape.slice(0, 2))) {
    throw new ShapeError(
      `gatherWithin: positions must have the batch, the channels and the number of axes of x ${formatShape(x.shape)}, got ${formatShape(positions.shape)}`,
    );
  }
  for (const axis of allAxes(positions).slice(1)) knownSize("gatherWithin", positions, axis);
  return node("gatherWithin", [x, positions], {}, positions.shape, "float32");
}

/**
 * Each window must hold an element of the input, or it has no largest element and no mean. Engines require pads smaller
 * than the kernel, so that only dilated windows can miss the input.
 */
function checkWindows(
  op: "maxPool" | "averagePool",
  sizes: readonly number[],
  counts: readonly number[],
  kernel: readonly number[],
  windows: Windows,
): void {
  along(windows, kernel).forEach(({ kernel: length, stride, before, after, dilation }, axis) => {
    if (Math.max(before, after) >= length) {
      throw new ShapeError(
        `${op}: pads must be smaller than the kernel, got ${before}+${after} for ${length} along spatial axis ${axis}`,
      );
    }
    const isInside = (at: number) => at >= 0 && at < (sizes[axis] ?? 0);
    for (let window = 0; window < (counts[axis] ?? 0); window++) {
      const positions = Array.from({ length }, (_, i) => window * stride - before + i * dilation);
      if (positions.some(isInside)) continue;
      throw new ShapeError(
        `${op}: every window must hold an element of the input, window ${window} of spatial axis ${axis} has positions ${positions.join(", ")} of ${sizes[axis]}; use smaller pads`,
      );
    }
  });
}
