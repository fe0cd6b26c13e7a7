/** A sheet of small images with a caption each, as PNG: what a model is most wrong about. */
import type { ImageShape } from "../../data/images/images.js";
import { DataError, messageOf } from "../../errors.js";
import { loadSharp } from "./decode.js";
import { drawText, LINE_HEIGHT, type Picture, textWidth } from "./pixel-text.js";

/** An image of a sheet: its pixels of the sheet's shape, and what is written below it. */
export interface SheetImage {
  readonly pixels: Uint8Array;
  readonly label: string;
  readonly decided: string;
  /** Of the class that was decided for. */
  readonly probability: number;
}

const COLUMNS = 6;
/** Sides of an image on the sheet, and the space around it, in pixels. */
const [SIDE, GAP] = [128, 12];
const [INK, RIGHT, WRONG, PAPER] = [[40, 40, 40], [20, 120, 40], [180, 30, 30], 250] as const;

/**
 * Write images as a sheet, six in a row, each with its class and, below it, the one that was decided for with its
 * probability: green where that is right, red where it is wrong.
 *
 * Throws {@link DataError} when the file cannot be written, or sharp is not installed.
 */
export async function writeContactSheet(path: string, images: readonly SheetImage[], shape: ImageShape): Promise<void> {
  const sharp = await loadSharp();
  const [stepX, stepY] = [SIDE + GAP, SIDE + GAP + 2 * LINE_HEIGHT];
  const columns = Math.max(1, Math.min(COLUMNS, images.length));
  const width = columns * stepX + GAP;
  const height = Math.max(1, Math.ceil(images.length / columns)) * stepY + GAP;
  const sheet: Picture = { width, height, data: new Uint8Array(width * height * 3).fill(PAPER) };
  for (const [i, { pixels, label, decided, probability }] of images.entries()) {
    const [x, y] = [GAP + (i % columns) * stepX, GAP + Math.floor(i / columns) * stepY];
    const raw = { width: shape.width, height: shape.height, channels: shape.channels };
    const isSmall = Math.max(shape.width, shape.height) <= SIDE;
    const tile = await sharp(pixels, { raw })
      .resize(SIDE, SIDE, {
        fit: "contain",
        background: { r: PAPER, g: PAPER, b: PAPER },
        // Pixels stay squares, so that one sees what the network sees.
        kernel: isSmall ? "nearest" : "lanczos3",
      })
      .toColourspace("srgb")
      .raw({ depth: "uchar" })
      .toBuffer();
    for (let row = 0; row < SIDE; row++) {
      sheet.data.set(tile.subarray(row * SIDE * 3, (row + 1) * SIDE * 3), ((y + row) * width + x) * 3);
    }
    const shown = `${Math.round(100 * probability)}%`;
    const room = SIDE - textWidth(`> ${shown} `);
    drawText(sheet, fitted(label, SIDE), x, y + SIDE + 4, INK);
    const line = `> ${fitted(decided, room)} ${shown}`;
    drawText(sheet, line, x, y + SIDE + 4 + LINE_HEIGHT, label === decided ? RIGHT : WRONG);
  }
  try {
    await sharp(sheet.data, { raw: { width, height, channels: 3 } })
      .png()
      .toFile(path);
  } catch (error) {
    throw new DataError(`evaluate: the sheet ${path} cannot be written: ${messageOf(error)}`, { cause: error });
  }
}

/** The beginning of a text that fits into so many pixels. */
function fitted(text: string, pixels: number): string {
  let shown = text;
  while (shown !== "" && textWidth(shown) > pixels) shown = shown.slice(0, -1);
  return shown;
}
