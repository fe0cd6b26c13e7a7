import type { AlongOps } from "../../../src/graph/tensor.js";
import { aligned, build, type Numbers, operand, type Rules, rowsOf } from "./values.js";

export const alongValues = {
  takeAlong: ({ attributes: { axis }, inputs }) => {
    const [x, indices] = [operand(inputs, 0), operand(inputs, 1)];
    return build(indices.shape, (at) => aligned(x, at.with(axis, within(x, axis, aligned(indices, at)))));
  },
  addAlong: ({ attributes: { axis }, inputs }) => {
    const [x, indices, updates] = [operand(inputs, 0), operand(inputs, 1), operand(inputs, 2)];
    return build(x.shape, (at) => {
      let sum = aligned(x, at);
      for (let i = 0; i < (indices.shape[axis] ?? 0); i++) {
        const from = at.with(axis, i);
        if (within(x, axis, aligned(indices, from)) === at[axis]) sum += aligned(updates, from);
      }
      return sum;
    });
  },
  topK: ({ attributes: { k }, inputs }) => {
    const x = operand(inputs, 0);
    const orders = rowsOf(x).map((row) =>
      [...row.keys()].sort((i, j) => (row[j] ?? 0) - (row[i] ?? 0) || i - j).slice(0, k),
    );
    const shape = x.shape.with(-1, k);
    const values = rowsOf(x).flatMap((row, i) => (orders[i] ?? []).map((position) => row[position] ?? Number.NaN));
    return [
      { shape, data: Float64Array.from(values) },
      { shape, data: Float64Array.from(orders.flat()) },
    ];
  },
} satisfies Rules<keyof AlongOps>;

function within({ shape }: Numbers, axis: number, position: number): number {
  if (!(position >= 0 && position < (shape[axis] ?? 0))) throw new Error(`interpret: axis ${axis} has no ${position}`);
  return position;
}
