/** What becomes of images that are not plain 8-bit RGB, and of pixels of another shape. */
import assert from "node:assert/strict";
import { test } from "node:test";
import sharp from "sharp";
import { picture } from "../../../test/fixtures/image-files.js";
import { decodeImage, fitPixels } from "./decode.js";
import type { Fit, PixelOptions } from "./pixels.js";

const optionsOf = (height: number, width: number, channels: 1 | 3, fit: Fit = "crop"): PixelOptions => ({
  shape: { height, width, channels },
  fit,
  maxPixels: 1e6,
});
const red = () => picture(8, 8, 3, (_x, _y, k) => [200, 30, 30][k] ?? 0);
const close = (found: ArrayLike<number>, wanted: readonly number[], within: number, what: string) =>
  wanted.forEach((value, i) => {
    assert.ok(
      Math.abs((found[i] as number) - value) <= within,
      `${what}: ${Array.from(found).slice(0, 6)}, not ${wanted}`,
    );
  });

test("JPEG, PNG, WebP and GIF have the same pixels, to what their compression loses", async () => {
  for (const [format, bytes] of Object.entries({
    jpeg: await red().jpeg({ quality: 100 }).toBuffer(),
    png: await red().png().toBuffer(),
    palette: await red().png({ palette: true }).toBuffer(),
    webp: await red().webp({ lossless: true }).toBuffer(),
    gif: await red().gif().toBuffer(),
  })) {
    const pixels = await decodeImage(bytes, optionsOf(4, 6, 3));
    assert.equal(pixels.length, 72, format);
    close(pixels, [200, 30, 30, 200, 30, 30], 2, format);
  }
});

test("grey, 16 bits, CMYK, transparency, several frames and a single pixel become plain pixels", async () => {
  const grey = await picture(8, 8, 1, () => 77)
    .toColourspace("b-w")
    .png()
    .toBuffer();
  close(await decodeImage(grey, optionsOf(4, 4, 3)), [77, 77, 77], 0, "grey as colour");
  close(await decodeImage(grey, optionsOf(4, 4, 1)), [77], 0, "grey");
  const deep = (channels: 1 | 3) =>
    sharp(new Uint16Array(64 * channels).fill(40_000), { raw: { width: 8, height: 8, channels } })
      .toColourspace(channels === 1 ? "grey16" : "rgb16")
      .png()
      .toBuffer();
  const [grey16, rgb16] = [await deep(1), await deep(3)];
  assert.deepEqual(
    [(await sharp(grey16).metadata()).depth, (await sharp(rgb16).metadata()).depth],
    ["ushort", "ushort"],
  );
  close(await decodeImage(rgb16, optionsOf(4, 4, 3)), [156, 156, 156], 1, "16 bits");
  close(await decodeImage(grey16, optionsOf(4, 4, 1)), [156], 1, "16 bits of grey");
  const cmyk = await red().toColourspace("cmyk").jpeg({ quality: 100 }).toBuffer();
  assert.equal((await sharp(cmyk).metadata()).space, "cmyk");
  close(await decodeImage(cmyk, optionsOf(4, 4, 3)), [200, 30, 30], 30, "CMYK");
  const clear = await picture(8, 8, 4, (_x, _y, k) => (k === 3 ? 0 : 10))
    .png()
    .toBuffer();
  close(await decodeImage(clear, optionsOf(4, 4, 3)), [255, 255, 255], 0, "transparent over white");
  const half = await picture(8, 8, 2, () => 128)
    .png()
    .toBuffer();
  close(await decodeImage(half, optionsOf(4, 4, 1)), [191], 1, "half transparent grey");
  const frames = Buffer.concat([Buffer.alloc(192, 10), Buffer.alloc(192, 250)]);
  for (const format of ["gif", "webp"] as const) {
    const moving = await sharp(frames, { raw: { width: 8, height: 16, channels: 3, pageHeight: 8 } })
      .toFormat(format, { lossless: true })
      .toBuffer();
    assert.equal((await sharp(moving).metadata()).pages, 2, format);
    close(await decodeImage(moving, optionsOf(4, 4, 3)), [10, 10, 10], 1, `the first frame of a ${format}`);
  }
  const one = await picture(1, 1, 3, () => 9)
    .png()
    .toBuffer();
  close(await decodeImage(one, optionsOf(4, 4, 3)), new Array(48).fill(9), 0, "one pixel");
});

test("all eight orientations of EXIF come out upright", async () => {
  // Dark, but for the upper left quarter.
  const upright = await picture(8, 8, 1, (x, y) => (x < 4 && y < 4 ? 250 : 5))
    .toColourspace("b-w")
    .png()
    .toBuffer();
  for (let orientation = 1; orientation <= 8; orientation++) {
    // What a camera stores that was held in this way: the inverse turns and flips of the upright image.
    const flipped = [2, 4, 5, 7].includes(orientation);
    const turned = { 1: 0, 2: 0, 3: 180, 4: 180, 5: 270, 6: 270, 7: 90, 8: 90 }[orientation] ?? 0;
    const mirrored = flipped ? await sharp(upright).flop().png().toBuffer() : upright;
    const stored = await sharp(mirrored).rotate(turned).jpeg({ quality: 100 }).withMetadata({ orientation }).toBuffer();
    const pixels = await decodeImage(stored, optionsOf(8, 8, 1));
    const corners = [pixels[9], pixels[14], pixels[49], pixels[54]].map((value) => (value ?? 0) > 128);
    assert.deepEqual(corners, [true, false, false, false], `orientation ${orientation}`);
  }
});

test("an image of another shape is cut, padded with black, or stretched", async () => {
  // Three times as wide as high: dark, bright, dark.
  const wide = await picture(12, 4, 1, (x) => (x >= 4 && x < 8 ? 200 : 40))
    .toColourspace("b-w")
    .png()
    .toBuffer();
  close(await decodeImage(wide, optionsOf(4, 4, 1, "crop")), new Array(16).fill(200), 0, "crop");
  const padded = await decodeImage(wide, optionsOf(12, 12, 1, "pad"));
  assert.deepEqual([padded[0], padded[4 * 12 + 6], padded[143]], [0, 200, 0]);
  const stretched = await decodeImage(wide, optionsOf(4, 12, 1, "stretch"));
  assert.deepEqual([stretched[1], stretched[6], stretched[11]], [40, 200, 40]);
});

test("pixels of the right shape stay as they are; others get channels, or another size", async () => {
  const data = Uint8Array.of(10, 20, 30, 40, 50, 60);
  const own = { height: 1, width: 2, channels: 3 as const, data };
  assert.equal(await fitPixels(own, optionsOf(1, 2, 3)), data);
  assert.deepEqual([...(await fitPixels(own, optionsOf(1, 2, 1)))], [18, 48]);
  const grey = { height: 1, width: 2, channels: 1 as const, data: Uint8Array.of(7, 9) };
  assert.deepEqual([...(await fitPixels(grey, optionsOf(1, 2, 3)))], [7, 7, 7, 9, 9, 9]);
  const larger = await fitPixels({ ...grey, data: Uint8Array.of(50, 50) }, optionsOf(4, 4, 3, "stretch"));
  assert.deepEqual([...larger], new Array(48).fill(50));
});
