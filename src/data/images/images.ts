/** Small images of one size with the class of each, and the batches that they make. */
import { ConfigError, DataError } from "../../errors.js";
import { type NamedArrays, type NdArray, sizeOf } from "../../runtime/array.js";
import { imagesName, labelsName } from "../batch.js";

/** The size of every image of a set, in pixels, and its channels: 1 for grey, 3 for red, green and blue. */
export interface ImageShape {
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
}

/** Images, in memory or in a file. */
export interface Images {
  readonly shape: ImageShape;
  /** The class of each image, by its index. */
  readonly labels: Int32Array;
  /** Copies of some images, in the order given: [images, height, width, channels], row-major. */
  read(images: Uint32Array | readonly number[]): Uint8Array;
}

/** Bytes of one image. */
export function bytesOfImage({ height, width, channels }: ImageShape): number {
  return height * width * channels;
}

/** Images in memory. Throws {@link DataError} when the pixels are not those of as many images as there are labels. */
export function imagesInMemory(shape: ImageShape, pixels: Uint8Array, labels: Int32Array): Images {
  const size = bytesOfImage(shape);
  if (pixels.length !== size * labels.length) {
    throw new DataError(
      `images: ${labels.length} images of ${sizeText(shape)} have ${size * labels.length} bytes, got ${pixels.length}`,
    );
  }
  return {
    shape,
    labels,
    read(images) {
      const out = new Uint8Array(images.length * size);
      for (let i = 0; i < images.length; i++) {
        const start = (images[i] as number) * size;
        out.set(pixels.subarray(start, start + size), i * size);
      }
      return out;
    },
  };
}

/** A size in words, as "28 x 28 x 1": height, width, channels. */
export function sizeText({ height, width, channels }: ImageShape): string {
  return `${height} x ${width} x ${channels}`;
}

/**
 * A batch: `images` uint8 [batch, height, width, channels] and `labels` int32 [batch]. The pixels are those given, or
 * copies of the images. Throws {@link DataError} for an image that is not there.
 */
export function imageBatch(
  images: Images,
  wanted: Uint32Array | readonly number[],
  pixels: Uint8Array = readChecked(images, wanted),
): NamedArrays {
  const { height, width, channels } = images.shape;
  const labels = Int32Array.from(wanted, (image) => images.labels[image] as number);
  return {
    [imagesName]: pixelArray(pixels, [wanted.length, height, width, channels]),
    [labelsName]: { dtype: "int32", shape: [wanted.length], data: labels },
  };
}

/** Copies of images. Throws {@link DataError} for an image that is not there. */
export function readChecked(images: Images, wanted: Uint32Array | readonly number[]): Uint8Array {
  const { labels } = images;
  const missing = wanted.find((image) => !(image >= 0 && image < labels.length));
  if (missing === undefined) return images.read(wanted);
  throw new DataError(`images: image ${missing} is asked for, and the images are 0 to ${labels.length - 1}`);
}

function pixelArray(data: Uint8Array, shape: readonly number[]): NdArray<"uint8"> {
  if (data.length !== sizeOf(shape)) throw new Error(`internal: ${data.length} bytes are not [${shape.join(", ")}]`);
  return { dtype: "uint8", shape, data };
}

/**
 * One pass over all images in their order; the last batch may be short.
 * Throws {@link ConfigError} when the batch size is not a positive whole number.
 */
export function* imagesInOrder(images: Images, batchSize: number): Generator<NamedArrays, void, void> {
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new ConfigError(`stream: the batch size is a positive whole number of images, got ${batchSize}`);
  }
  const numImages = images.labels.length;
  for (let start = 0; start < numImages; start += batchSize) {
    const length = Math.min(batchSize, numImages - start);
    yield imageBatch(
      images,
      Uint32Array.from({ length }, (_, i) => start + i),
    );
  }
}
