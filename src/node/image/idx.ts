/**
 * IDX files, the format of MNIST and Fashion-MNIST: a magic number (0, 0, the type, the number of axes), the axes as
 * big-endian 32-bit integers, then the values, row-major. Images and labels lie in two files, .gz or not.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { DataError, messageOf } from "../../errors.js";
import { count } from "../../report/format.js";
import { readWithin } from "../files/read-bounded.js";
import type { ImageSource } from "./found.js";

/** The most bytes of a file, unpacked. */
export const MAX_SET_BYTES = 2 ** 31 - 1;
/** The code of unsigned bytes, the only type of images and labels. */
const UBYTE = 0x08;
const TYPES: Readonly<Record<number, string>> = { 9: "int8", 11: "int16", 12: "int32", 13: "float32", 14: "float64" };
/** The most pixels of an image. */
const MAX_PIXELS = 2 ** 26;

/** Values of an IDX file. */
export interface IdxArray {
  /** At least one axis. */
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** The name of a file with images in the form of IDX. */
export const IDX_IMAGES = /images[.-]idx\d-ubyte(\.gz)?$/i;

/**
 * Read an IDX file of unsigned bytes. Throws {@link DataError} when it is none, has another type, or more or fewer values
 * than its axes say.
 */
export function parseIdx(bytes: Uint8Array, name: string): IdxArray {
  const refuse = (why: string): never => {
    throw new DataError(`images: ${name} ${why}. Get the file anew.`);
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 8) return refuse(`has ${bytes.length} bytes, too few for an IDX file's magic number and one axis`);
  const [zero, type, numAxes] = [view.getUint16(0), bytes[2] as number, bytes[3] as number];
  if (zero !== 0)
    return refuse(`is no IDX file: it begins with the bytes ${[...bytes.subarray(0, 4)].join(", ")}, not with 0, 0`);
  if (type !== UBYTE)
    return refuse(
      `must have unsigned bytes (type 8), and its type is ${type}${TYPES[type] ? `, ${TYPES[type]}` : ", which IDX does not have"}`,
    );
  if (numAxes < 1 || numAxes > 4) return refuse(`must have 1 to 4 axes, and has ${numAxes}`);
  const start = 4 + 4 * numAxes;
  if (bytes.length < start) return refuse(`ends within its head of ${start} bytes, after ${bytes.length}`);
  const shape = Array.from({ length: numAxes }, (_, i) => view.getUint32(4 + 4 * i));
  // A product of four axes of 32 bits may be no safe integer, which the comparison below then refuses all the same.
  const size = shape.reduce((product, axis) => product * axis, 1);
  if (size !== bytes.length - start)
    return refuse(`says that it has ${shape.map(count).join(" x ")} values, and ${count(bytes.length - start)} follow`);
  return { shape, data: bytes.subarray(start) };
}

/**
 * Open a file of images and the file of labels beside it. Classes are the numbers of the labels, or `names` in their order.
 *
 * Throws {@link DataError} when one of the two is missing or damaged, or they do not fit each other or the names.
 */
export function openIdx(path: string, names?: readonly string[]): ImageSource {
  const labelsPath = labelsBeside(path);
  const [imageBytes, labelBytes] = [unpacked(path), unpacked(labelsPath)];
  const images = parseIdx(imageBytes, path);
  const labels = parseIdx(labelBytes, labelsPath);
  const [numImages = 0, height = 0, width = 0, channels = 1] = images.shape;
  if (images.shape.length < 3 || (channels !== 1 && channels !== 3)) {
    throw new DataError(
      `images: ${path} must have the axes images, rows, columns, and 3 channels or none, and has ${images.shape.map(count).join(" x ")}`,
    );
  }
  if (labels.shape.length !== 1)
    throw new DataError(
      `images: ${labelsPath} must have one axis, a label for each image, and has ${labels.shape.map(count).join(" x ")}`,
    );
  if (labels.data.length !== numImages) {
    throw new DataError(
      `images: each image has one label, and ${path} has ${count(numImages)} images, ${labelsPath} ${count(labels.data.length)} labels. They are of different sets.`,
    );
  }
  const size = height * width * channels;
  if (numImages === 0 || size === 0 || size > MAX_PIXELS)
    throw new DataError(
      `images: ${path} must have images of 1 to ${count(MAX_PIXELS)} values, and has ${count(numImages)} of ${count(height)} x ${count(width)} x ${channels}`,
    );
  const most = labels.data.reduce((top, label) => Math.max(top, label), 0);
  if (names && most >= names.length) {
    throw new DataError(
      `images: data.classes names ${names.length} classes, and ${labelsPath} has the label ${most}; name ${most + 1}, in the order of the labels from 0`,
    );
  }
  const shape = { height, width, channels } as const;
  const classes = names ?? Array.from({ length: most + 1 }, (_, label) => String(label));
  const counts = classes.map(() => 0);
  for (const label of labels.data) counts[label]! += 1;
  return {
    what: "IDX",
    numImages,
    classes,
    counts,
    size: shape,
    identity: async () => [imageBytes, labelBytes].map((bytes) => createHash("sha256").update(bytes).digest("hex")),
    images: function* () {
      for (let i = 0; i < numImages; i++) {
        const data = images.data.subarray(i * size, (i + 1) * size);
        yield {
          name: `${path}, image ${i}`,
          label: labels.data[i] as number,
          encoded: null,
          pixels: { ...shape, data },
        };
      }
    },
    notes: [],
  };
}

/** The file of labels beside one of images. */
function labelsBeside(path: string): string {
  const name = basename(path);
  const stem = name.replace(/\.gz$/i, "").replace(/images([.-]idx)\d/i, (_, idx: string) => `labels${idx}1`);
  const both = [stem, `${stem}.gz`].map((one) => join(dirname(path), one));
  const found = both.find((one) => existsSync(one));
  if (stem !== name.replace(/\.gz$/i, "") && found !== undefined) return found;
  throw new DataError(
    `images: the labels of ${path} should lie beside it, as ${stem}, or the same with .gz, and do not. Put them there.`,
  );
}

/** The bytes of a file, unpacked where it is packed by gzip. Throws {@link DataError}. */
export function unpacked(path: string): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = readWithin(path, MAX_SET_BYTES);
  } catch (error) {
    throw new DataError(`images: ${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_SET_BYTES });
  } catch (error) {
    throw new DataError(`images: ${path} cannot be unpacked: ${messageOf(error)}. Get the file anew.`, {
      cause: error,
    });
  }
}
