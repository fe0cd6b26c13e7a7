/**
 * The cache of images: a folder named by its digest, whole or absent, with every image decoded and of one size, read
 * without a decoder.
 *
 * - `images.json`: format version, digest, shape, fit, classes, counts of each class, mean and std of the channels, images
 *   that could not be used, notes
 * - `<split>.images.bin`: uint8, [images, height, width, channels]; of train by hash slot, then in the order of the source
 * - `<split>.labels.bin`: int32, the class of each image
 * - `train.slots.bin`: 4,097 uint32; slot s has the images from entry s up to, not including, entry s + 1
 *
 * Beside them lie their digests (`checked-folder.ts`).
 */
import { z } from "zod";
import { problemsOf } from "../../checkpoint/fields.js";
import { decodeJson, versionMustBe } from "../../checkpoint/json.js";
import { bytesOfImage, type ImageShape, type Images, imagesInMemory } from "../../data/images/images.js";
import type { RowRange } from "../../data/records.js";
import { numSlots, slotRange } from "../../data/shard.js";
import { type CheckedFile, type CheckedFolder, damaged, openCheckedFolder } from "../files/checked-folder.js";
import type { Reading } from "../files/read-file.js";
import { fits } from "./pixels.js";

/** Raised whenever the files, or the way they are made, change. */
export const imageFormatVersion = 2;

export const imageSplits = ["train", "validation", "test"] as const;
export type ImageSplitName = (typeof imageSplits)[number];

const count = z.int().nonnegative();
const imageFile = z.object({
  format: z.literal(imageFormatVersion, versionMustBe(imageFormatVersion)),
  digest: z.string(),
  shape: z.object({
    height: z.int().positive(),
    width: z.int().positive(),
    channels: z.union([z.literal(1), z.literal(3)]),
  }),
  fit: z.enum(fits),
  classes: z.array(z.string()).min(1),
  /** Images of each split. */
  numImages: z.object({ train: count, validation: count, test: count }),
  /** Training images of each class. */
  counts: z.array(count),
  /** Of each channel over the training images, where values go from 0 to 1. */
  mean: z.array(z.number()),
  std: z.array(z.number()),
  /** Images that could not be used, and why. */
  bad: z.array(z.object({ name: z.string(), why: z.string() })),
  /** Notes on the images for the user, in sentences; those on their source are made anew from it. */
  notes: z.array(z.string()),
  /** What decoded them, where something did. */
  decoder: z.string().nullable(),
});

/** The content of `images.json`. */
export type ImageFile = z.infer<typeof imageFile>;

export interface CachedImages extends Omit<ImageFile, "format"> {
  readonly train: Images;
  readonly slotOffsets: Uint32Array;
  /** Null when left out. */
  readonly validation: Images | null;
  /** Null when left out. */
  readonly test: Images | null;
}

export interface OpenImagesOptions {
  /** Read only the training images of these hash slots; the other slots are then empty. */
  readonly slots?: readonly number[] | undefined;
  /** Splits that are not read, to save memory. */
  readonly leaveOut?: readonly ("validation" | "test")[] | undefined;
  /** Images of a split that take more bytes than this stay in their file, and are read from there when needed. */
  readonly memoryBytes?: number | undefined;
}

/** Read a cache folder. Throws {@link DataError} when the folder is absent or damaged. */
export async function openImages(folder: string, options: OpenImagesOptions = {}): Promise<CachedImages> {
  const { slots, leaveOut = [], memoryBytes = Number.POSITIVE_INFINITY } = options;
  const files = await openCheckedFolder(folder);
  const { format: _, ...file } = await readImageFile(folder, files);
  const { shape, numImages } = file;
  const read = async (split: ImageSplitName, parts?: readonly RowRange[]) => {
    const all = new Int32Array((await files.whole(`${split}.labels.bin`, 4 * numImages[split])).buffer);
    const wrong = all.find((label) => label < 0 || label >= file.classes.length);
    if (wrong !== undefined) throw damaged(folder, `${split}.labels.bin has the class ${wrong}`);
    const pixels = files.file(`${split}.images.bin`, numImages[split] * bytesOfImage(shape));
    return readImages(pixels, shape, all, memoryBytes, parts);
  };
  const offsets = new Uint32Array((await files.whole("train.slots.bin", 4 * (numSlots + 1))).buffer);
  if (offsets[0] !== 0 || offsets[numSlots] !== numImages.train || offsets.some((at, i) => at > (offsets[i + 1] ?? at)))
    throw damaged(folder, `train.slots.bin does not cover the ${numImages.train} training images`);
  const own = slots === undefined ? null : partsOf(offsets, slots);
  return {
    ...file,
    train: await read("train", own?.parts),
    slotOffsets: own?.offsets ?? offsets,
    validation: leaveOut.includes("validation") ? null : await read("validation"),
    test: leaveOut.includes("test") ? null : await read("test"),
  };
}

/** Where the images of some slots lie, and where they are among themselves. */
function partsOf(offsets: Uint32Array, slots: readonly number[]) {
  const own = new Uint32Array(numSlots + 1);
  const parts: RowRange[] = [];
  // In ascending order, so that an image's place among those that are read does not depend on the caller's order.
  for (const slot of [...new Set(slots)].sort((a, b) => a - b)) {
    const { start, end } = slotRange(offsets, slot);
    own[slot + 1] = end - start;
    if (end > start) parts.push({ start, end });
  }
  for (let slot = 0; slot < numSlots; slot++) own[slot + 1]! += own[slot]!;
  return { offsets: own, parts };
}

/** The images of some parts of a file, in memory where they take at most `mostBytes`. */
async function readImages(
  file: CheckedFile,
  shape: ImageShape,
  allLabels: Int32Array,
  mostBytes: number,
  parts: readonly RowRange[] = [{ start: 0, end: allLabels.length }],
): Promise<Images> {
  const size = bytesOfImage(shape);
  const places = Uint32Array.from(
    parts.flatMap(({ start, end }) => Array.from({ length: end - start }, (_, i) => start + i)),
  );
  const labels = Int32Array.from(places, (place) => allLabels[place] as number);
  if (places.length * size > mostBytes) return storedImages(file.reading, shape, places, labels);
  const pixels = new Uint8Array(places.length * size);
  let at = 0;
  for (const { start, end } of parts) {
    const length = (end - start) * size;
    await file.fill(pixels.subarray(at, at + length), start * size);
    at += length;
  }
  return imagesInMemory(shape, pixels, labels);
}

/** Images that stay in their file, where image i is at place i, and are read when they are asked for. */
function storedImages(reading: Reading, shape: ImageShape, places: Uint32Array, labels: Int32Array): Images {
  const size = bytesOfImage(shape);
  return {
    shape,
    labels,
    read(images) {
      const out = new Uint8Array(images.length * size);
      reading((bytes) => {
        for (let i = 0; i < images.length; i++) {
          out.set(bytes((places[images[i] as number] as number) * size, size), i * size);
        }
      });
      return out;
    },
  };
}

async function readImageFile(folder: string, files: CheckedFolder): Promise<ImageFile> {
  const parsed = imageFile.safeParse(decodeJson(await files.whole("images.json")));
  if (parsed.success) return parsed.data;
  throw damaged(folder, `images.json cannot be read: ${problemsOf(parsed.error)}`, parsed.error);
}
