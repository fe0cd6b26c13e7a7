/**
 * Image files as pixels, by sharp, which is loaded when the first file is decoded: sources that hold pixels need no sharp.
 * A file is given to it only when its first bytes are those of a format that we name; its other loaders never run.
 */
import type { Metadata, Sharp, default as SharpModule } from "sharp";
import { DataError, messageOf } from "../../errors.js";
import { count, shortened } from "../../report/format.js";
import { BadImage, type PixelOptions, type RawPixels } from "./pixels.js";

/** The most bytes of an image's file. */
export const MAX_FILE_BYTES = 256 * 2 ** 20;

const SHARP_FIT = { crop: "cover", pad: "contain", stretch: "fill" } as const;

/** sharp. Throws {@link DataError} with the cure when it is not installed. */
export async function loadSharp(): Promise<typeof SharpModule> {
  try {
    return (await import("sharp")).default;
  } catch (error) {
    throw new DataError(
      `images: image files are decoded by sharp, which could not be loaded (${messageOf(error)}). Install it: npm install sharp`,
      { cause: error },
    );
  }
}

const starts = (bytes: Uint8Array, text: string, at = 0) =>
  bytes.length >= at + text.length && [...text].every((letter, i) => bytes[at + i] === letter.charCodeAt(0));

const FORMATS: readonly (readonly [string, (bytes: Uint8Array) => boolean])[] = [
  ["JPEG", (bytes) => starts(bytes, "\xff\xd8\xff")],
  ["PNG", (bytes) => starts(bytes, "\x89PNG\r\n\x1a\n")],
  ["GIF", (bytes) => starts(bytes, "GIF87a") || starts(bytes, "GIF89a")],
  ["WebP", (bytes) => starts(bytes, "RIFF") && starts(bytes, "WEBP", 8)],
];

/** Other files that come under the name of an image, as they begin. */
const OTHERS: readonly (readonly [string, (bytes: Uint8Array) => boolean])[] = [
  ["a TIFF", (bytes) => starts(bytes, "II*\0") || starts(bytes, "MM\0*")],
  ["a BMP", (bytes) => starts(bytes, "BM")],
  ["an ICO", (bytes) => starts(bytes, "\0\0\x01\0")],
  ["an AVIF or HEIC", (bytes) => starts(bytes, "ftyp", 4)],
  ["a JPEG XL", (bytes) => starts(bytes, "\xff\x0a") || starts(bytes, "\0\0\0\x0cJXL ")],
  ["a JPEG 2000", (bytes) => starts(bytes, "\0\0\0\x0cjP  ")],
  ["a PDF", (bytes) => starts(bytes, "%PDF")],
  ["a ZIP", (bytes) => starts(bytes, "PK\x03\x04")],
  ["text of SVG, HTML or XML", (bytes) => /^\s*<(svg|\?xml|!doctype|html)/i.test(beginning(bytes))],
  ["a pointer of Git LFS", (bytes) => starts(bytes, "version https://git-lfs")],
];

const beginning = (bytes: Uint8Array) => Buffer.from(bytes.subarray(0, 64)).toString("latin1").replace(/^ï»¿/, "");

/**
 * Decode a JPEG, PNG, WebP or GIF (the first frame of several) and resize it: upright by its EXIF orientation, 8 bits a
 * channel, sRGB or grey, over white where it is transparent. Returns [height, width, channels].
 *
 * Throws {@link BadImage} when the bytes are no such image, a damaged one, or too large a one, and {@link DataError}
 * without sharp.
 */
export async function decodeImage(bytes: Uint8Array, options: PixelOptions): Promise<Uint8Array> {
  checkFormat(bytes);
  const make = await loadSharp();
  const { maxPixels } = options;
  // A file that ends too early fails; one that a decoder only warns of does not.
  const input = { failOn: "error", limitInputPixels: maxPixels, sequentialRead: true } as const;
  try {
    // Upright first: the sides are then those that are seen.
    const upright = make(bytes, input).autoOrient().flatten({ background: "#ffffff" });
    return await resized(upright, options);
  } catch (error) {
    throw await whyBad(make, bytes, maxPixels, error);
  }
}

/** Pixels of another size or number of channels as those wanted. Throws {@link DataError} where sharp is needed and missing. */
export async function fitPixels({ data, ...own }: RawPixels, options: PixelOptions): Promise<Uint8Array> {
  const { shape } = options;
  if (own.height !== shape.height || own.width !== shape.width) {
    const make = await loadSharp();
    return resized(make(data, { raw: own, limitInputPixels: options.maxPixels }), options);
  }
  if (own.channels === shape.channels) return data;
  const numPixels = own.height * own.width;
  const out = new Uint8Array(numPixels * shape.channels);
  if (own.channels === 1) for (let i = 0; i < out.length; i++) out[i] = data[Math.floor(i / 3)] as number;
  else {
    for (let i = 0; i < numPixels; i++) {
      const [red = 0, green = 0, blue = 0] = data.subarray(3 * i, 3 * i + 3);
      out[i] = Math.round(0.299 * red + 0.587 * green + 0.114 * blue);
    }
  }
  return out;
}

async function resized(image: Sharp, { shape, fit }: PixelOptions): Promise<Uint8Array> {
  const { height, width, channels } = shape;
  const { data, info } = await image
    .resize(width, height, { fit: SHARP_FIT[fit], background: "#000000" })
    .toColourspace(channels === 1 ? "b-w" : "srgb")
    .raw({ depth: "uchar" })
    .toBuffer({ resolveWithObject: true });
  if (info.width !== width || info.height !== height || info.channels !== channels) {
    throw new BadImage(`came out as ${info.height} x ${info.width} x ${info.channels}`);
  }
  return data;
}

/** Throws {@link BadImage} unless bytes begin as an image. */
export function checkFormat(bytes: Uint8Array): void {
  if (FORMATS.some(([, is]) => is(bytes))) return;
  if (bytes.length === 0) throw new BadImage("is empty");
  const other = OTHERS.find(([, is]) => is(bytes))?.[0];
  throw new BadImage(
    `is ${other ?? "no image by its first bytes"}; images are JPEG, PNG, WebP or GIF, whatever their names end in`,
  );
}

/** The format of bytes by their beginning. */
function formatOf(bytes: Uint8Array): string {
  return FORMATS.find(([, is]) => is(bytes))?.[0] ?? "image";
}

async function whyBad(
  make: typeof SharpModule,
  bytes: Uint8Array,
  maxPixels: number,
  error: unknown,
): Promise<unknown> {
  if (error instanceof BadImage) return error;
  const format = formatOf(bytes);
  if (/pixel limit/i.test(messageOf(error))) {
    const { width = 0, height = 0 } = await make(bytes, { limitInputPixels: false })
      .metadata()
      .catch(() => ({}) as Metadata);
    return new BadImage(
      `has ${count(height)} x ${count(width)} pixels, more than maxPixels (${count(maxPixels)}); raise data.maxPixels if it is no decompression bomb`,
      { cause: error },
    );
  }
  const [first = ""] = messageOf(error)
    .split("\n")
    // Where several are decoded at once, the library at times loses what it had to say.
    .filter((line) => !/corrupt header:\s*$|^Unknown error$/.test(line));
  const why = shortened(first.replace(/^.*corrupt header:\s*/, ""), 120);
  return new BadImage(`is a damaged ${format}, or one that was cut off${why === "" ? "" : ` (${why})`}`, {
    cause: error,
  });
}
