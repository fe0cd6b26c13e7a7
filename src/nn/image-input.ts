/** The input of networks of images: pixels as bytes, from which the graph itself makes what the layers read. */
import { ShapeError } from "../errors.js";
import { add, cast, constant, mul, transpose } from "../graph/ops.js";
import type { Tensor, Tensors } from "../graph/tensor.js";
import { float32 } from "../runtime/array.js";
import { named } from "../runtime/named.js";
import type { InputSpec } from "./model.js";

/** The largest value of a pixel. */
const WHITE = 255;

/** The path of the last layer, whose params are of the classes. */
export const imageHead = "head";

/** What all networks of images are told. */
export interface ImageNetworkOptions {
  /** In pixels. */
  readonly imageSize: readonly [height: number, width: number];
  /** 1 of grey images, 3 of colour. */
  readonly channels: number;
  /** The logits of an example. */
  readonly numClasses: number;
  /** The mean of each channel over the training images, of values from 0 to 1. */
  readonly mean: readonly number[];
  /** The standard deviation of each channel over the training images, of values from 0 to 1. */
  readonly std: readonly number[];
}

/**
 * The input `images`: uint8 [batch, height, width, channels].
 *
 * Throws {@link ShapeError} when mean and std are not one number for each channel, or a std is not above 0.
 */
export function imageInputs({ imageSize, channels, mean, std }: ImageNetworkOptions): { readonly images: InputSpec } {
  for (const [name, values] of Object.entries({ mean, std })) {
    if (values.length !== channels || !values.every(Number.isFinite)) {
      throw new ShapeError(`images: ${name} must be ${channels} numbers, one a channel, got [${values.join(", ")}]`);
    }
  }
  if (!std.every((value) => value > 0)) {
    throw new ShapeError(`images: std must be above 0, got [${std.join(", ")}]; of a channel that never varies give 1`);
  }
  return { images: { shape: ["batch", ...imageSize, channels], dtype: "uint8" } };
}

/** The images as layers read them: (x / 255 - mean) / std, float32 [batch, channels, height, width]. */
export function normalisedImages(inputs: Tensors, { mean, std }: ImageNetworkOptions): Tensor {
  const values = cast(transpose(named(inputs, "images"), [0, 3, 1, 2]), "float32");
  const perChannel = (of: (mean: number, std: number) => number) =>
    constant(
      float32(
        mean.map((value, i) => of(value, std[i] as number)),
        [mean.length, 1, 1],
      ),
    );
  return add(
    mul(
      values,
      perChannel((_, std) => 1 / (WHITE * std)),
    ),
    perChannel((mean, std) => -mean / std),
  );
}
