/** A sheet of small images with a caption each, as PNG: what a model is most wrong about. */
import type { ImageShape } from "../../data/images/images.js";
import { DataError, messageOf } from "../../errors.js";
import { IMAGE_ENDING } from "../sources/source-files.js";
import { loadSharp } from "./decode.js";
import { drawText, fitted, isDrawable, LINE_HEIGHT, type Picture, textWidth } from "./pixel-text.js";

/** An image of a sheet: its pixels of the sheet's shape, and what is written below it. */
export interface SheetImage {
  readonly pixels: Uint8Array;
  readonly label: string;
  readonly decided: string;
  /** Of the class that was decided for. */
  readonly probability: number;
  /** The image's file, or its place in a set. */
  readonly name: string;
}

export interface ContactSheetOptions {
  readonly shape: ImageShape;
  readonly classes: readonly string[];
}

const COLUMNS = 6;
/** Sides of an image on the sheet, and the space around it, in pixels. */
const [SIDE, GAP] = [192, 16];
/** Height of a caption. */
const CAPTION = 3 * LINE_HEIGHT + 4;
const [INK, FAINT, RIGHT, WRONG, PAPER] = [
  [40, 40, 40],
  [110, 110, 110],
  [20, 120, 40],
  [180, 30, 30],
  [250, 250, 250],
] as const;

/**
 * Write images as a sheet, six in a row, each with its number and class; below it the class that was decided for with its
 * probability, green where that is right and red where it is wrong; and the end of its name. A class whose name has no letters
 * here, as of Greek or Chinese, is written by its number among the classes.
 *
 * Throws {@link DataError} when the file cannot be written, or sharp is not installed.
 */
export async function writeContactSheet(
  path: string,
  images: readonly SheetImage[],
  { shape, classes }: ContactSheetOptions,
): Promise<void> {
  const sharp = await loadSharp();
  const [stepX, stepY] = [SIDE + GAP, SIDE + GAP + CAPTION];
  const columns = Math.max(1, Math.min(COLUMNS, images.length));
  const width = columns * stepX + GAP;
  const height = Math.max(1, Math.ceil(images.length / columns)) * stepY + GAP;
  const [red, green, blue] = PAPER;
  const sheet: Picture = { width, height, data: new Uint8Array(width * height * 3).fill(red) };
  const captionOf = (name: string) => (isDrawable(name) ? name : `class ${classes.indexOf(name)}`);
  for (const [i, { pixels, label, decided, probability, name }] of images.entries()) {
    const [x, y] = [GAP + (i % columns) * stepX, GAP + Math.floor(i / columns) * stepY];
    const raw = { width: shape.width, height: shape.height, channels: shape.channels };
    const isSmall = Math.max(shape.width, shape.height) <= SIDE;
    const tile = await sharp(pixels, { raw })
      .resize(SIDE, SIDE, {
        fit: "contain",
        background: { r: red, g: green, b: blue },
        // Pixels stay squares, so that one sees what the network sees.
        kernel: isSmall ? "nearest" : "lanczos3",
      })
      .toColourspace("srgb")
      .raw({ depth: "uchar" })
      .toBuffer();
    for (let row = 0; row < SIDE; row++) {
      sheet.data.set(tile.subarray(row * SIDE * 3, (row + 1) * SIDE * 3), ((y + row) * width + x) * 3);
    }
    const number = `${i + 1} `;
    const shown = ` ${Math.round(100 * probability)}%`;
    const room = SIDE - textWidth(`> ${shown}`);
    const file = (name.split(/[\\/]/).at(-1) ?? "").replace(IMAGE_ENDING, "");
    const lines = [
      [`${number}${fitted(captionOf(label), SIDE - textWidth(number))}`, INK],
      [`> ${fitted(captionOf(decided), room)}${shown}`, label === decided ? RIGHT : WRONG],
      [fitted(file, SIDE, "end"), FAINT],
    ] as const;
    for (const [line, [text, colour]] of lines.entries())
      drawText(sheet, text, x, y + SIDE + 4 + line * LINE_HEIGHT, colour);
  }
  try {
    await sharp(sheet.data, { raw: { width, height, channels: 3 } })
      .png()
      .toFile(path);
  } catch (error) {
    throw new DataError(`evaluate: the sheet ${path} cannot be written: ${messageOf(error)}`, { cause: error });
  }
}
