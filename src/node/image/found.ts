/** Images as a source has them: one after another, each with its class and a name for people. */
import type { RawPixels } from "./pixels.js";

/** One image of a source. */
export interface FoundImage {
  /** For people: the path of its file, or the file that it is in and its place there. */
  readonly name: string;
  /** Its class by its index among those of the source. */
  readonly label: number;
  /** The content of its file; null where the source has pixels. */
  readonly encoded: (() => Uint8Array) | null;
  /** Its pixels; null where they must be decoded. */
  readonly pixels: RawPixels | null;
}

/** A source that was opened. */
export interface ImageSource {
  /** What it is, in words, as in "a folder for each class". */
  readonly what: string;
  readonly numImages: number;
  /** The names of its classes, in the order of their indices. */
  readonly classes: readonly string[];
  /** How many images each class has. */
  readonly counts: readonly number[];
  /** Pixels of all images where they are of one size; null where each file has its own. */
  readonly size: { readonly height: number; readonly width: number; readonly channels: 1 | 3 } | null;
  /** Files that were read to open it, or will be read, for the digest: their content in the order of the images. */
  readonly identity: (signal?: AbortSignal) => Promise<readonly string[]>;
  /** The images in their order. */
  readonly images: () => Iterable<FoundImage> | AsyncIterable<FoundImage>;
  /** Notes for people, in sentences. */
  readonly notes: readonly string[];
}
