import type { RowOps } from "../../../src/graph/tensor.js";
import { mix } from "./random.js";
import { aligned, build, count, operand, type Rules } from "./values.js";

export const rowsValues = {
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
  hash: ({ attributes: { numBuckets, stream }, inputs }) => {
    const { shape, data } = operand(inputs, 0);
    const [one, two] = [mix(stream ^ 0x9e3779b9), mix(stream ^ 0x7f4a7c15)];
    return { shape, data: data.map((x) => (mix(mix(x ^ one) ^ two) >>> 0) % numBuckets) };
  },
} satisfies Rules<keyof RowOps>;
