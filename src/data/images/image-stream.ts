/** Batches of training images, changed at random. */
import type { NamedArrays } from "../../runtime/array.js";
import { beta } from "../../runtime/beta.js";
import { fold, type Key } from "../../runtime/random.js";
import { labelsName, weightsName } from "../batch.js";
import { type BatchStreamOptions, drawnStream, type ReadyStream, type WholeBatch } from "../stream.js";
import { type Augmentation, augment, isAugmenting } from "./augment.js";
import { bytesOfImage, type Images, imageBatch, readChecked } from "./images.js";

/** What an {@link imageStream} reads. */
export interface ImageStreamOptions extends Omit<BatchStreamOptions, "rows"> {
  readonly images: Images;
  readonly augmentation?: Augmentation | undefined;
  /**
   * Above 0, each image is mixed with another one of its batch by a share of Beta(mixup, mixup) (Zhang et al. 2018), and has the
   * labels of both: int32 `labels` [batch, 2], with twice their shares as float32 `weights` [batch, 2]. 0 by default.
   */
  readonly mixup?: number | undefined;
}

/**
 * Full batches of the given images, each epoch in its own seeded order, as `batchStream` has them; what happens to an
 * image follows from the key, the epoch, and its place in the order of the epoch. So the same cursor gives the same
 * pixels, and the parts of workers together are the batch of one.
 *
 * Throws what `batchStream` throws.
 */
export function imageStream({ images, augmentation = {}, mixup = 0, ...options }: ImageStreamOptions): ReadyStream {
  const changes = fold(options.key, "augmentation");
  const mixing = fold(options.key, "mixup");
  const size = bytesOfImage(images.shape);
  const isPlain = !isAugmenting(augmentation);

  /** The pixels of images that lie at places of a batch, as augmentation leaves them. */
  function pixelsOf(wanted: Uint32Array, placeOf: (i: number) => number, whole: WholeBatch): Uint8Array {
    const pixels = readChecked(images, wanted);
    for (let i = 0; i < wanted.length && !isPlain; i++) {
      const key = keyOf(changes, whole, placeOf(i));
      augment(pixels.subarray(i * size, (i + 1) * size), images.shape, augmentation, key);
    }
    return pixels;
  }

  return drawnStream(options, (wanted, whole) => {
    const { start } = whole;
    if (mixup === 0)
      return imageBatch(
        images,
        wanted,
        pixelsOf(wanted, (i) => start + i, whole),
      );
    const partners = Array.from(wanted, (_, i) => partnerOf(start + i, whole.size));
    const places = [...new Set([...Array.from(wanted, (_, i) => start + i), ...partners])];
    const all = Uint32Array.from(places, whole.index);
    const pixels = pixelsOf(all, (i) => places[i] as number, whole);
    const others = partners.map((place) => places.indexOf(place));
    const shares = Array.from(wanted, (_, i) => beta(keyOf(mixing, whole, start + i), mixup, mixup));
    const mixed = imageBatch(images, wanted, mixedPixels(pixels, others, shares, size));
    return { ...mixed, ...mixedLabels(images.labels, all, others, shares) };
  });
}

/** The key of the example at a place of a batch. */
function keyOf(key: Key, whole: WholeBatch, at: number): Key {
  const { epoch, place } = whole.draw(at);
  return fold(fold(key, epoch), place);
}

/**
 * With which image of its batch one is mixed: the next but one. Batches are in random order, so that it is any other one, and it is
 * not the next, whose predictions the shuffled control of codistillation takes for this one's.
 */
function partnerOf(place: number, batchSize: number): number {
  return (place + Math.min(2, batchSize - 1)) % batchSize;
}

/** The first images, each mixed with another one, in whole levels of brightness. */
function mixedPixels(pixels: Uint8Array, others: readonly number[], shares: readonly number[], size: number) {
  const mixed = new Uint8Array(others.length * size);
  for (const [i, other] of others.entries()) {
    const share = shares[i] as number;
    const [own, beside] = [i * size, other * size];
    for (let k = 0; k < size; k++)
      mixed[own + k] = Math.round(share * (pixels[own + k] as number) + (1 - share) * (pixels[beside + k] as number));
  }
  return mixed;
}

/** The labels of both images of each mixture, and twice their shares, so that weights are 1 on average. */
function mixedLabels(
  labels: Int32Array,
  images: Uint32Array,
  others: readonly number[],
  shares: readonly number[],
): NamedArrays {
  const shape = [others.length, 2];
  const both = others.flatMap((other, i) => [i, other].map((at) => labels[images[at] as number] as number));
  return {
    [labelsName]: { dtype: "int32", shape, data: Int32Array.from(both) },
    [weightsName]: { dtype: "float32", shape, data: Float32Array.from(shares.flatMap((l) => [2 * l, 2 * (1 - l)])) },
  };
}
