import { ShapeError } from "../../errors.js";
import { formatShape } from "../shape.js";
import { node, type Tensor } from "../tensor.js";
import { allAxes, checkedEpsilon, knownSize, requireDtype, sameShape } from "./checks.js";
import { reshape } from "./shapes.js";

/** What each channel is normalised by; all of shape [C]. */
export interface ChannelStatistics {
  readonly mean: Tensor;
  readonly variance: Tensor;
}

/** What each channel is scaled and moved by afterwards; both of shape [C]. */
export interface ChannelAffine {
  readonly gain: Tensor;
  readonly bias: Tensor;
}

/**
 * Batch normalisation in training (Ioffe and Szegedy 2015, algorithm 1) of `x` [batch, C, ...]: every channel gets the
 * mean and variance of this batch taken out, gain (x - mean) / sqrt(variance + epsilon) + bias.
 *
 * Result 1 is the mean [C], result 2 the variance [C], that of the values themselves (divided by their number n and not by
 * n - 1), computed in two passes.
 */
export function batchNorm(x: Tensor, { gain, bias }: ChannelAffine, epsilon: number): Tensor {
  const vector = checkChannels("batchNorm", x, { gain, bias });
  return node(
    "batchNorm",
    [x, gain, bias],
    { epsilon: checkedEpsilon("batchNorm", epsilon, true) },
    x.shape,
    "float32",
    [vector, vector],
  );
}

/** Normalisation of each channel of `x` [batch, C, ...] by given statistics: gain (x - mean) / sqrt(variance + epsilon) + bias. */
export function normalise(
  x: Tensor,
  { gain, bias }: ChannelAffine,
  { mean, variance }: ChannelStatistics,
  epsilon: number,
): Tensor {
  checkChannels("normalise", x, { gain, bias, mean, variance });
  return node(
    "normalise",
    [x, gain, bias, mean, variance],
    { epsilon: checkedEpsilon("normalise", epsilon, true) },
    x.shape,
    "float32",
  );
}

/** The sum of the products of two tensors [batch, C, ...] over all axes but the channels: [C]. */
export function channelDots(a: Tensor, b: Tensor): Tensor {
  for (const x of [a, b]) requireDtype("channelDots", x, "float32");
  if (!sameShape(a.shape, b.shape)) {
    throw new ShapeError(
      `channelDots: both operands must have one shape, got ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
    );
  }
  return node("channelDots", [a, b], {}, [channelsOf("channelDots", a)], "float32");
}

/** All axes of [batch, C, ...] but the channels. */
export function axesBesideChannels(x: Tensor): number[] {
  return allAxes(x).filter((axis) => axis !== 1);
}

/** A vector [C] in the shape [C, 1, ...] that broadcasts against `x` [batch, C, ...]. */
export function perChannel(vector: Tensor, x: Tensor): Tensor {
  return reshape(vector, [channelsOf("perChannel", x), ...x.shape.slice(2).map(() => 1)]);
}

function checkChannels(op: string, x: Tensor, vectors: Readonly<Record<string, Tensor>>) {
  requireDtype(op, x, "float32");
  const shape = [channelsOf(op, x)];
  for (const [name, vector] of Object.entries(vectors)) {
    requireDtype(op, vector, "float32");
    if (sameShape(vector.shape, shape)) continue;
    throw new ShapeError(
      `${op}: ${name} must have one value for each channel of x ${formatShape(x.shape)}, got ${formatShape(vector.shape)}`,
    );
  }
  return { shape, dtype: "float32" as const };
}

function channelsOf(op: string, x: Tensor): number {
  if (x.shape.length < 2) throw new ShapeError(`${op}: needs [batch, channels, ...], got ${formatShape(x.shape)}`);
  return knownSize(op, x, 1);
}
