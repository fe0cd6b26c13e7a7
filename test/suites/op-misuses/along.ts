import * as ops from "../../../src/graph/ops.js";
import type { AlongOps } from "../../../src/graph/tensor.js";
import { batch, indices, type Misuses, matrix, needsNumbers, vector } from "./shared.js";

const positions = ops.input("positions", [2, 3], "int32");

export const alongMisuses = {
  takeAlong: [
    ...needsNumbers("takeAlong", (x) => ops.takeAlong(x, indices, 0)),
    { call: () => ops.takeAlong(matrix, matrix, 1), message: /^takeAlong: needs int32, got float32\[2, 3\]/ },
    {
      call: () => ops.takeAlong(batch, positions, 1),
      message: /^takeAlong: indices must have the shape of x but for axis 1, got \[2, 3\] for \[batch, 3\]/,
    },
    {
      call: () => ops.takeAlong(batch, positions, 0),
      message: /^takeAlong: axis 0 of \[batch, 3\] must have a known size/,
    },
    { call: () => ops.pick(ops.input("x", []), indices), message: /^takeAlong: needs at least one axis, got \[\]/ },
  ],
  addAlong: [
    ...needsNumbers("addAlong", (x) => ops.addAlong(matrix, positions, x, 1)),
    {
      call: () => ops.addAlong(matrix, indices, vector, 1),
      message: /^addAlong: indices must have the shape of x but for axis 1, got \[batch\] for \[2, 3\]/,
    },
    {
      call: () => ops.addAlong(matrix, positions, vector, 1),
      message: /^addAlong: needs one index for each update, got \[2, 3\] and \[3\]/,
    },
  ],
  topK: [
    ...needsNumbers("topK", (x) => ops.topK(x, 1)),
    { call: () => ops.topK(matrix, 4), message: /^topK: k must be a whole number from 1 to 3, got 4/ },
    { call: () => ops.topK(matrix, 0), message: /^topK: k must be a whole number from 1 to 3, got 0/ },
    {
      call: () => ops.topK(ops.input("x", ["batch"]), 1),
      message: /^topK: axis 0 of \[batch\] must have a known size/,
    },
  ],
} satisfies Misuses<keyof AlongOps>;
