/** Writes the cache of images: decodes them, deals them to splits and slots, and fits the scales of the channels. */
import { createHash } from "node:crypto";
import { type FileHandle, open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { encodeJson } from "../../checkpoint/json.js";
import { bytesOfImage, type ImageShape } from "../../data/images/images.js";
import { splitImages } from "../../data/images/split-images.js";
import { numSlots } from "../../data/shard.js";
import { TEST, TRAIN, VALIDATION } from "../../data/split.js";
import { DataError } from "../../errors.js";
import { count, counted } from "../../report/format.js";
import { bytesOf } from "../../runtime/array.js";
import { badNotes, checkBad } from "./bad-images.js";
import { decodeAll } from "./decode-all.js";
import type { ImageSource } from "./found.js";
import { type ImageFile, imageFormatVersion, imageSplits } from "./image-cache.js";
import type { ImageSpec } from "./image-spec.js";

/** The sources of a spec that were opened, and what their images become. */
export interface OpenedImages {
  readonly main: ImageSource;
  readonly validation: ImageSource | null;
  readonly test: ImageSource | null;
  readonly shape: ImageShape;
}

export interface WriteImagesOptions {
  readonly digest: string;
  readonly fresh: string;
  readonly temporary: string;
  readonly onProgress: (stage: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Write the files of a cache into the folder `fresh`; `temporary` is for files that do not stay.
 *
 * Throws {@link DataError} when more images are bad than allowed, or a split or a class has none.
 */
export async function writeImages(spec: ImageSpec, opened: OpenedImages, options: WriteImagesOptions): Promise<void> {
  const { digest, fresh, temporary, onProgress, signal } = options;
  const { main, shape } = opened;
  const { fit, maxPixels, maxBadImages } = spec;
  const all = await open(join(temporary, "all.bin"), "wx+");
  try {
    const decode = async (source: ImageSource | null) => {
      if (!source) return { labels: [], digests: [], bad: [] };
      const { numImages } = source;
      return decodeAll(source.images(), all, { shape, fit, maxPixels, maxBadImages, numImages, onProgress, signal });
    };
    onProgress(`decoding ${count(main.numImages)} images`);
    const parts = [await decode(main), await decode(opened.validation), await decode(opened.test)];
    const bad = parts.flatMap((part) => part.bad);
    const sources = [main, opened.validation, opened.test];
    checkBad(
      bad,
      sources.reduce((sum, source) => sum + (source?.numImages ?? 0), 0),
      spec,
    );
    const labels = Int32Array.from(parts.flatMap((part) => part.labels));
    const digests = parts.flatMap((part) => part.digests);
    const numMain = parts[0]?.labels.length ?? 0;
    const { splits, notes } = splitsOf(spec, parts, { labels, digests });
    checkSplits(splits, labels, main.classes);
    const orders = [TRAIN, VALIDATION, TEST].map((split) => [...splits.keys()].filter((i) => splits[i] === split));
    const slotOf = (i: number) => Number.parseInt((digests[i] as string).slice(0, 8), 16) % numSlots;
    const train = (orders[0] ?? []).sort((a, b) => slotOf(a) - slotOf(b) || a - b);
    const slots = new Uint32Array(numSlots + 1);
    for (const i of train) slots[slotOf(i) + 1]! += 1;
    for (let slot = 0; slot < numSlots; slot++) slots[slot + 1]! += slots[slot]!;
    await writeFile(join(fresh, "train.slots.bin"), bytesOf(slots), { flush: true });
    const sums = channelSums(shape.channels);
    for (const [k, split] of imageSplits.entries()) {
      const own = orders[k] ?? [];
      await writeSplit(join(fresh, split), own, { all, shape, labels, signal, see: k === 0 ? sums.add : () => {} });
    }
    const counts = main.classes.map((_, label) => train.filter((i) => labels[i] === label).length);
    const file: ImageFile = {
      format: imageFormatVersion,
      digest,
      shape,
      fit,
      classes: [...main.classes],
      numImages: { train: train.length, validation: orders[1]?.length ?? 0, test: orders[2]?.length ?? 0 },
      counts,
      ...sums.figures(),
      bad: [...bad],
      notes: [...notes, ...badNotes(bad, numMain + bad.length)],
      decoder: main.size === null ? "sharp" : null,
    };
    await writeFile(join(fresh, "images.json"), encodeJson(file), { flush: true });
  } finally {
    await all.close();
  }
}

/** The split of every image, in the order in which they were decoded, and notes on copies. */
function splitsOf(
  { validation, test, seed }: ImageSpec,
  parts: readonly { readonly labels: readonly number[] }[],
  { labels, digests }: { readonly labels: Int32Array; readonly digests: readonly string[] },
) {
  const [numMain = 0, numValidation = 0] = parts.map((part) => part.labels.length);
  const shares = [validation, test].map((split) => (typeof split === "number" ? split : 0));
  const main = splitImages({
    digests: digests.slice(0, numMain),
    labels: labels.subarray(0, numMain),
    shares: { validation: shares[0] ?? 0, test: shares[1] ?? 0 },
    rankOf: (digest) => createHash("sha256").update(`${seed}:${digest}`).digest("hex"),
  });
  const splits = new Uint8Array(labels.length);
  splits.set(main.splits);
  splits.fill(VALIDATION, numMain, numMain + numValidation);
  splits.fill(TEST, numMain + numValidation);
  const trained = new Set(digests.filter((_, i) => splits[i] === TRAIN));
  const numSeen = digests.filter((digest, i) => i >= numMain && trained.has(digest)).length;
  const { numCopies, numContradictions } = main;
  return {
    splits,
    notes: [
      ...(numCopies > 0
        ? [
            `${counted(numCopies, "image has", "images have")} the pixels of another one, and ${numCopies === 1 ? "is" : "are"} in its split${numContradictions > 0 ? `; of ${count(numContradictions)} the class is another one, so that one of the two is wrong` : ""}`,
          ]
        : []),
      ...(numSeen > 0
        ? [
            `${counted(numSeen, "image", "images")} of the validation and test sources ${numSeen === 1 ? "has" : "have"} the pixels of a training image, which flatters the scores`,
          ]
        : []),
    ],
  };
}

function checkSplits(splits: Uint8Array, labels: Int32Array, classes: readonly string[]): void {
  const names = ["training", "validation", "test"];
  for (const [k, split] of [TRAIN, VALIDATION, TEST].entries()) {
    if (splits.includes(split)) continue;
    throw new DataError(
      `images: each split needs an image, and ${names[k]} has none of ${counted(splits.length, "image")}. Add images, or raise data.${k === 2 ? "test" : "validation"}.`,
    );
  }
  const trained = new Set(labels.filter((_, i) => splits[i] === TRAIN));
  const missing = classes.find((_, label) => !trained.has(label));
  if (missing !== undefined)
    throw new DataError(
      `images: each class is learned from a training image, and ${missing} has none. Add images of it, or leave it out.`,
    );
}

interface WriteSplitOptions {
  readonly all: FileHandle;
  readonly shape: ImageShape;
  readonly labels: Int32Array;
  readonly see: (pixels: Uint8Array) => void;
  readonly signal?: AbortSignal | undefined;
}

async function writeSplit(path: string, order: readonly number[], options: WriteSplitOptions): Promise<void> {
  const { all, shape, labels, see, signal } = options;
  const size = bytesOfImage(shape);
  const most = Math.max(1, Math.floor((1 << 22) / size));
  const out = await open(`${path}.images.bin`, "wx");
  try {
    const block = new Uint8Array(most * size);
    for (let start = 0; start < order.length; start += most) {
      signal?.throwIfAborted();
      const some = order.slice(start, start + most);
      for (const [i, image] of some.entries()) await all.read(block, i * size, size, image * size);
      const pixels = block.subarray(0, some.length * size);
      see(pixels);
      await out.write(pixels);
    }
    await out.sync();
  } finally {
    await out.close();
  }
  const own = Int32Array.from(order, (image) => labels[image] as number);
  await writeFile(`${path}.labels.bin`, bytesOf(own), { flush: true });
}

/** Mean and standard deviation of each channel. */
function channelSums(channels: 1 | 3) {
  // Whole numbers below 2^53, so exact for 10^11 pixels.
  const sums = new Float64Array(channels);
  const squares = new Float64Array(channels);
  let numPixels = 0;
  return {
    add(pixels: Uint8Array) {
      for (let i = 0; i < pixels.length; i++) {
        const value = pixels[i] as number;
        sums[i % channels]! += value;
        squares[i % channels]! += value * value;
      }
      numPixels += pixels.length / channels;
    },
    figures() {
      const mean = Array.from(sums, (sum) => sum / numPixels / 255);
      const std = Array.from(squares, (square, k) => {
        const variance = square / numPixels / 255 ** 2 - (mean[k] as number) ** 2;
        // A channel that never changes is divided by one step of a byte, and not by 0.
        return Math.max(1 / 255, Math.sqrt(Math.max(0, variance)));
      });
      return { mean, std };
    },
  };
}
