/** The images that a command gives to a model: files, folders of them, and sets. */
import { statSync } from "node:fs";
import { DataError } from "../../errors.js";
import { isAddress, isFileUrl, pathOfFileUrl } from "../files/addresses.js";
import { expandSource } from "../sources/source-files.js";
import { batches, pixelsOf } from "./decode-all.js";
import { imageFile, imagesBelow, leftOutNotes } from "./folders.js";
import type { FoundImage } from "./found.js";
import type { ImageModel } from "./image-model.js";
import { isSet, openSource } from "./open-source.js";
import { BadImage } from "./pixels.js";

/** An image of no known class. */
export type GivenImage = Omit<FoundImage, "label">;

interface GivenImages {
  readonly images: readonly GivenImage[];
  /** Notes for people, in sentences. */
  readonly notes: readonly string[];
}

/**
 * The images of paths in their order: a file is one, a folder has those below it by path, a file of MNIST or CIFAR is a
 * set of them. Notes say what else lies in the folders. Throws {@link DataError} when there is none.
 */
export async function givenImages(source: readonly string[]): Promise<GivenImages> {
  const all: GivenImage[] = [];
  const others: string[] = [];
  for (const one of source) {
    if (isAddress(one) && !isFileUrl(one))
      throw new DataError(`images: files of this machine are read, got the address ${one}. Get it first.`);
    const path = isFileUrl(one) ? pathOfFileUrl(one) : one;
    const stats = statSync(path, { throwIfNoEntry: false });
    // A file keeps the name by which it was given.
    const files = stats?.isDirectory()
      ? imagesBelow(path, others)
      : stats?.isFile()
        ? [path]
        : await expandSource(path);
    if (files.length === 0)
      throw new DataError(`images: the folder ${path} has no JPEG, PNG, WebP or GIF, as endings tell. Name files.`);
    const sets = files.filter(isSet);
    if (sets.length > 0) for await (const image of (await openSource(sets)).images()) all.push(image);
    for (const file of files.filter((each) => !isSet(each)))
      all.push({ name: file, encoded: () => imageFile(file), pixels: null });
  }
  return { images: all, notes: leftOutNotes(others) };
}

/** An image and what a model makes of it. */
export interface Predicted<T> {
  readonly image: T;
  /** The probability of each class; null for an image that cannot be used. */
  readonly probs: Float32Array | null;
  /** Why it cannot be used, in the words that follow "it"; null for others. */
  readonly why: string | null;
  /** Pixels as the model reads them; null for an image that cannot be used. */
  readonly pixels: Uint8Array | null;
}

/** What a model predicts for images, in their order, so many at once. Rejects with the signal's reason. */
export async function* predictions<T extends Pick<FoundImage, "encoded" | "pixels">>(
  model: ImageModel,
  images: Iterable<T> | AsyncIterable<T>,
  atOnce: number,
  signal?: AbortSignal,
): AsyncGenerator<Predicted<T>[]> {
  for await (const some of batches(images, atOnce)) {
    signal?.throwIfAborted();
    const decoded = await Promise.all(some.map((image) => pixelsOf(image, model)));
    const good = decoded.filter((one): one is Uint8Array => !(one instanceof BadImage));
    const probs = good.length === 0 ? new Float32Array() : await model.predict(Buffer.concat(good));
    const numClasses = model.classes.length;
    let next = 0;
    yield some.map((image, i) => {
      const pixels = decoded[i] as Uint8Array | BadImage;
      if (pixels instanceof BadImage) return { image, probs: null, why: pixels.message, pixels: null };
      const own = probs.slice(next * numClasses, ++next * numClasses);
      return { image, probs: own, why: null, pixels };
    });
  }
}
