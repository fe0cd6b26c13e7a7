/** Convolution layers over [batch, channels, ...spatial], with one or two spatial axes. */
import { add, type ConvolutionOptions, conv, knownSize, pad, perChannel, reshape, slice } from "../graph/ops.js";
import type { Tensor, Tensors } from "../graph/tensor.js";
import { named } from "../runtime/named.js";
import { heNormal, type Init, zerosInit } from "./initialisers.js";
import type { ParamSpec } from "./model.js";

export interface ConvolutionParams {
  readonly inputs: number;
  readonly outputs: number;
  /** Its size along each spatial axis. */
  readonly kernel: readonly number[];
  /** As in the options that the layer is used with; 1 by default. */
  readonly groups?: number;
  /** Whether a bias is added to each channel; a normalisation that follows would remove it. True by default. */
  readonly hasBias?: boolean;
  /** He normal by default. */
  readonly init?: Init;
}

/** Params of a convolution: `weight` [outputs, inputs / groups, ...kernel] and `bias` [outputs] (zero). */
export function convolutionParams(
  path: string,
  { inputs, outputs, kernel, groups = 1, hasBias = true, init = heNormal }: ConvolutionParams,
): Record<string, ParamSpec> {
  return {
    [`${path}.weight`]: { shape: [outputs, inputs / groups, ...kernel], init },
    ...(hasBias && { [`${path}.bias`]: { shape: [outputs], init: zerosInit } }),
  };
}

/**
 * x [batch, inputs, ...spatial] to its convolution with the weight [batch, outputs, ...], plus the bias where there is
 * one.
 */
export function convolution(params: Tensors, path: string, x: Tensor, options: ConvolutionOptions = {}): Tensor {
  const y = conv(x, named(params, `${path}.weight`), options);
  const bias = params[`${path}.bias`];
  return bias ? add(y, perChannel(bias, y)) : y;
}

/** Every other pixel of x [batch, channels, height, width], from the first one on: [batch, channels, ceil(height / 2), ceil(width / 2)]. */
export function everyOther(x: Tensor): Tensor {
  return [2, 3].reduce((y, axis) => {
    const size = knownSize("everyOther", y, axis);
    const even = size % 2 === 0 ? y : pad(y, axis, 0, 1);
    const half = Math.ceil(size / 2);
    const pairs = reshape(even, [...even.shape.slice(0, axis), half, 2, ...even.shape.slice(axis + 1)]);
    const firsts = slice(pairs, axis + 1, 0, 1);
    return reshape(firsts, [...y.shape.slice(0, axis), half, ...y.shape.slice(axis + 1)]);
  }, x);
}
