import * as ops from "../../../src/graph/ops.js";
import type { NormalisationOps, Op, Tensor } from "../../../src/graph/tensor.js";
import { batch, indices, type Misuse, type Misuses, matrix, needsNumbers, other, vector } from "./shared.js";

const affine = { gain: vector, bias: vector };
const statistics = { mean: vector, variance: vector };

const rows = (op: Op, f: (x: Tensor) => unknown): Misuse[] => [
  ...needsNumbers(op, f),
  { call: () => f(ops.input("x", [])), message: new RegExp(`^${op}: needs at least one axis, got \\[\\]`) },
  {
    call: () => f(ops.input("x", ["batch"])),
    message: new RegExp(`^${op}: axis 0 of \\[batch\\] must have a known size`),
  },
];

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
  layerNorm: [
    ...needsNumbers("layerNorm", (x) => ops.layerNorm(x, vector, vector)),
    {
      call: () => ops.layerNorm(batch, other, vector),
      message: /^layerNorm: gain and bias must be \[3\] for \[batch, 3\], got \[4\] and \[3\]/,
    },
    {
      call: () => ops.layerNorm(batch, vector, matrix),
      message: /^layerNorm: gain and bias must be \[3\] for \[batch, 3\], got \[3\] and \[2, 3\]/,
    },
    {
      call: () => ops.layerNorm(ops.input("x", []), vector, vector),
      message: /^layerNorm: needs at least one axis, got \[\]/,
    },
    {
      call: () => ops.layerNorm(batch, vector, vector, 0),
      message: /^layerNorm: epsilon must be finite and positive, got 0/,
    },
  ],
  softmax: rows("softmax", ops.softmax),
  logSoftmax: rows("logSoftmax", ops.logSoftmax),
  logSoftmaxAt: [
    ...rows("logSoftmaxAt", (x) => ops.logSoftmaxAt(x, indices)),
    { call: () => ops.logSoftmaxAt(batch, batch), message: /^logSoftmaxAt: needs int32, got float32\[batch, 3\]/ },
    {
      call: () => ops.logSoftmaxAt(matrix, indices),
      message: /^logSoftmaxAt: needs one class a row, got classes \[batch\] for logits \[2, 3\]/,
    },
  ],
} satisfies Misuses<keyof NormalisationOps>;
