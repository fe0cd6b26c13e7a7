/** The images that a run reads. */

import type { Fit } from "./pixels.js";
import type { ImageColumns } from "./table-images.js";

/** A share of the images of `source`, or images of their own. */
export type ImageSplitSpec = number | { readonly source: string | readonly string[] };

/** The images that a run reads. */
export interface ImageSpec {
  readonly source: string | readonly string[];
  readonly classes?: readonly string[] | undefined;
  /** Of tables. */
  readonly columns?: ImageColumns | undefined;
  /** Height and width; by default those of the images where they are all of one size, else {@link DEFAULT_SIDE}. */
  readonly size?: readonly [number, number] | undefined;
  /** By default those of the images where they are all alike, else 3. */
  readonly channels?: 1 | 3 | undefined;
  readonly fit: Fit;
  readonly validation: ImageSplitSpec;
  readonly test: ImageSplitSpec;
  readonly seed: number;
  readonly maxBadImages: number;
  readonly maxPixels: number;
}

/** The height and width of images that come in many sizes. */
export const DEFAULT_SIDE = 64;
