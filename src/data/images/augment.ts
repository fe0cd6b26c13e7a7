/**
 * Random changes of a training image that leave its class: every one a pure function of a key, so that an example of a
 * step is the same whichever worker makes it, and after a run was gone on with.
 *
 * The kinds and their distributions are those of torchvision's RandomCrop, RandomResizedCrop, RandomHorizontalFlip and
 * ColorJitter, but for the order of the colour changes, which is fixed here: brightness, contrast, saturation.
 */
import { type Key, uniform } from "../../runtime/random.js";
import { bytesOfImage, type ImageShape } from "./images.js";

/** What may happen to an image, in this order: a crop, a flip, other colours. Nothing of what is left out. */
export interface Augmentation {
  /** Black pixels that are added on each side, before a part of the image's own size is cut out at random. */
  readonly padCrop?: number | undefined;
  /** A part of the image at random, resized to the image's size. */
  readonly resizedCrop?: ResizedCrop | undefined;
  /** Whether every second image is mirrored, left to right. */
  readonly flip?: boolean | undefined;
  readonly jitter?: Jitter | undefined;
}

export interface ResizedCrop {
  /** The least and the largest share of the image's area. */
  readonly area: readonly [number, number];
  /** The least and the largest width / height of the part, in pixels of the image; its logarithm is uniform. */
  readonly ratio: readonly [number, number];
}

/** Colours are changed by factors that are uniform from 1 - x to 1 + x, where x is from 0 to 1. */
export interface Jitter {
  /** Multiplies all values. */
  readonly brightness?: number | undefined;
  /** Stretches the values around the mean grey of the image. */
  readonly contrast?: number | undefined;
  /** Stretches the channels of each pixel around its grey; nothing of grey images. */
  readonly saturation?: number | undefined;
}

/** Whether an augmentation changes anything. */
export function isAugmenting({ padCrop = 0, resizedCrop, flip = false, jitter = {} }: Augmentation): boolean {
  return padCrop > 0 || resizedCrop !== undefined || flip || Object.values(jitter).some((by) => (by ?? 0) > 0);
}

/** Numbers that each example draws, whatever is done with them: so one option does not change what others draw. */
const PLACES = { cropY: 0, cropX: 1, flip: 2, brightness: 3, contrast: 4, saturation: 5, resized: 6 } as const;
const TRIES = 10;
const NUM_DRAWS = PLACES.resized + 4 * TRIES;

/** Change an image, [height, width, channels], in place, by the key of its example. */
export function augment(image: Uint8Array, shape: ImageShape, how: Augmentation, key: Key): void {
  const { padCrop = 0, resizedCrop, flip = false, jitter } = how;
  const draws = uniform(key, resizedCrop ? NUM_DRAWS : PLACES.resized);
  const draw = (place: number) => draws[place] as number;
  if (resizedCrop) cropAndResize(image, shape, partOf(shape, resizedCrop, draws));
  if (padCrop > 0) {
    const offset = (u: number) => Math.floor(u * (2 * padCrop + 1)) - padCrop;
    shift(image, shape, offset(draw(PLACES.cropY)), offset(draw(PLACES.cropX)));
  }
  if (flip && draw(PLACES.flip) < 0.5) mirror(image, shape);
  if (jitter) jitterColours(image, shape, jitter, draw);
}

/** A rectangle of an image, in pixels. */
interface Part {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/** Of ten parts of random area and ratio, the first that lies within the image; else the largest central one. */
function partOf({ height, width }: ImageShape, { area, ratio }: ResizedCrop, draws: Float32Array): Part {
  const between = ([low, high]: readonly [number, number], u: number) => low + (high - low) * u;
  const logs = [Math.log(ratio[0]), Math.log(ratio[1])] as const;
  for (let i = 0; i < TRIES; i++) {
    const [u0 = 0, u1 = 0, u2 = 0, u3 = 0] = draws.subarray(PLACES.resized + 4 * i);
    const pixels = height * width * between(area, u0);
    const aspect = Math.exp(between(logs, u1));
    const own = { width: Math.round(Math.sqrt(pixels * aspect)), height: Math.round(Math.sqrt(pixels / aspect)) };
    if (own.width < 1 || own.height < 1 || own.width > width || own.height > height) continue;
    const [top, left] = [Math.floor(u2 * (height - own.height + 1)), Math.floor(u3 * (width - own.width + 1))];
    return { ...own, top, left };
  }
  const aspect = Math.min(ratio[1], Math.max(ratio[0], width / height));
  const own = {
    width: Math.min(width, Math.max(1, Math.round(height * aspect))),
    height: Math.min(height, Math.max(1, Math.round(width / aspect))),
  };
  return { ...own, top: (height - own.height) >> 1, left: (width - own.width) >> 1 };
}

/** Resize a part to the whole image: bilinear, between the centres of pixels. */
function cropAndResize(image: Uint8Array, { height, width, channels }: ImageShape, part: Part): void {
  const whole = image.slice();
  const xs = neighbours(part.left, part.width, width);
  const ys = neighbours(part.top, part.height, height);
  for (let y = 0, out = 0; y < height; y++) {
    const [y0, y1, v] = [ys.first[y] as number, ys.second[y] as number, ys.share[y] as number];
    for (let x = 0; x < width; x++) {
      const [x0, x1, u] = [xs.first[x] as number, xs.second[x] as number, xs.share[x] as number];
      const [a, b] = [(y0 * width + x0) * channels, (y0 * width + x1) * channels];
      const [c, d] = [(y1 * width + x0) * channels, (y1 * width + x1) * channels];
      for (let k = 0; k < channels; k++, out++) {
        const upper = (1 - u) * (whole[a + k] as number) + u * (whole[b + k] as number);
        const lower = (1 - u) * (whole[c + k] as number) + u * (whole[d + k] as number);
        image[out] = Math.round((1 - v) * upper + v * lower);
      }
    }
  }
}

/** Of each of `size` places over a stretch of pixels, the pixels before and after it, and the share of the second. */
function neighbours(start: number, length: number, size: number) {
  const first = new Int32Array(size);
  const second = new Int32Array(size);
  const share = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    const at = Math.min(length - 1, Math.max(0, ((i + 0.5) * length) / size - 0.5));
    const low = Math.floor(at);
    first[i] = start + low;
    second[i] = start + Math.min(length - 1, low + 1);
    share[i] = at - low;
  }
  return { first, second, share };
}

/** Move an image: pixel (y, x) becomes that at (y + down, x + right), black outside of it. */
function shift(image: Uint8Array, { height, width, channels }: ImageShape, down: number, right: number): void {
  const whole = image.slice();
  image.fill(0);
  const [from, to] = [Math.max(0, -right), Math.min(width, width - right)];
  if (to <= from) return;
  for (let y = Math.max(0, -down); y < Math.min(height, height - down); y++) {
    const start = ((y + down) * width + from + right) * channels;
    image.set(whole.subarray(start, start + (to - from) * channels), (y * width + from) * channels);
  }
}

function mirror(image: Uint8Array, { height, width, channels }: ImageShape): void {
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width >> 1; x++) {
      const [a, b] = [(y * width + x) * channels, (y * width + width - 1 - x) * channels];
      for (let k = 0; k < channels; k++) {
        const kept = image[a + k] as number;
        image[a + k] = image[b + k] as number;
        image[b + k] = kept;
      }
    }
  }
}

/** The weights of red, green and blue in grey, of ITU-R BT.601. */
const [RED, GREEN, BLUE] = [0.299, 0.587, 0.114];

function jitterColours(image: Uint8Array, shape: ImageShape, jitter: Jitter, draw: (place: number) => number): void {
  const { brightness = 0, contrast = 0, saturation = 0 } = jitter;
  const factor = (by: number, place: number) => 1 - by + 2 * by * draw(place);
  if (brightness > 0) {
    const by = factor(brightness, PLACES.brightness);
    mapBytes(image, (value) => by * value);
  }
  if (contrast > 0) {
    const by = factor(contrast, PLACES.contrast);
    const mean = meanGrey(image, shape);
    mapBytes(image, (value) => mean + by * (value - mean));
  }
  if (saturation > 0 && shape.channels === 3) {
    const by = factor(saturation, PLACES.saturation);
    for (let i = 0; i < image.length; i += 3) {
      const grey = greyAt(image, i);
      for (let k = i; k < i + 3; k++) image[k] = limited(grey + by * ((image[k] as number) - grey));
    }
  }
}

/** Replace each byte by a function of it, which is computed once for each of the 256. */
function mapBytes(image: Uint8Array, of: (value: number) => number): void {
  const table = Uint8Array.from({ length: 256 }, (_, value) => limited(of(value)));
  for (let i = 0; i < image.length; i++) image[i] = table[image[i] as number] as number;
}

const limited = (value: number) => Math.min(255, Math.max(0, Math.round(value)));

const greyAt = (image: Uint8Array, i: number) =>
  RED * (image[i] as number) + GREEN * (image[i + 1] as number) + BLUE * (image[i + 2] as number);

function meanGrey(image: Uint8Array, shape: ImageShape): number {
  let sum = 0;
  if (shape.channels === 1) for (const value of image) sum += value;
  else for (let i = 0; i < image.length; i += 3) sum += greyAt(image, i);
  return (sum * shape.channels) / bytesOfImage(shape);
}
