import * as ops from "../../../src/graph/ops.js";
import type { NormalisationOps } from "../../../src/graph/tensor.js";
import { batch, type Misuses, matrix, needsNumbers, other, vector } from "./shared.js";

const affine = { gain: vector, bias: vector };
const statistics = { mean: vector, variance: vector };

export const normalisationMisuses = {
  batchNorm: [
    ...needsNumbers("batchNorm", (x) => ops.batchNorm(x, affine, 1e-5)),
    {
      call: () => ops.batchNorm(vector, affine, 1e-5),
      message: /^batchNorm: needs \[batch, channels, \.\.\.\], got \[3\]/,
    },
    {
      call: () => ops.batchNorm(batch, { gain: vector, bias: other }, 1e-5),
      message: /^batchNorm: bias must have one value for each channel of x \[batch, 3\], got \[4\]/,
    },
    {
      call: () => ops.batchNorm(batch, affine, -1),
      message: /^batchNorm: epsilon must be finite and not negative, got -1/,
    },
  ],
  normalise: [
    {
      call: () => ops.normalise(batch, affine, { mean: other, variance: vector }, 1e-5),
      message: /^normalise: mean must have one value for each channel of x \[batch, 3\], got \[4\]/,
    },
    {
      call: () => ops.normalise(batch, affine, statistics, Number.NaN),
      message: /^normalise: epsilon must be finite and not negative, got NaN/,
    },
  ],
  channelDots: [
    ...needsNumbers("channelDots", (x) => ops.channelDots(x, x)),
    {
      call: () => ops.channelDots(batch, matrix),
      message: /^channelDots: both operands must have one shape, got \[batch, 3\] and \[2, 3\]/,
    },
    { call: () => ops.channelDots(vector, vector), message: /^channelDots: needs \[batch, channels, \.\.\.\], got/ },
  ],
} satisfies Misuses<keyof NormalisationOps>;
