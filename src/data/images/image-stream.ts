/** Batches of training images, changed at random. */
import { fold } from "../../runtime/random.js";
import { type BatchStreamOptions, drawnStream, type ReadyStream } from "../stream.js";
import { type Augmentation, augment, isAugmenting } from "./augment.js";
import { bytesOfImage, type Images, imageBatch, readChecked } from "./images.js";

/** What an {@link imageStream} reads. */
export interface ImageStreamOptions extends Omit<BatchStreamOptions, "rows"> {
  readonly images: Images;
  readonly augmentation?: Augmentation | undefined;
}

/**
 * Full batches of the given images, each epoch in its own seeded order, as `batchStream` has them; what happens to an
 * image follows from the key, the epoch, and its place in the order of the epoch. So the same cursor gives the same
 * pixels, and the parts of workers together are the batch of one.
 *
 * Throws what `batchStream` throws.
 */
export function imageStream({ images, augmentation = {}, ...options }: ImageStreamOptions): ReadyStream {
  const changes = fold(options.key, "augmentation");
  const size = bytesOfImage(images.shape);
  const isPlain = !isAugmenting(augmentation);
  return drawnStream(options, (wanted, draws) => {
    const pixels = readChecked(images, wanted);
    for (let i = 0; i < wanted.length && !isPlain; i++) {
      const { epoch, place } = draws(i);
      augment(pixels.subarray(i * size, (i + 1) * size), images.shape, augmentation, fold(fold(changes, epoch), place));
    }
    return imageBatch(images, wanted, pixels);
  });
}
