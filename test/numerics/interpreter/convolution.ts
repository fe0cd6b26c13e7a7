import type { ConvolutionOps } from "../../../src/graph/tensor.js";
import { aligned, build, count, type Numbers, operand, type Rules } from "./values.js";

interface Windows {
  readonly strides: readonly number[];
  readonly pads: readonly (readonly [number, number])[];
  readonly dilations: readonly number[];
}

export const convolutionValues = {
  conv: ({ attributes, inputs }) => {
    const [x, w] = [operand(inputs, 0), operand(inputs, 1)];
    const y = zeros([x.shape[0] ?? 0, w.shape[0] ?? 0, ...numWindows(x.shape.slice(2), w.shape.slice(2), attributes)]);
    eachTerm(x.shape, w.shape, y.shape, attributes, (i, j, k) => {
      y.data[k]! += (x.data[i] ?? 0) * (w.data[j] ?? 0);
    });
    return y;
  },
  convTranspose: ({ attributes, inputs }) => {
    const [y, w] = [operand(inputs, 0), operand(inputs, 1)];
    const { strides, pads, dilations, outputPadding, groups } = attributes;
    const sizes = y.shape.slice(2).map((size, axis) => {
      const [before, after] = pads[axis] ?? [0, 0];
      const reach = (size - 1) * (strides[axis] ?? 1) + ((w.shape[axis + 2] ?? 0) - 1) * (dilations[axis] ?? 1) + 1;
      return reach - before - after + (outputPadding[axis] ?? 0);
    });
    const x = zeros([y.shape[0] ?? 0, (w.shape[1] ?? 0) * groups, ...sizes]);
    eachTerm(x.shape, w.shape, y.shape, attributes, (i, j, k) => {
      x.data[i]! += (y.data[k] ?? 0) * (w.data[j] ?? 0);
    });
    return x;
  },
  convWeightGrad: ({ attributes, inputs }) => {
    const [x, y] = [operand(inputs, 0), operand(inputs, 1)];
    const { kernel, groups } = attributes;
    const w = zeros([y.shape[1] ?? 0, (x.shape[1] ?? 0) / groups, ...kernel]);
    eachTerm(x.shape, w.shape, y.shape, attributes, (i, j, k) => {
      w.data[j]! += (x.data[i] ?? 0) * (y.data[k] ?? 0);
    });
    return w;
  },
  maxPool: ({ attributes: { kernel, ...windows }, inputs }) => {
    const x = operand(inputs, 0);
    const [n = 0, c = 0, ...sizes] = x.shape;
    const shape = [n, c, ...numWindows(sizes, kernel, windows)];
    const places = new Float64Array(count(shape));
    let next = 0;
    const y = build(shape, ([example = 0, channel = 0, ...output]) => {
      let [most, place] = [Number.NEGATIVE_INFINITY, -1];
      for (const k of positions(kernel)) {
        const at = seen(windows, sizes, output, k);
        const value = at ? aligned(x, [example, channel, ...at]) : Number.NEGATIVE_INFINITY;
        if (at && value > most) [most, place] = [value, offset(sizes, at)];
      }
      places[next++] = place;
      return most;
    });
    return [y, { shape, data: places }];
  },
  averagePool: ({ attributes: { kernel, countIncludePad, ...windows }, inputs }) => {
    const x = operand(inputs, 0);
    const [n = 0, c = 0, ...sizes] = x.shape;
    return build([n, c, ...numWindows(sizes, kernel, windows)], ([example = 0, channel = 0, ...output]) => {
      const inside = positions(kernel).flatMap((k) => {
        const at = seen(windows, sizes, output, k);
        return at ? [aligned(x, [example, channel, ...at])] : [];
      });
      return inside.reduce((sum, value) => sum + value, 0) / (countIncludePad ? count(kernel) : inside.length);
    });
  },
  scatterWithin: ({ attributes: { sizes }, inputs }) => {
    const [updates, at] = [operand(inputs, 0), operand(inputs, 1)];
    const [n = 0, c = 0, ...from] = updates.shape;
    const sum = zeros([n, c, ...sizes]);
    updates.data.forEach((update, i) => {
      sum.data[Math.floor(i / count(from)) * count(sizes) + placeWithin(at, i, sizes)]! += update;
    });
    return sum;
  },
  gatherWithin: ({ inputs }) => {
    const [x, at] = [operand(inputs, 0), operand(inputs, 1)];
    const sizes = x.shape.slice(2);
    const rowLength = count(at.shape.slice(2));
    const data = at.data.map(
      (_, i) => x.data[Math.floor(i / rowLength) * count(sizes) + placeWithin(at, i, sizes)] ?? Number.NaN,
    );
    return { shape: at.shape, data };
  },
} satisfies Rules<keyof ConvolutionOps>;

/**
 * The terms x[n, c, s] w[o, c', k] y[n, o, s'] of a convolution as a trilinear form, by the offsets of their elements:
 * each of its tensors is the sum of the products of the other two.
 */
function eachTerm(
  xShape: readonly number[],
  wShape: readonly number[],
  yShape: readonly number[],
  windows: Windows & { readonly groups: number },
  visit: (x: number, w: number, y: number) => void,
): void {
  const [numExamples = 0, , ...sizes] = xShape;
  const [outputs = 0, inputs = 0, ...kernel] = wShape;
  for (const output of positions(yShape.slice(2))) {
    for (const k of positions(kernel)) {
      const at = seen(windows, sizes, output, k);
      if (!at) continue;
      for (let n = 0; n < numExamples; n++) {
        for (let o = 0; o < outputs; o++) {
          const first = Math.floor(o / (outputs / windows.groups)) * inputs;
          for (let c = 0; c < inputs; c++) {
            const [x, w] = [offset(xShape, [n, first + c, ...at]), offset(wShape, [o, c, ...k])];
            visit(x, w, offset(yShape, [n, o, ...output]));
          }
        }
      }
    }
  }
}

/** The position of the input that a window sees through a position of its kernel; undefined outside of the input. */
function seen(
  { strides, pads, dilations }: Windows,
  sizes: readonly number[],
  window: readonly number[],
  kernel: readonly number[],
): number[] | undefined {
  const at = window.map((o, i) => o * (strides[i] ?? 1) - (pads[i]?.[0] ?? 0) + (kernel[i] ?? 0) * (dilations[i] ?? 1));
  return at.every((position, i) => position >= 0 && position < (sizes[i] ?? 0)) ? at : undefined;
}

/** By trying: the windows that begin and end within the padded input. */
function numWindows(sizes: readonly number[], kernel: readonly number[], { strides, pads, dilations }: Windows) {
  return sizes.map((size, axis) => {
    const [before, after] = pads[axis] ?? [0, 0];
    const last = ((kernel[axis] ?? 0) - 1) * (dilations[axis] ?? 1);
    let fitting = 0;
    while (fitting * (strides[axis] ?? 1) + last < before + size + after) fitting++;
    return fitting;
  });
}

function placeWithin(at: Numbers, i: number, sizes: readonly number[]): number {
  const place = at.data[i] ?? -1;
  if (!(place >= 0 && place < count(sizes))) throw new Error(`interpret: nothing at ${place} of [${sizes.join(", ")}]`);
  return place;
}

function positions(shape: readonly number[]): number[][] {
  const all: number[][] = [];
  build(shape, (at) => all.push([...at]));
  return all;
}

function offset(shape: readonly number[], at: readonly number[]): number {
  return shape.reduce((sum, size, axis) => sum * size + (at[axis] ?? 0), 0);
}

function zeros(shape: readonly number[]): Numbers {
  return { shape, data: new Float64Array(count(shape)) };
}
