import { ShapeError } from "../../errors.js";
import { type Axis, formatShape } from "../shape.js";
import { node, part, type Tensor } from "../tensor.js";
import { checkedEpsilon, lastAxis, requireDtype, sameShape } from "./checks.js";

/** What {@link layerNorm} gives beside the normalised values; both have size 1 along the last axis. */
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
