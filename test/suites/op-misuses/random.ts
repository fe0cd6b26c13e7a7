import * as ops from "../../../src/graph/ops.js";
import type { RandomOps } from "../../../src/graph/tensor.js";
import { batch, indices, type Misuses, vector } from "./shared.js";

const key = ops.input("key", [2], "int32");

export const randomMisuses = {
  randomUniform: [
    { call: () => ops.randomUniform(vector, batch), message: /^randomUniform: needs int32, got float32\[3\]/ },
    {
      call: () => ops.randomUniform(indices, batch),
      message: /^randomUniform: the key must be int32\[2\], got int32\[batch\]/,
    },
    {
      call: () => ops.randomUniform(key, batch, -1),
      message: /^randomUniform: the stream must be a whole number .* got -1/,
    },
    { call: () => ops.randomUniform(key, batch, 0.5), message: /^randomUniform: the stream must be .* got 0\.5/ },
    {
      call: () => ops.randomUniform(key, ["batch", 2]),
      message: /^randomUniform: a shape must be known, got \[batch, 2\]; give a tensor of that shape/,
    },
    { call: () => ops.dropout(batch, 1, key), message: /^dropout: needs 0 <= rate < 1, got 1/ },
  ],
  hash: [
    { call: () => ops.hash(vector, 4), message: /^hash: needs int32, got float32\[3\]/ },
    {
      call: () => ops.hash(indices, 0),
      message: /^hash: numBuckets must be a whole number from 1 to 2\^31 - 1, got 0/,
    },
    { call: () => ops.hash(indices, 2 ** 31), message: /^hash: numBuckets must be .*, got 2147483648/ },
    { call: () => ops.hash(indices, 4, -1), message: /^hash: the stream must be a whole number from 0 .*, got -1/ },
    { call: () => ops.hash(indices, 4, 0.5), message: /^hash: the stream must be .*, got 0\.5/ },
  ],
} satisfies Misuses<keyof RandomOps>;
