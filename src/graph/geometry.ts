/** How windows lie over the spatial axes of [batch, channels, ...spatial]: of convolutions and of pools. */

/** A number, or a pair, for each spatial axis. */
export interface Windows {
  /** Steps from one window to the next. */
  readonly strides: readonly number[];
  /** Positions outside of the input that windows may reach, before and after. */
  readonly pads: readonly (readonly [before: number, after: number])[];
  /** Steps from one element of a window to the next. */
  readonly dilations: readonly number[];
}

/** The windows of a convolution, and the number of groups of channels that do not see each other. */
export interface Convolution extends Windows {
  readonly groups: number;
}

/** How many positions a window spans along an axis, from its first element to its last. */
function spanOf(kernel: number, dilation: number): number {
  return dilation * (kernel - 1) + 1;
}

/** How many windows fit along each spatial axis; 0 or less where none does. */
export function numWindows(sizes: readonly number[], kernel: readonly number[], windows: Windows): number[] {
  return along(windows, kernel).map(({ stride, before, after, span }, i) => {
    return Math.floor(((sizes[i] ?? 0) + before + after - span) / stride) + 1;
  });
}

/** The sizes that have `counts` windows, and `outputPadding` more. */
export function sizesCovered(
  counts: readonly number[],
  kernel: readonly number[],
  windows: Windows,
  outputPadding: readonly number[],
): number[] {
  return along(windows, kernel).map(({ stride, before, after, span }, i) => {
    return stride * ((counts[i] ?? 0) - 1) + span - before - after + (outputPadding[i] ?? 0);
  });
}

/** The windows axis by axis. */
export function along({ strides, pads, dilations }: Windows, kernel: readonly number[]) {
  return kernel.map((size, i) => {
    const [before, after] = pads[i] ?? [0, 0];
    const dilation = dilations[i] ?? 1;
    return { kernel: size, stride: strides[i] ?? 1, before, after, dilation, span: spanOf(size, dilation) };
  });
}

/** The positions of a kernel in row-major order. */
export function positionsOf(kernel: readonly number[]): number[][] {
  return kernel.reduce<number[][]>(
    (positions, size) => positions.flatMap((at) => Array.from({ length: size }, (_, i) => [...at, i])),
    [[]],
  );
}
