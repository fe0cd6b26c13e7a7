/** What may be wrong with images and with what is asked for, each with the sentence that it gets. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";
import { cifarRecord, idxBytes, picture, writeShapes } from "../../../test/fixtures/image-files.js";
import { CodistillError } from "../../errors.js";
import { resolveConfig } from "../../run/config.js";
import { configOfKind } from "../../run/kinds/kinds.js";
import { decodeImage } from "./decode.js";
import { imageSpecOf } from "./image-reader.js";
import { BadImage } from "./pixels.js";
import { prepareImages } from "./prepare-images.js";

const root = mkdtempSync(join(tmpdir(), "codistill-bad-"));
after(() => rmSync(root, { recursive: true, force: true }));

const photo = picture(64, 64, 3, (x, y, k) => (x * 7 + y * 13 + 50 * k) % 256);
const [jpeg, png, gif, webp] = await Promise.all([
  photo.clone().jpeg().toBuffer(),
  photo.clone().png().toBuffer(),
  photo.clone().gif().toBuffer(),
  photo.clone().webp().toBuffer(),
]);
const text = (content: string) => Buffer.from(content, "latin1");
const cut = (bytes: Uint8Array, share: number) => bytes.subarray(0, Math.floor(share * bytes.length));
const flipped = (bytes: Uint8Array, at: number) => bytes.map((value, i) => (i === at ? value ^ 0xff : value));

/** Bytes of an image's file, and why they cannot be used. */
const IMAGES: Readonly<Record<string, readonly [Uint8Array, RegExp]>> = {
  "an empty file": [text(""), /^is empty$/],
  text: [
    text("hello"),
    /^is no image by its first bytes; images are JPEG, PNG, WebP or GIF, whatever their names end in$/,
  ],
  HTML: [text("<!DOCTYPE html><p>404"), /^is text of SVG, HTML or XML;/],
  SVG: [text('<svg xmlns="http://www.w3.org/2000/svg"/>'), /^is text of SVG, HTML or XML;/],
  XML: [text('\n <?xml version="1.0"?>'), /^is text of SVG, HTML or XML;/],
  ICO: [text("\0\0\x01\0\x03\0"), /^is an ICO;/],
  BMP: [text("BM\x10\0\0\0"), /^is a BMP;/],
  TIFF: [await photo.clone().tiff().toBuffer(), /^is a TIFF;/],
  AVIF: [text("\0\0\0\x20ftypavif"), /^is an AVIF or HEIC;/],
  "JPEG XL": [text("\xff\x0a\xfa\x1f"), /^is a JPEG XL;/],
  "JPEG 2000": [text("\0\0\0\x0cjP  \r\n\x87\n"), /^is a JPEG 2000;/],
  PDF: [text("%PDF-1.7"), /^is a PDF;/],
  ZIP: [text("PK\x03\x04"), /^is a ZIP;/],
  "a pointer of Git LFS": [text("version https://git-lfs.github.com/spec/v1\n"), /^is a pointer of Git LFS;/],
  "the first bytes of a JPEG alone": [text("\xff\xd8\xff\xe0"), /^is a damaged JPEG, or one that was cut off/],
  "a JPEG cut in its head": [cut(jpeg, 0.05), /^is a damaged JPEG, or one that was cut off/],
  "a JPEG cut in its pixels": [cut(jpeg, 0.7), /^is a damaged JPEG, or one that was cut off/],
  "a PNG cut in its head": [png.subarray(0, 20), /^is a damaged PNG, or one that was cut off/],
  "a PNG cut in its pixels": [cut(png, 0.6), /^is a damaged PNG, or one that was cut off/],
  "a PNG with a wrong size in its head": [flipped(png, 18), /^is a damaged PNG|^has /],
  "a PNG with wrong pixels": [flipped(png, Math.floor(png.length / 2)), /^is a damaged PNG, or one that was cut off/],
  "a GIF cut in its head": [gif.subarray(0, 12), /^is a damaged GIF, or one that was cut off/],
  "a GIF cut in its pixels": [cut(gif, 0.7), /^is a damaged GIF, or one that was cut off/],
  "a WebP cut in its head": [webp.subarray(0, 20), /^is a damaged WebP, or one that was cut off/],
  "a WebP cut in its pixels": [cut(webp, 0.6), /^is a damaged WebP, or one that was cut off/],
  "a decompression bomb": [
    await picture(400, 300, 1, () => 0)
      .png()
      .toBuffer(),
    /^has 300 x 400 pixels, more than maxPixels \(100,000\); raise data\.maxPixels if it is no decompression bomb$/,
  ],
};

let numFolders = 0;
/** A folder with files, and folders where a name ends in "/". */
function folderOf(files: Readonly<Record<string, Uint8Array | null>>): string {
  const folder = join(root, `f${numFolders++}`);
  mkdirSync(folder);
  for (const [name, bytes] of Object.entries(files)) {
    mkdirSync(join(folder, name, bytes === null ? "." : ".."), { recursive: true });
    if (bytes) writeFileSync(join(folder, name), bytes);
  }
  return folder;
}

const IMAGES_NAME = "train-images-idx3-ubyte";
const LABELS_NAME = "train-labels-idx1-ubyte";
const six = [0, 1, 2, 3, 4, 5];
const good = idxBytes([2, 1, 3], six);
/** An IDX pair with these files. */
const pair = (images: Uint8Array, labels: Uint8Array | null = idxBytes([2], [0, 1]), more: object = {}) => ({
  source: join(folderOf({ [IMAGES_NAME]: images, ...(labels && { [LABELS_NAME]: labels }) }), IMAGES_NAME),
  ...more,
});
const bins = (...files: Uint8Array[]) => {
  const folder = folderOf(Object.fromEntries(files.map((bytes, i) => [`data_batch_${i + 1}.bin`, bytes])));
  return { source: files.map((_, i) => join(folder, `data_batch_${i + 1}.bin`)) };
};
const record = cifarRecord(3, () => 1);
const hundred = Buffer.concat([Uint8Array.of(0), cifarRecord(55, () => 1)]);

const shapes = join(root, "shapes");
await writeShapes(shapes, 4);
const linked = folderOf({ "a/1.png": png });
symlinkSync(shapes, join(linked, "b"));
const many = folderOf({
  "a/": null,
  "b/1.png": png,
  ...Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`a/${i}.png`, text("")])),
});

/** Options of data, and the sentence that refuses them. */
const DATA: Readonly<Record<string, readonly [object, RegExp]>> = {
  "no such path": [
    { source: join(root, "none") },
    /there is nothing at \S+none\. Name a folder with a folder for each class/,
  ],
  "an empty folder": [
    { source: folderOf({}) },
    /should have a folder for each class, .* and has none\. Put the images of each class/,
  ],
  "images outside of classes": [
    { source: folderOf({ "a.png": png, "b.png": png }) },
    /has 2 files outside of such folders \(a\.png, b\.png\)/,
  ],
  "one class": [
    { source: folderOf({ "a/1.png": png }) },
    /classes are told apart, and \S+ has 1 class, a\. Add a folder/,
  ],
  "a class without images": [
    { source: folderOf({ "a/1.png": png, "b/": null }), classes: ["a", "b"] },
    /the class b has no image in \S+\. Leave it out/,
  ],
  "an unknown class": [
    { source: shapes, classes: ["circle", "sqare"] },
    /there is none named "sqare"; there are circle, square, stripes\. Did you mean square\?/,
  ],
  "a link to a folder": [{ source: linked }, /is a link to a folder, which is not followed/],
  "a folder and a file": [
    { source: [shapes, join(shapes, "circle", "000.png")] },
    /a source is folders or files, and \S+shapes is a folder, \S+000\.png is not/,
  ],
  "a file of another kind": [
    { source: join(shapes, "circle", "000.png") },
    /is no folder, and no file of MNIST .* or CIFAR/,
  ],
  "too few images for a split": [
    { source: folderOf({ "a/1.png": png, "b/2.png": jpeg }) },
    /each split needs an image, and (training|validation|test) has none of 2 images/,
  ],
  "bad images beyond what is allowed": [
    { source: many, maxBadImages: 3 },
    /images of 61 cannot be used, and data\.maxBadImages allows 3: \S+ is empty; .*and \d+ more\. Repair or remove them/,
  ],
  "test images of an unknown class": [
    { source: shapes, test: { source: folderOf({ "circle/1.png": png, "star/2.png": png }) } },
    /has the class star, which training has no images of/,
  ],
  "IDX: too short": [pair(text("\0\0\x08")), /has 3 bytes, too few for an IDX file's magic number and one axis/],
  "IDX: another file": [pair(png), /is no IDX file: it begins with the bytes 137, 80, 78, 71, not with 0, 0/],
  "IDX: numbers of another type": [
    pair(idxBytes([2, 1, 3], six, 13)),
    /must have unsigned bytes \(type 8\), and its type is 13, float32/,
  ],
  "IDX: an unknown type": [pair(idxBytes([2, 1, 3], six, 7)), /its type is 7, which IDX does not have/],
  "IDX: no axes": [pair(idxBytes([], [1, 2, 3, 4])), /must have 1 to 4 axes, and has 0/],
  "IDX: cut in its head": [pair(good.subarray(0, 10)), /ends within its head of 16 bytes, after 10/],
  "IDX: fewer pixels than it says": [pair(good.subarray(0, 20)), /says that it has 2 x 1 x 3 values, and 4 follow/],
  "IDX: more pixels than it says": [
    pair(Buffer.concat([good, good])),
    /says that it has 2 x 1 x 3 values, and 28 follow/,
  ],
  "IDX: axes beyond all bounds": [
    pair(idxBytes([2 ** 32 - 1, 2 ** 32 - 1, 2 ** 32 - 1], six)),
    /says that it has 4,294,967,295 x .* values, and 6 follow/,
  ],
  "IDX: no labels": [
    pair(good, null),
    /the labels of \S+ should lie beside it, as train-labels-idx1-ubyte, or the same with \.gz, and do not/,
  ],
  "IDX: labels of another set": [
    pair(good, idxBytes([3], [0, 1, 2])),
    /each image has one label, and \S+ has 2 images, \S+ 3 labels/,
  ],
  "IDX: labels of two axes": [
    pair(good, idxBytes([2, 1], [0, 1])),
    /must have one axis, a label for each image, and has 2 x 1/,
  ],
  "IDX: images of two axes": [
    pair(idxBytes([2, 3], six)),
    /must have the axes images, rows, columns, and 3 channels or none, and has 2 x 3/,
  ],
  "IDX: no images": [
    pair(idxBytes([0, 1, 3], []), idxBytes([0], [])),
    /must have images of 1 to [\d,]+ values, and has 0 of 1 x 3 x 1/,
  ],
  "IDX: damaged gzip": [pair(cut(gzipSync(Buffer.alloc(5000, good)), 0.5)), /cannot be unpacked: .*Get the file anew/],
  "IDX: too few names": [
    pair(good, idxBytes([2], [0, 9]), { classes: ["a", "b"] }),
    /data\.classes names 2 classes, and \S+ has the label 9; name 10/,
  ],
  "IDX: a class without training images": [
    pair(idxBytes([6, 1, 3], new Array(18).fill(5)), idxBytes([6], [0, 0, 0, 0, 2, 2])),
    /each split needs|each class is learned from a training image, and 1 has none/,
  ],
  "CIFAR: no whole number of records": [
    bins(record.subarray(1)),
    /must have records of 3,073 bytes \(CIFAR-10\) or 3,074 \(CIFAR-100\), and its 3,072 bytes are no whole number of them/,
  ],
  "CIFAR: nothing": [bins(text("")), /its 0 bytes are no whole number of them/],
  "CIFAR: a label that there is not": [
    bins(Buffer.concat([record, cifarRecord(10, () => 1)])),
    /image 1 has the label 10, and CIFAR-10 has labels from 0 to 9/,
  ],
  "CIFAR: two sets in one": [
    bins(record, hundred),
    /all files of a source are of one set, and \S+ is CIFAR-10, \S+ CIFAR-100/,
  ],
  "CIFAR: too few names": [
    { ...bins(record), classes: ["a", "b"] },
    /CIFAR-10 has 10 classes, and data\.classes names 2; name all/,
  ],
  "shares that leave nothing to train": [
    { source: shapes, validation: 0.5, test: 0.5 },
    /the shares of validation and test must be below 1 together, got 1/,
  ],
  "a class named twice": [
    { source: shapes, classes: ["a", "a"] },
    /data\.classes: must name each class once, and names "a" twice/,
  ],
  "two ways to crop": [
    { source: shapes, augment: { padCrop: 2, resizedCrop: true } },
    /padCrop and resizedCrop are two ways to crop; leave one out, got padCrop 2/,
  ],
  "a range the wrong way round": [
    { source: shapes, augment: { resizedCrop: { area: [1, 0.5] } } },
    /data\.augment\.resizedCrop\.area: must have the least before the most, got \[1, 0\.5\]/,
  ],
  "no size": [{ source: shapes, size: 0 }, /data\.size: must be > 0, got 0/],
  "images that are too small for the network": [
    { source: shapes, size: [4, 1] },
    /model\.widths: each width halves the images, and for 1 of them the shorter side needs at least 2 pixels; data\.size is 4 x 1\. Give fewer widths, or raise data\.size/,
  ],
  "an unknown fit": [
    { source: shapes, fit: "crp" },
    /data\.fit: must be one of "crop"\|"pad"\|"stretch", got "crp"; did you mean "crop"\?/,
  ],
  "two channels": [{ source: shapes, channels: 2 }, /data\.channels: must be 1 or 3, got 2/],
  "mixtures of a negative share": [
    { source: shapes, augment: { mixup: -0.1 } },
    /data\.augment\.mixup: must be >= 0, got -0\.1/,
  ],
  "colours beyond all": [{ source: shapes, augment: { jitter: 2 } }, /data\.augment\.jitter: must be <= 1, got 2/],
};

// After all that is awaited above: a test that waits for nothing would end the file before the others are there.
for (const [what, [bytes, why]] of Object.entries(IMAGES)) {
  test(`${what} is no image: ${why.source}`, async () => {
    const options = { shape: { height: 8, width: 8, channels: 3 }, fit: "crop", maxPixels: 100_000 } as const;
    await assert.rejects(decodeImage(bytes, options), (error) => {
      assert.ok(error instanceof BadImage, String(error));
      assert.match(error.message, why);
      return true;
    });
  });
}

for (const [what, [data, message]] of Object.entries(DATA)) {
  test(`${what} is refused: ${message.source}`, async () => {
    const given = {
      name: "bad",
      data: { kind: "images", size: 12, ...data },
      model: { kind: "cnn", widths: [4] },
      optimizer: { kind: "sgd", learningRate: 0.1 },
      numSteps: 4,
      globalBatchSize: 4,
    };
    const prepare = async () => {
      const config = configOfKind(resolveConfig(given), "images", "this");
      await prepareImages(imageSpecOf(config), { cacheFolder: join(root, "cache") });
    };
    await assert.rejects(prepare, (error) => {
      assert.ok(error instanceof CodistillError, String(error));
      assert.match(error.message, message);
      return true;
    });
  });
}
