import * as ops from "../../../src/graph/ops.js";
import type { RandomOps } from "../../../src/graph/tensor.js";
import { type Cases, ids, real } from "../op-case.js";
import { matrix, ROWS } from "./shared.js";

export const randomLargeCases = {
  randomUniform: [
    {
      name: "131,072 numbers",
      operands: [ids([2], [3, 4]), real(matrix)],
      build: (key, like) => ops.randomUniform(key, like),
      numExamples: ROWS,
    },
  ],
} satisfies Cases<keyof RandomOps>;
