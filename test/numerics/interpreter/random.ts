import type { RandomOps } from "../../../src/graph/tensor.js";
import { count, operand, type Rules, sizeFor } from "./values.js";

export const randomValues = {
  randomUniform: ({ attributes: { stream }, inputs, shape: known }) => {
    const [first = 0, second = 0] = operand(inputs, 0).data;
    const shape = inputs[1]?.shape ?? known.map((axis) => sizeFor(axis, 1));
    const numColumns = shape.length < 2 ? 1 : (shape.at(-1) ?? 1);
    const [one, two] = [mix(stream ^ 0x9e3779b9), mix(stream ^ 0x7f4a7c15)];
    const row = (i: number) => mix(mix(mix(i ^ one) ^ first) ^ second);
    const column = (j: number) => mix(mix(mix(j ^ two) ^ second) ^ first);
    const value = (i: number) => spread(row(Math.floor(i / numColumns)) ^ column(i % numColumns)) >>> 8;
    return { shape, data: Float64Array.from({ length: count(shape) }, (_, i) => value(i) / 2 ** 24) };
  },
  hash: ({ attributes: { numBuckets, stream }, inputs }) => {
    const { shape, data } = operand(inputs, 0);
    const [one, two] = [mix(stream ^ 0x9e3779b9), mix(stream ^ 0x7f4a7c15)];
    return { shape, data: data.map((x) => (mix(mix(x ^ one) ^ two) >>> 0) % numBuckets) };
  },
} satisfies Rules<keyof RandomOps>;

function mix(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0xd35a2d97);
  return x ^ (x >>> 15);
}

function spread(x: number): number {
  x = Math.imul(x, 0x21f0aaad);
  return Math.imul(x ^ (x >>> 15), 0xd35a2d97);
}
