/** Shared by the shape rules of convolutions and pools: [batch, channels, ...spatial], with one or two spatial axes. */
import { ShapeError } from "../../errors.js";
import { type Convolution, numWindows, type Windows } from "../geometry.js";
import { formatShape } from "../shape.js";
import type { Op, Tensor } from "../tensor.js";
import { knownSize, requireDtype } from "./checks.js";

/** Windows as they are asked for: one number stands for all spatial axes. */
export interface WindowOptions {
  /** 1 by default. */
  readonly strides?: number | readonly number[] | undefined;
  /** Zeros around the input: before and after each axis the same, or a pair for each axis. 0 by default. */
  readonly pads?: number | readonly (readonly [before: number, after: number])[] | undefined;
  /** 1 by default. */
  readonly dilations?: number | readonly number[] | undefined;
}

export interface ConvolutionOptions extends WindowOptions {
  /** The number of groups of channels that do not see each other; 1 by default. */
  readonly groups?: number | undefined;
}

/** The known sizes of the spatial axes. */
export function spatialSizes(op: Op, x: Tensor): number[] {
  requireDtype(op, x, "float32");
  if (x.shape.length < 3 || x.shape.length > 4) {
    throw new ShapeError(`${op}: needs [batch, channels, and 1 or 2 spatial axes], got ${formatShape(x.shape)}`);
  }
  return x.shape.slice(2).map((_, i) => knownSize(op, x, i + 2));
}

export function windowsOf(op: Op, numAxes: number, { strides = 1, pads = 0, dilations = 1 }: WindowOptions): Windows {
  const pairs = typeof pads === "number" ? Array.from({ length: numAxes }, () => [pads, pads] as const) : pads;
  checkCount(op, "pads", pairs.length, numAxes);
  if (!pairs.flat().every((pad) => Number.isInteger(pad) && pad >= 0)) {
    throw new ShapeError(`${op}: pads must be whole and not negative, got ${pairs.flat().join(", ")}`);
  }
  return {
    strides: positives(op, "strides", numAxes, strides),
    pads: pairs,
    dilations: positives(op, "dilations", numAxes, dilations),
  };
}

export function convolutionOf(op: Op, numAxes: number, { groups = 1, ...options }: ConvolutionOptions): Convolution {
  return { ...windowsOf(op, numAxes, options), groups: positives(op, "groups", 1, groups)[0] as number };
}

/** A positive whole number for each spatial axis. */
export function positives(op: Op, what: string, numAxes: number, values: number | readonly number[]): number[] {
  const list = typeof values === "number" ? Array.from({ length: numAxes }, () => values) : [...values];
  checkCount(op, what, list.length, numAxes);
  if (!list.every((value) => Number.isInteger(value) && value > 0)) {
    throw new ShapeError(`${op}: ${what} must be positive whole numbers, got ${list.join(", ")}`);
  }
  return list;
}

/** How many windows there are along each axis, at least one. */
export function outputSizes(op: Op, sizes: readonly number[], kernel: readonly number[], windows: Windows): number[] {
  const counts = numWindows(sizes, kernel, windows);
  if (counts.every((count) => count > 0)) return counts;
  const pads = windows.pads.map((pair) => pair.join("+")).join(", ");
  throw new ShapeError(
    `${op}: a window must fit into the padded input, got kernel [${kernel.join(", ")}] with dilations [${windows.dilations.join(", ")}] over [${sizes.join(", ")}] with pads ${pads}`,
  );
}

function checkCount(op: Op, what: string, got: number, numAxes: number): void {
  if (got === numAxes) return;
  throw new ShapeError(`${op}: ${what} must be given for each spatial axis, got ${got} for ${numAxes}`);
}
