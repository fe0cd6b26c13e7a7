import type { LayerNormOps } from "../../../src/graph/tensor.js";
import { mapRows, operand, type Rules, rowsOf } from "./values.js";

export const layerNormValues = {
  layerNorm: ({ attributes: { epsilon }, inputs }) => {
    const [x, gain, bias] = [operand(inputs, 0), operand(inputs, 1), operand(inputs, 2)];
    const means = Float64Array.from(rowsOf(x), mean);
    const inverses = Float64Array.from(rowsOf(x), (row, i) => {
      return 1 / Math.sqrt(mean(row.map((value) => (value - (means[i] ?? 0)) ** 2)) + epsilon);
    });
    const normalised = mapRows(x, (row, i) => {
      return row.map(
        (value, j) => (value - (means[i] ?? 0)) * (inverses[i] ?? 0) * (gain.data[j] ?? 0) + (bias.data[j] ?? 0),
      );
    });
    const shape = x.shape.with(-1, 1);
    return [normalised, { shape, data: means }, { shape, data: inverses }];
  },
} satisfies Rules<keyof LayerNormOps>;

function mean(row: Float64Array): number {
  return row.reduce((sum, value) => sum + value, 0) / row.length;
}
