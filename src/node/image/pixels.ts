/** What pixels are made of images, and why some have none; apart from the decoder, so that declarations need no types of it. */
import type { ImageShape } from "../../data/images/images.js";

/** How an image of another shape gets into the size: its middle, all of it with black borders, or all of it stretched. */
export const fits = ["crop", "pad", "stretch"] as const;
export type Fit = (typeof fits)[number];

/** How pixels are made of an image. */
export interface PixelOptions {
  readonly shape: ImageShape;
  readonly fit: Fit;
  /** The most pixels of an image before it is resized. */
  readonly maxPixels: number;
}

/** Pixels as a file has them, row-major: [height, width, channels]. */
export interface RawPixels extends ImageShape {
  readonly data: Uint8Array;
}

/** Why an image cannot be used, in the words that follow "it". */
export class BadImage extends Error {}
