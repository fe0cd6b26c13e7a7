import * as ops from "../../../src/graph/ops.js";
import type { ShapeOps, Tensor } from "../../../src/graph/tensor.js";
import { type Cases, real } from "../op-case.js";
import { matrix, ROWS, unary } from "./shared.js";

export const shapesLargeCases = {
  expand: [
    { name: "a row to 512", operands: [real([256]), real(matrix)], build: ops.expand, held: [1], numExamples: ROWS },
  ],
  reshape: unary((x) => ops.reshape(x, ["batch", 16, 16])),
  transpose: [{ name: "512 x 256", operands: [real([512, 256])], build: (x) => ops.transpose(x) }],
  concat: [
    {
      name: "two halves",
      operands: [real(["batch", 128]), real(["batch", 128])],
      build: (...x) => ops.concat(x, 1),
      numExamples: ROWS,
    },
  ],
  slice: unary((x) => ops.slice(x, 1, 64, 192)),
  split: unary((x) => ops.split(x, 1, [64, 64, 128])[0] as Tensor),
  flip: unary((x) => ops.flip(x, 1)),
  pad: unary((x) => ops.pad(x, 1, 3, 5)),
} satisfies Cases<keyof ShapeOps>;
