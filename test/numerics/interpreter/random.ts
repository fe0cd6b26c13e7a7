import type { RandomOps } from "../../../src/graph/tensor.js";
import { count, operand, type Rules, sizeFor } from "./values.js";

export const randomValues = {
  randomUniform: ({ attributes: { stream }, inputs, shape: known }) => {
    const [first = 0, second = 0] = operand(inputs, 0).data;
    const shape = inputs[1]?.shape ?? known.map((axis) => sizeFor(axis, 1));
    const one = mix(mix(mix(first ^ 0x9e3779b9) ^ second) ^ stream);
    const two = mix(mix(mix(second ^ 0x7f4a7c15) ^ first) ^ stream);
    return {
      shape,
      data: Float64Array.from({ length: count(shape) }, (_, i) => (mix(mix(i ^ one) ^ two) >>> 8) / 2 ** 24),
    };
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
