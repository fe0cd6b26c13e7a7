import * as ops from "../../../src/graph/ops.js";
import type { ScanOps, Tensor } from "../../../src/graph/tensor.js";
import { type Cases, real } from "../op-case.js";

/** A recurrent cell over eight steps of 64 rows and 128 columns. */
const operands = [real([64, 128]), real([8, 64, 128]), real([128, 128], -0.1, 0.1)];
const loop = (h: Tensor, x: Tensor, w: Tensor) =>
  ops.scan({
    states: [h],
    sequences: [x],
    body: ([h], [x]) => {
      const next = ops.sigmoid(ops.add(ops.matmul(h as Tensor, w), x as Tensor));
      return { states: [next], outputs: [next] };
    },
  });

export const scanLargeCases = {
  scan: [
    {
      name: "a recurrent cell",
      operands,
      build: (h, x, w) => loop(h as Tensor, x as Tensor, w as Tensor).states[0] as Tensor,
    },
  ],
  part: [
    {
      name: "a recurrent cell's outputs",
      operands,
      build: (h, x, w) => loop(h as Tensor, x as Tensor, w as Tensor).outputs[0] as Tensor,
    },
  ],
} satisfies Cases<keyof ScanOps | "part">;
