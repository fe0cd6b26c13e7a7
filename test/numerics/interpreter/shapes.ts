import type { ShapeOps } from "../../../src/graph/tensor.js";
import { aligned, build, operand, type Rules } from "./values.js";

export const shapesValues = {
  expand: ({ inputs, shape }) => {
    const known = inputs.length > 1 ? operand(inputs, 1).shape : (shape as readonly number[]);
    return build(known, (at) => aligned(operand(inputs, 0), at));
  },
  reshape: ({ attributes: { shape }, inputs }) => {
    const x = operand(inputs, 0);
    const others = shape.reduce<number>((product, axis) => (typeof axis === "number" ? product * axis : product), 1);
    return { shape: shape.map((axis) => (typeof axis === "number" ? axis : x.data.length / others)), data: x.data };
  },
  transpose: ({ attributes: { permutation }, inputs }) => {
    const x = operand(inputs, 0);
    const shape = permutation.map((axis) => x.shape[axis] ?? 0);
    return build(shape, (at) => {
      const source: number[] = [];
      permutation.forEach((axis, i) => {
        source[axis] = at[i] ?? 0;
      });
      return aligned(x, source);
    });
  },
  concat: ({ attributes: { axis }, inputs }) => {
    const parts = inputs.map((_, i) => operand(inputs, i));
    const shape = [...(parts[0]?.shape ?? [])];
    shape[axis] = parts.reduce((sum, part) => sum + (part.shape[axis] ?? 0), 0);
    return build(shape, (at) => {
      let position = at[axis] ?? 0;
      for (const part of parts) {
        const size = part.shape[axis] ?? 0;
        if (position < size) return aligned(part, at.with(axis, position));
        position -= size;
      }
      throw new Error("interpret: concat ran past its inputs");
    });
  },
  slice: ({ attributes: { axis, start, end }, inputs }) => {
    const x = operand(inputs, 0);
    return build(x.shape.with(axis, end - start), (at) => aligned(x, at.with(axis, (at[axis] ?? 0) + start)));
  },
  split: ({ attributes: { axis, sizes }, inputs }) => {
    const x = operand(inputs, 0);
    let start = 0;
    return sizes.map((size) => {
      const from = start;
      start += size;
      return build(x.shape.with(axis, size), (at) => aligned(x, at.with(axis, (at[axis] ?? 0) + from)));
    });
  },
  flip: ({ attributes: { axis }, inputs }) => {
    const x = operand(inputs, 0);
    return build(x.shape, (at) => aligned(x, at.with(axis, (x.shape[axis] ?? 0) - 1 - (at[axis] ?? 0))));
  },
  pad: ({ attributes: { axis, before, after }, inputs }) => {
    const x = operand(inputs, 0);
    const size = x.shape[axis] ?? 0;
    return build(x.shape.with(axis, before + size + after), (at) => {
      const position = (at[axis] ?? 0) - before;
      return position >= 0 && position < size ? aligned(x, at.with(axis, position)) : 0;
    });
  },
} satisfies Rules<keyof ShapeOps>;
