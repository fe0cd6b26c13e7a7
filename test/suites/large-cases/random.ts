import * as ops from "../../../src/graph/ops.js";
import type { RandomOps } from "../../../src/graph/tensor.js";
import { anyIds, type Cases, ids, real } from "../op-case.js";
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
  hash: [
    {
      name: "131,072 into 100,000",
      operands: [anyIds(["batch"], 2 ** 30)],
      build: (x) => ops.hash(x, 100_000, 1),
      numExamples: 131_072,
    },
  ],
} satisfies Cases<keyof RandomOps>;
