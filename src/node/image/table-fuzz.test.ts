/** Parquet files of images, whatever bytes lie in them: read as they were written, refused with a sentence, or of bad images. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { isFull } from "../../../test/fixtures/full.js";
import { picture } from "../../../test/fixtures/image-files.js";
import { literal } from "../../data/sql.js";
import { DataError } from "../../errors.js";
import { openDuckdb } from "../sources/duckdb.js";
import { pixelsOf } from "./decode-all.js";
import { BadImage } from "./pixels.js";
import { openTables } from "./table-images.js";

const folder = mkdtempSync(join(tmpdir(), "codistill-parquet-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const numRuns = isFull ? 3000 : 60;

const shape = { height: 6, width: 6, channels: 3 } as const;
const options = { shape, fit: "crop", maxPixels: 1e6 } as const;
/** PNG, whose checksums tell wrong pixels. */
const pngs = await Promise.all(
  [0, 1, 2, 3, 4, 5].map((i) =>
    picture(6, 6, 3, (x, y, k) => (40 * x + 13 * y + 50 * k + 7 * i) % 256)
      .png()
      .toBuffer(),
  ),
);
const originals = new Set<string>();
for (const png of pngs) {
  const pixels = await pixelsOf({ encoded: () => png, pixels: null }, options);
  assert.ok(!(pixels instanceof BadImage));
  originals.add(Buffer.from(pixels).toString("base64"));
}

/** The bytes of a Parquet file of the images, two classes in turn, with the column of images made by SQL of their base 64. */
async function parquet(image: string, compression: string): Promise<Uint8Array> {
  const file = join(folder, "whole.parquet");
  const db = await openDuckdb(join(folder, "spill"), { writes: [file] });
  const rows = pngs.map((png, i) => `(${literal(png.toString("base64"))}, '${i % 2 === 0 ? "even" : "odd"}')`);
  try {
    await db.run(
      `copy (select ${image} as image, label from (values ${rows.join(", ")}) t(text, label)) to ${literal(file)} (format parquet, compression ${literal(compression)})`,
    );
  } finally {
    await db.close();
  }
  return readFileSync(file);
}

const wholes = [
  await parquet("from_base64(text)", "snappy"),
  await parquet("{'bytes': from_base64(text), 'path': 'a.png'}", "uncompressed"),
  await parquet("from_base64(text)", "zstd"),
];

/** What a damaged file came to. */
async function outcome(bytes: Uint8Array): Promise<"refused" | "bad" | "read"> {
  const file = join(folder, "damaged.parquet");
  writeFileSync(file, bytes);
  let isBad = false;
  try {
    const source = await openTables([file], {});
    let numImages = 0;
    for await (const image of source.images()) {
      numImages++;
      assert.ok(image.label >= 0 && image.label < source.classes.length, `label ${image.label}`);
      const pixels = await pixelsOf(image, options);
      if (pixels instanceof BadImage) isBad = true;
      else assert.ok(originals.has(Buffer.from(pixels).toString("base64")), "pixels that no image has");
    }
    assert.equal(numImages, source.numImages);
    return isBad ? "bad" : "read";
  } catch (error) {
    assert.ok(error instanceof DataError, String(error));
    return "refused";
  }
}

test("a Parquet file with wrong bytes is refused with a sentence, or has bad images, and none has other pixels", async () => {
  const counts = { refused: 0, bad: 0, read: 0 };
  // Half of the changes are in the last bytes, where Parquet says what lies where.
  const place = fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0.8, max: 1, noNaN: true }));
  const changes = fc.array(fc.tuple(place, fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 4 });
  const cut = fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, fc.double({ min: 0, max: 1, noNaN: true }));
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...wholes), changes, cut, async (whole, flips, share) => {
      const bytes = Uint8Array.from(whole);
      for (const [at, by] of flips) bytes[Math.min(bytes.length - 1, Math.floor(at * bytes.length))]! ^= by;
      counts[await outcome(bytes.subarray(0, Math.floor(share * bytes.length)))]++;
    }),
    { numRuns },
  );
  for (const whole of wholes) assert.equal(await outcome(whole), "read");
  assert.ok(counts.refused > numRuns / 10 && counts.refused < numRuns, JSON.stringify(counts));
});
