import { ShapeError } from "../../errors.js";
import { type Axis, formatShape } from "../shape.js";
import { node, part, type Tensor } from "../tensor.js";
import { allAxes, checkedEpsilon, knownSize, lastAxis, requireDtype, sameShape } from "./checks.js";
import { reshape } from "./shapes.js";

/** The statistics that each channel is normalised by; both of shape [C]. */
export interface ChannelStatistics {
  readonly mean: Tensor;
  readonly variance: Tensor;
}

/** The gain and the bias that each channel gets afterwards; both of shape [C]. */
export interface ChannelAffine {
  readonly gain: Tensor;
  readonly bias: Tensor;
}

/**
 * Batch normalisation in training (Ioffe and Szegedy 2015, algorithm 1) of `x` [batch, C, ...]: every channel is
 * normalised by its mean and variance in this batch, gain (x - mean) / sqrt(variance + epsilon) + bias.
 *
 * Result 1 is the mean [C], result 2 the variance [C], that of the values themselves (divided by their number n and not
 * by n - 1), computed in two passes.
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

/**
 * Normalisation of each channel of `x` [batch, C, ...] by given statistics: gain (x - mean) / sqrt(variance + epsilon)
 * + bias.
 */
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

/** The results of {@link layerNorm}; `mean` and `inverseStd` have size 1 along the last axis. */
export interface LayerNorm {
  readonly normalised: Tensor;
  readonly mean: Tensor;
  /** 1 / sqrt(variance + epsilon). */
  readonly inverseStd: Tensor;
}

/**
 * (x - mean) / sqrt(variance + epsilon) gain + bias along the last axis (Ba et al. 2016): `x` [..., width], `gain` and
 * `bias` [width]. Epsilon is taken as float32.
 */
export function layerNorm(x: Tensor, gain: Tensor, bias: Tensor, epsilon = 1e-5): LayerNorm {
  for (const tensor of [x, gain, bias]) requireDtype("layerNorm", tensor, "float32");
  const axis = lastAxis("layerNorm", x);
  const width = x.shape.slice(axis);
  if (!sameShape(gain.shape, width) || !sameShape(bias.shape, width)) {
    throw new ShapeError(
      `layerNorm: gain and bias must be ${formatShape(width)} for ${formatShape(x.shape)}, got ${formatShape(gain.shape)} and ${formatShape(bias.shape)}`,
    );
  }
  const rows = { shape: x.shape.with(axis, 1 as Axis), dtype: "float32" } as const;
  const attributes = { epsilon: checkedEpsilon("layerNorm", epsilon, false) };
  const normalised = node("layerNorm", [x, gain, bias], attributes, x.shape, "float32", [rows, rows]);
  return { normalised, mean: part(normalised, 1), inverseStd: part(normalised, 2) };
}

/** e^x over its sum along the last axis, without overflow. */
export function softmax(x: Tensor): Tensor {
  requireDtype("softmax", x, "float32");
  lastAxis("softmax", x);
  return node("softmax", [x], {}, x.shape, "float32");
}

/** log softmax(x) along the last axis, without overflow and without log 0. */
export function logSoftmax(x: Tensor): Tensor {
  requireDtype("logSoftmax", x, "float32");
  lastAxis("logSoftmax", x);
  return node("logSoftmax", [x], {}, x.shape, "float32");
}

/**
 * The log probability of one class for each row: of `logits` [...rows, classes], log softmax at int32 `classes`
 * [...rows]. `all` is {@link logSoftmax} itself. The gradient takes the probabilities and changes one number in each
 * row, so no one-hot tensor is made.
 */
export function logSoftmaxAt(logits: Tensor, classes: Tensor): { readonly at: Tensor; readonly all: Tensor } {
  requireDtype("logSoftmaxAt", logits, "float32");
  requireDtype("logSoftmaxAt", classes, "int32");
  const axis = lastAxis("logSoftmaxAt", logits);
  if (!sameShape(logits.shape.slice(0, axis), classes.shape)) {
    throw new ShapeError(
      `logSoftmaxAt: needs one class a row, got classes ${formatShape(classes.shape)} for logits ${formatShape(logits.shape)}`,
    );
  }
  const all = { shape: logits.shape, dtype: "float32" } as const;
  const at = node("logSoftmaxAt", [logits, classes], {}, classes.shape, "float32", [all]);
  return { at, all: part(at, 1) };
}
