/** Options of a configuration's images. */
import type { RegimeInput } from "./data.js";

/** Images of their own, in the same forms as the `source` to train on. */
export interface ImageFilesInput {
  /** A folder with a folder for each class, or a file of MNIST or CIFAR. */
  readonly source: string | readonly string[];
}

/** A share of all images, above 0 and below 1, or images of their own. */
export type ImageSplitInput = number | ImageFilesInput;

/** A part of an image that is resized to the whole. */
export interface ResizedCropInput {
  /** The least and the largest share of the image's area; [0.25, 1] by default. */
  readonly area?: readonly [number, number] | undefined;
  /** The least and the largest width / height of the part; [0.75, 1.3333] by default. */
  readonly ratio?: readonly [number, number] | undefined;
}

/** Factors of colours, uniform from 1 - x to 1 + x; 0 each by default. */
export interface JitterInput {
  /** Of all values. */
  readonly brightness?: number | undefined;
  /** Of the distance of all values from the mean grey. */
  readonly contrast?: number | undefined;
  /** Of the distance of channels from the grey of their pixel. */
  readonly saturation?: number | undefined;
}

/** Random changes of training images; others are never changed. */
export interface AugmentInput {
  /** Black pixels that are added on each side before a part of the image's size is cut out at random; 0 by default. */
  readonly padCrop?: number | undefined;
  /** A part of the image at random, resized to the whole; true for one of a quarter of the area or more. */
  readonly resizedCrop?: boolean | ResizedCropInput | undefined;
  /** Whether every second image is mirrored, left to right; false by default. */
  readonly flip?: boolean | undefined;
  /** Brightness, contrast and saturation at random; a number is for all three. */
  readonly jitter?: number | JitterInput | undefined;
  /**
   * Above 0, each image is mixed with another one of its batch by a share of Beta(mixup, mixup), and is learned as both classes by
   * their shares (mixup, Zhang et al. 2018); 0 by default, 0.2 is usual. Teachers see the same mixtures.
   */
  readonly mixup?: number | undefined;
}

/** Images with a class each. */
export interface ImageDataInput {
  readonly kind: "images";
  /**
   * A folder with a folder for each class, several such folders, a file of MNIST (`...-images-idx3-ubyte`) or CIFAR
   * (`.bin`), or a table of images; docs/images.md. Relative paths start at the configuration file.
   */
  readonly source: string | readonly string[];
  /** Of folders, the classes to take, in this order; of numbered classes, their names. All as they are by default. */
  readonly classes?: readonly string[] | undefined;
  /** Of tables, the column with the paths of images, or with the bytes of their files; "image" by default. */
  readonly image?: string | undefined;
  /** Of tables, the column with the classes; "label" by default. */
  readonly label?: string | undefined;
  /**
   * The side in pixels to which images are resized, or [height, width]; by default their own where all are of one size, as
   * in MNIST and CIFAR, else 64.
   */
  readonly size?: number | readonly [number, number] | undefined;
  /** 1 for grey, 3 for colour; by default 3, and of sets like MNIST what they have. */
  readonly channels?: 1 | 3 | undefined;
  /** How an image of another shape becomes square: its middle ("crop", default), with black borders ("pad"), or stretched. */
  readonly fit?: "crop" | "pad" | "stretch" | undefined;
  /** Random changes of training images, drawn anew in each epoch; none by default. */
  readonly augment?: AugmentInput | undefined;
  /** Images that choose the best checkpoint: a share of the images, or images of their own; 0.1 by default. */
  readonly validation?: ImageSplitInput | undefined;
  /** Images that are scored once at the end: a share of the images, or images of their own; 0.1 by default. */
  readonly test?: ImageSplitInput | undefined;
  /** Seed of the split; 1 by default. Images with equal pixels are always in one split. */
  readonly splitSeed?: number | undefined;
  /** How many images that are damaged, or no images, may be left out; 0 by default. */
  readonly maxBadImages?: number | undefined;
  /** The most pixels of an image before it is resized, against decompression bombs; 100 million by default. */
  readonly maxPixels?: number | undefined;
  /**
   * For studies: the share of training labels that are replaced by another class, drawn evenly, from 0 to below 1; the same rows for all
   * groups and seeds. Validation and test labels stay as they are.
   */
  readonly labelNoise?: number | undefined;
  /** What each group trains on: a shard of its own by default. */
  readonly regime?: RegimeInput | undefined;
  /**
   * How large the parts of the groups are, relative to one another, as [2, 1]: a number for each group. Only with the regime
   * "disjoint"; equally large by default.
   */
  readonly shares?: readonly number[] | undefined;
}
