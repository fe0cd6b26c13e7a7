/**
 * The binary files of CIFAR-10 and CIFAR-100: records of a label (CIFAR-100: the coarse and then the fine label) and 3,072
 * bytes, the red, green and blue planes of 32 x 32 pixels.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { DataError } from "../../errors.js";
import { count } from "../../report/format.js";
import { beginningOf } from "../files/read-bounded.js";
import type { ImageSource } from "./found.js";
import { unpacked } from "./idx.js";

const SIDE = 32;
const PLANE = SIDE * SIDE;

interface Variant {
  readonly name: string;
  readonly labelBytes: 1 | 2;
  readonly numClasses: number;
  /** The file with the names of the classes, a line each. */
  readonly names: string;
}

const VARIANTS: readonly Variant[] = [
  { name: "CIFAR-10", labelBytes: 1, numClasses: 10, names: "batches.meta.txt" },
  { name: "CIFAR-100", labelBytes: 2, numClasses: 100, names: "fine_label_names.txt" },
];

/** Records of a file. */
export interface CifarRecords {
  readonly variant: Variant;
  readonly labels: Uint8Array;
  /** Pixels of an image as [32, 32, 3]. */
  readonly pixels: (i: number) => Uint8Array;
}

/**
 * Read the records of a file. The variant is told by its length, and by its labels where that fits both; `known` says it
 * where the names of the classes lie beside the file.
 *
 * Throws {@link DataError} when it is no whole number of records, or a label is none of the variant's.
 */
export function parseCifar(bytes: Uint8Array, name: string, known?: Variant): CifarRecords {
  const recordBytes = ({ labelBytes }: Variant) => labelBytes + 3 * PLANE;
  const fitting = (known ? [known] : VARIANTS).filter((one) => bytes.length % recordBytes(one) === 0);
  if (bytes.length === 0 || fitting.length === 0) {
    throw new DataError(
      `images: ${name} must have records of 3,073 bytes (CIFAR-10) or 3,074 (CIFAR-100)${known ? `, here of ${known.name}` : ""}, and its ${count(bytes.length)} bytes are no whole number of them. Get the file anew.`,
    );
  }
  const problems: string[] = [];
  for (const variant of fitting) {
    const size = recordBytes(variant);
    const at = variant.labelBytes - 1;
    const labels = Uint8Array.from({ length: bytes.length / size }, (_, i) => bytes[i * size + at] as number);
    const wrong = labels.findIndex((label) => label >= variant.numClasses);
    if (wrong >= 0) {
      problems.push(
        `image ${wrong} has the label ${labels[wrong]}, and ${variant.name} has labels from 0 to ${variant.numClasses - 1}`,
      );
      continue;
    }
    const pixels = (i: number) => interleaved(bytes.subarray(i * size + variant.labelBytes, (i + 1) * size));
    return { variant, labels, pixels };
  }
  throw new DataError(`images: ${name}: ${problems.join("; ")}. Get the file anew.`);
}

/** Planes as [32, 32, 3]. */
function interleaved(planes: Uint8Array): Uint8Array {
  const out = new Uint8Array(3 * PLANE);
  for (let k = 0; k < 3; k++) for (let i = 0; i < PLANE; i++) out[3 * i + k] = planes[k * PLANE + i] as number;
  return out;
}

/**
 * Open files of one variant. Classes are named by the file of names beside them, else by their numbers; `names` names them
 * in the order of the labels.
 *
 * Throws {@link DataError} as {@link parseCifar}, and when files are of both variants.
 */
export function openCifar(paths: readonly string[], names?: readonly string[]): ImageSource {
  const known = knownVariant(paths[0] ?? "");
  const files = paths.map((path) => {
    const bytes = unpacked(path);
    return { path, bytes, ...parseCifar(bytes, path, known?.variant) };
  });
  const variant = files[0]?.variant ?? (VARIANTS[0] as Variant);
  const other = files.find((file) => file.variant !== variant);
  if (other)
    throw new DataError(
      `images: all files of a source are of one set, and ${paths[0]} is ${variant.name}, ${other.path} ${other.variant.name}`,
    );
  const classes = names ?? known?.names ?? Array.from({ length: variant.numClasses }, (_, label) => String(label));
  if (classes.length !== variant.numClasses)
    throw new DataError(
      `images: ${variant.name} has ${variant.numClasses} classes, and data.classes names ${classes.length}; name all, in the order of the labels`,
    );
  const counts = classes.map(() => 0);
  for (const { labels } of files) for (const label of labels) counts[label]! += 1;
  return {
    what: variant.name,
    numImages: files.reduce((sum, { labels }) => sum + labels.length, 0),
    classes,
    counts,
    size: { height: SIDE, width: SIDE, channels: 3 },
    identity: async () => files.map(({ bytes }) => createHash("sha256").update(bytes).digest("hex")),
    images: function* () {
      for (const { path, labels, pixels } of files) {
        for (const [i, label] of labels.entries()) {
          const raw = { height: SIDE, width: SIDE, channels: 3 as const, data: pixels(i) };
          yield { name: `${path}, image ${i}`, label, encoded: null, pixels: raw };
        }
      }
    },
    notes: [],
  };
}

/** The variant by the file of names beside the data, with the names. */
function knownVariant(path: string) {
  for (const variant of VARIANTS) {
    const beside = join(dirname(path), variant.names);
    if (!existsSync(beside)) continue;
    const names = beginningOf(beside)
      .split(/\r?\n/)
      .map((line) => line.trim())
      .filter((line) => line !== "");
    return { variant, names: names.length === variant.numClasses ? names : null };
  }
  return null;
}
