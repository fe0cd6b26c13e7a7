import type { ContractionOps } from "../../../src/graph/tensor.js";
import { aligned, broadcast, build, type Numbers, operand, type Rules, reduce, span, sumOver } from "./values.js";

export const contractionsValues = {
  reduceSum: ({ attributes: { axes, keepDims }, inputs }) => sumOver(operand(inputs, 0), axes, keepDims),
  reduceMean: ({ attributes: { axes, keepDims }, inputs }) => {
    const x = operand(inputs, 0);
    const sum = sumOver(x, axes, keepDims);
    return { shape: sum.shape, data: sum.data.map((element) => element / span(x.shape, axes)) };
  },
  reduceMax: ({ attributes, inputs }) => reduce(operand(inputs, 0), attributes, Math.max, Number.NEGATIVE_INFINITY),
  reduceMin: ({ attributes, inputs }) => reduce(operand(inputs, 0), attributes, Math.min, Number.POSITIVE_INFINITY),
  argMax: ({ attributes: { axis }, inputs }) => {
    const x = operand(inputs, 0);
    return build(x.shape.toSpliced(axis, 1), (at) => {
      const along = Array.from({ length: x.shape[axis] ?? 0 }, (_, i) => aligned(x, at.toSpliced(axis, 0, i)));
      return along.indexOf(Math.max(...along));
    });
  },
  cumulativeSum: ({ attributes: { axis, exclusive, reverse }, inputs }) => {
    const x = operand(inputs, 0);
    return build(x.shape, (at) => {
      const here = at[axis] ?? 0;
      let sum = 0;
      for (let i = 0; i < (x.shape[axis] ?? 0); i++) {
        const isBefore = reverse ? i > here : i < here;
        if (isBefore || (i === here && !exclusive)) sum += aligned(x, at.with(axis, i));
      }
      return sum;
    });
  },
  countAlong: ({ attributes: { axes }, inputs }) => ({ shape: [], data: [span(inputs[0]?.shape ?? [], axes)] }),
  matmul: ({ attributes: { transposeA, transposeB, scale }, inputs }) => {
    const [a, b] = [operand(inputs, 0), operand(inputs, 1)];
    const [rows = 0, inner = 0] = transposeA ? a.shape.slice(-2).reverse() : a.shape.slice(-2);
    const columns = b.shape.at(transposeB ? -2 : -1) ?? 0;
    const leading = broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2));
    return build([...leading, rows, columns], (at) => {
      const [i = 0, j = 0] = at.slice(-2);
      const [ofA, ofB] = [a, b].map(({ shape }) => at.slice(at.length - shape.length, -2)) as [number[], number[]];
      let sum = 0;
      for (let k = 0; k < inner; k++) {
        const left = aligned(a, [...ofA, ...(transposeA ? [k, i] : [i, k])]);
        sum += left * aligned(b, [...ofB, ...(transposeB ? [j, k] : [k, j])]);
      }
      return scale * sum;
    });
  },
  quantisedMatmul: ({ attributes: { pieces }, inputs }) => {
    const [x, weight, scale] = [0, 1, 2].map((i) => operand(inputs, i)) as [Numbers, Numbers, Numbers];
    const first = inSteps(x.data);
    const rest = x.data.map((value, i) => Math.fround(value - Math.fround((first.whole[i] ?? 0) * first.step)));
    const all = pieces === 2 ? [first, inSteps(rest)] : [first];
    const [inner = 0, columns = 0] = weight.shape;
    return build([...x.shape.slice(0, -1), columns], (at) => {
      const column = at.at(-1) ?? 0;
      const row = at.slice(0, -1).reduce((place, index, axis) => place * (x.shape[axis] ?? 0) + index, 0) * inner;
      let total = 0;
      for (const { whole, step } of all) {
        let sum = 0;
        for (let k = 0; k < inner; k++) sum += (whole[row + k] ?? 0) * (weight.data[k * columns + column] ?? 0);
        total += sum * step * (scale.data[column] ?? 0);
      }
      return total;
    });
  },
} satisfies Rules<keyof ContractionOps>;

/** Numbers in 255 equal steps of their range, which has 0 in it: about `whole` x `step`. */
function inSteps(x: Float64Array): { whole: Float64Array; step: number } {
  // The steps are float32 numbers, and so are the quotients that are rounded: otherwise ties would go the other way.
  const [least, most] = [Math.min(0, ...x), Math.max(0, ...x)].map(Math.fround) as [number, number];
  const step = most > least ? Math.fround(Math.fround(most - least) / 255) : 1;
  const zero = Math.min(255, Math.max(0, toEven(Math.fround(-least / step))));
  const place = (value: number) => Math.min(255, Math.max(0, toEven(Math.fround(value / step)) + zero));
  return { whole: x.map((value) => place(value) - zero), step };
}

/** The nearest whole number, of two the even one. */
function toEven(x: number): number {
  const below = Math.floor(x);
  if (x - below !== 0.5) return Math.round(x);
  return below % 2 === 0 ? below : below + 1;
}
