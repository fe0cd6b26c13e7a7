import type { IndexOps } from "../../../src/graph/tensor.js";
import { aligned, build, count, type Numbers, operand, type Rules, rowsOf } from "./values.js";

export const indexingValues = {
  gather: ({ inputs }) => {
    const [table, indices] = [operand(inputs, 0), operand(inputs, 1)];
    const rank = indices.shape.length;
    return build([...indices.shape, ...table.shape.slice(1)], (at) => {
      const row = aligned(indices, at.slice(0, rank));
      if (!(row >= 0 && row < (table.shape[0] ?? 0))) throw new Error(`interpret: gather has no row ${row}`);
      return aligned(table, [row, ...at.slice(rank)]);
    });
  },
  scatterAdd: ({ attributes, inputs }) => {
    const [indices, updates] = [operand(inputs, 0), operand(inputs, 1)];
    const numRows = typeof attributes.numRows === "number" ? attributes.numRows : indices.data.length;
    const rest = updates.shape.slice(indices.shape.length);
    const width = count(rest);
    const data = new Float64Array(numRows * width);
    indices.data.forEach((row, i) => {
      if (!(row >= 0 && row < numRows)) throw new Error(`interpret: scatterAdd has no row ${row}`);
      for (let j = 0; j < width; j++) data[row * width + j]! += updates.data[i * width + j] ?? 0;
    });
    return { shape: [numRows, ...rest], data };
  },
  setRows: ({ inputs }) => {
    const [table, indices, rows] = [operand(inputs, 0), operand(inputs, 1), operand(inputs, 2)];
    const width = count(table.shape.slice(1));
    const data = table.data.slice();
    const written = new Map<number, string>();
    indices.data.forEach((row, i) => {
      if (!(row >= 0 && row < (table.shape[0] ?? 0))) throw new Error(`interpret: setRows has no row ${row}`);
      const values = rows.data.subarray(i * width, (i + 1) * width);
      if ((written.get(row) ?? values.join()) !== values.join())
        throw new Error(`interpret: setRows has different rows for ${row}`);
      written.set(row, values.join());
      data.set(values, row * width);
    });
    return { shape: table.shape, data };
  },
  firstEqual: ({ inputs }) => {
    const { shape, data } = operand(inputs, 0);
    return { shape, data: data.map((value) => data.indexOf(value)) };
  },
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
} satisfies Rules<keyof IndexOps>;

function within({ shape }: Numbers, axis: number, position: number): number {
  if (!(position >= 0 && position < (shape[axis] ?? 0))) throw new Error(`interpret: axis ${axis} has no ${position}`);
  return position;
}
