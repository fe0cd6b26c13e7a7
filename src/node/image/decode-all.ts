/** All images of a source, decoded into one file in their order. */
import { createHash } from "node:crypto";
import { availableParallelism } from "node:os";
import { count } from "../../report/format.js";
import { decodeImage, fitPixels } from "./decode.js";
import type { FoundImage, ImageSource } from "./found.js";
import { BadImage, type PixelOptions } from "./pixels.js";

/** An image that could not be used. */
export interface BadImageNote {
  readonly name: string;
  /** In the words that follow "it". */
  readonly why: string;
}

/** What was decoded: of each image its class, and the SHA-256 of its pixels. */
export interface Decoded {
  readonly labels: number[];
  readonly digests: string[];
  readonly bad: BadImageNote[];
}

export interface DecodeAllOptions extends PixelOptions {
  readonly numImages: number;
  /** Decoding ends when so many more than these are bad. */
  readonly maxBadImages: number;
  readonly onProgress: (stage: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** A file that pixels are appended to; a type of Node.js would be one of the package's declarations. */
interface PixelFile {
  writev(pixels: readonly Uint8Array[]): Promise<unknown>;
}

/** Bad images beyond those that are allowed, after which decoding ends, as nothing will come of it. */
const MORE_BAD = 20;
/** Images that are decoded at the same time: more than cores, as reading their files takes time too. */
const AT_ONCE = 4 * availableParallelism();

/**
 * Decode images and append their pixels to a file. Bad images are left out and named; their number is for the caller to
 * judge. Rejects with the signal's reason when that cancels it.
 */
export async function decodeAll(
  images: ReturnType<ImageSource["images"]>,
  file: PixelFile,
  options: DecodeAllOptions,
): Promise<Decoded> {
  const { numImages, maxBadImages, onProgress, signal } = options;
  const decoded: Decoded = { labels: [], digests: [], bad: [] };
  let [numDone, told] = [0, performance.now()];
  for await (const some of batches(images, AT_ONCE)) {
    signal?.throwIfAborted();
    const results = await Promise.all(some.map((image) => pixelsOf(image, options)));
    const good: Uint8Array[] = [];
    for (const [i, result] of results.entries()) {
      const { name, label } = some[i] as FoundImage;
      if (result instanceof BadImage) decoded.bad.push({ name, why: result.message });
      else {
        good.push(result);
        decoded.labels.push(label);
        decoded.digests.push(createHash("sha256").update(result).digest("hex"));
      }
    }
    await file.writev(good);
    numDone += some.length;
    if (decoded.bad.length > maxBadImages + MORE_BAD) break;
    if (performance.now() - told < 1000) continue;
    told = performance.now();
    onProgress(`decoding images: ${count(numDone)} of ${count(numImages)}`);
  }
  return decoded;
}

/** The pixels of an image, or why it has none. */
export async function pixelsOf(
  { encoded, pixels }: Pick<FoundImage, "encoded" | "pixels">,
  options: PixelOptions,
): Promise<Uint8Array | BadImage> {
  try {
    if (pixels) return await fitPixels(pixels, options);
    if (encoded) return await decodeImage(encoded(), options);
    throw new Error("internal: an image is encoded, or has pixels");
  } catch (error) {
    if (error instanceof BadImage) return error;
    throw error;
  }
}

/** Items in batches of so many; the last may be short. */
export async function* batches<T>(items: Iterable<T> | AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let batch: T[] = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
