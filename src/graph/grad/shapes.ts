import * as ops from "../ops.js";
import { part, type ShapeOps } from "../tensor.js";
import { known, type Rules, unbroadcast } from "./rule.js";

export const shapesGradients = {
  expand: (g, _, x) => [unbroadcast(g, x), null],
  reshape: (g, _, x) => [ops.reshape(g, known(x).shape)],
  transpose: (g, { attributes: { permutation } }) => [
    ops.transpose(
      g,
      permutation.map((_, i) => permutation.indexOf(i)),
    ),
  ],
  concat: (g, { attributes: { axis } }, ...inputs) => {
    let start = 0;
    return inputs.map((x) => {
      const end = start + ops.knownSize("concat", x, axis);
      const part = ops.slice(g, axis, start, end);
      start = end;
      return part;
    });
  },
  slice: (g, { attributes: { axis, start, end } }, x) => [
    ops.pad(g, axis, start, ops.knownSize("slice", known(x), axis) - end),
  ],
  // A part without a cotangent has zeros in its place.
  split: {
    ofParts: (cotangents, whole) => {
      const zeros = (i: number) => ops.expand(0, i === 0 ? whole : part(whole, i));
      return [
        ops.concat(
          cotangents.map((g, i) => g ?? zeros(i)),
          whole.attributes.axis,
        ),
      ];
    },
  },
  flip: (g, { attributes: { axis } }) => [ops.flip(g, axis)],
  pad: (g, { attributes: { axis, before } }, x) => [
    ops.slice(g, axis, before, before + ops.knownSize("pad", known(x), axis)),
  ],
} satisfies Rules<keyof ShapeOps>;
