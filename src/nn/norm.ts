/** Normalisation of channels: by the batch in training and by running statistics after it, or by groups of channels. */
import { ShapeError } from "../errors.js";
import * as ops from "../graph/ops.js";
import { elementsOf, joined } from "../graph/shape.js";
import { part, type Tensor, type Tensors } from "../graph/tensor.js";
import { named } from "../runtime/named.js";
import { onesInit, zerosInit } from "./initialisers.js";
import { type BufferSpec, type Carried, type Drop, droppedTraining, type Model, type ParamSpec } from "./model.js";

/** Added to variances. */
const EPSILON = 1e-5;
/** The share of their value that running statistics keep at each step. */
const DECAY = 0.9;

/** Params of the norms at a path: `gain` [channels] (1) and `bias` [channels] (0). */
export function normParams(path: string, channels: number): Record<string, ParamSpec> {
  return {
    [`${path}.gain`]: { shape: [channels], init: onesInit },
    [`${path}.bias`]: { shape: [channels], init: zerosInit },
  };
}

/** The layer norm at a path (Ba et al. 2016), of the last axis of x [..., channels]. */
export function layerNormAt(params: Tensors, path: string, x: Tensor): Tensor {
  return ops.layerNorm(x, named(params, `${path}.gain`), named(params, `${path}.bias`), EPSILON).normalised;
}

/** Params of the RMS norm at a path: `gain` [channels] (1). */
export function rmsNormParams(path: string, channels: number): Record<string, ParamSpec> {
  return { [`${path}.gain`]: { shape: [channels], init: onesInit } };
}

/** The RMS norm at a path (Zhang and Sennrich 2019), of the last axis: gain x / sqrt(mean(x^2) + 1e-5). */
export function rmsNormAt(params: Tensors, path: string, x: Tensor): Tensor {
  const size = ops.add(ops.reduceMean(ops.square(x), [x.shape.length - 1], true), EPSILON);
  return ops.mul(ops.div(x, ops.sqrt(size)), named(params, `${path}.gain`));
}

/** Buffers of the batch norm at a path: the running `mean` [channels] (0) and `variance` [channels] (1). */
export function batchNormBuffers(path: string, channels: number): Record<string, BufferSpec> {
  return { [`${path}.mean`]: { shape: [channels], fill: 0 }, [`${path}.variance`]: { shape: [channels], fill: 1 } };
}

/** Normalises the channels of x [batch, channels, ...] by the batch norm at a path. */
export type BatchNorm = (path: string, x: Tensor) => Tensor;

/** Logits, and the last hidden layer [rows, width]. */
type Said = Omit<Carried, "state">;

/** A network with batch norms, each used once: params, buffers, and one function of both, which is given the norm. */
export interface BatchNormNetwork extends Pick<Model, "params" | "inputs"> {
  readonly buffers: NonNullable<Model["buffers"]>;
  /** Share of the values that `drop` drops in training; 0 by default. */
  readonly dropout?: number;
  /** The logits, of networks that give it with the last hidden layer. */
  readonly logits: (weights: Tensors, inputs: Tensors, norm: BatchNorm, drop: Drop) => Tensor | Said;
}

/**
 * A model that is trained by the statistics of each batch and predicts by running ones (Ioffe and Szegedy 2015):
 *
 *     running <- 0.9 running + 0.1 batch,
 *
 * of means and unbiased variances, as PyTorch has it. Every norm divides by sqrt(variance + 1e-5).
 */
export function batchNormModel({ params, buffers, inputs, dropout = 0, logits }: BatchNormNetwork): Model {
  const run = (...given: Parameters<typeof logits>): Said => {
    const said = logits(...given);
    return "logits" in said ? said : { logits: said };
  };
  const trained = (weights: Tensors, values: Tensors, drop: Drop) => {
    const moved: Record<string, Tensor> = {};
    const norm: BatchNorm = (path, x) => {
      if (moved[`${path}.mean`]) throw new Error(`internal: the batch norm "${path}" is used twice`);
      const { y, ...statistics } = byBatch(weights, path, x);
      for (const [name, now] of Object.entries(statistics)) moved[`${path}.${name}`] = now;
      return y;
    };
    const said = run(weights, values, norm, drop);
    return { ...said, buffers: moved };
  };
  const carry = (weights: Tensors, values: Tensors) => ({
    ...run(weights, values, (path, x) => byRunning(weights, path, x), keepAll),
    state: {},
  });
  return {
    params,
    buffers,
    inputs,
    carry,
    apply: (weights, values) => carry(weights, values).logits,
    train: (weights, values) => trained(weights, values, keepAll),
    ...droppedTraining(dropout, trained),
  };
}

const keepAll: Drop = (part) => part;

function byRunning(weights: Tensors, path: string, x: Tensor): Tensor {
  const of = (name: string) => named(weights, `${path}.${name}`);
  const affine = { gain: of("gain"), bias: of("bias") };
  return ops.normalise(x, affine, { mean: of("mean"), variance: of("variance") }, EPSILON);
}

/** The normalised batch, and the running statistics after it. */
function byBatch(weights: Tensors, path: string, x: Tensor): Readonly<Record<"y" | "mean" | "variance", Tensor>> {
  const of = (name: string) => named(weights, `${path}.${name}`);
  const y = ops.batchNorm(x, { gain: of("gain"), bias: of("bias") }, EPSILON);
  const count = ops.countAlong(x, ops.axesBesideChannels(x));
  // Of a single value there is no unbiased variance; its own, 0, is taken then.
  const others = ops.maximum(ops.sub(count, 1), 1);
  const unbiased = ops.mul(part(y, 2), ops.div(count, others));
  const moved = (name: string, now: Tensor) => ops.add(ops.mul(of(name), DECAY), ops.mul(now, 1 - DECAY));
  return { y, mean: moved("mean", part(y, 1)), variance: moved("variance", unbiased) };
}

/**
 * Group normalisation (Wu and He 2018) of x [batch, channels, ...]: in each example, each group of neighbouring
 * channels is normalised by its own mean and variance; then `gain` and `bias` for each channel. The same in training
 * and after it.
 *
 * Throws {@link ShapeError} when the channels do not divide into the groups.
 */
export function groupNorm(params: Tensors, path: string, x: Tensor, numGroups: number): Tensor {
  const channels = ops.knownSize("groupNorm", x, 1);
  if (channels % numGroups !== 0) {
    throw new ShapeError(
      `groupNorm: channels must divide into the groups, got ${channels} channels and ${numGroups} groups`,
    );
  }
  const [examples = 1, ...rest] = x.shape;
  const grouped = ops.reshape(x, [joined([examples, numGroups]), elementsOf(rest).count / numGroups]);
  const centred = ops.sub(grouped, ops.reduceMean(grouped, [1], true));
  const variance = ops.reduceMean(ops.mul(centred, centred), [1], true);
  const normed = ops.reshape(ops.div(centred, ops.sqrt(ops.add(variance, EPSILON))), x.shape);
  const of = (name: string) => ops.perChannel(named(params, `${path}.${name}`), x);
  return ops.add(ops.mul(normed, of("gain")), of("bias"));
}
