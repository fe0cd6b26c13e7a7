/** Files of MNIST and CIFAR: what they hold, and whatever bytes lie there instead. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { isFull } from "../../../test/fixtures/full.js";
import { cifarRecord, idxBytes } from "../../../test/fixtures/image-files.js";
import { DataError } from "../../errors.js";
import { openCifar, parseCifar } from "./cifar.js";
import type { FoundImage, ImageSource } from "./found.js";
import { openIdx, parseIdx } from "./idx.js";
import { knownSets, openSource } from "./open-source.js";

const folder = mkdtempSync(join(tmpdir(), "codistill-sets-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const numRuns = isFull ? 20_000 : 500;

function write(name: string, bytes: Uint8Array): string {
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
}

async function imagesOf(source: ImageSource): Promise<FoundImage[]> {
  const all: FoundImage[] = [];
  for await (const image of source.images()) all.push(image);
  return all;
}

test("IDX: pixels, labels and names, packed or not", async () => {
  const pixels = Array.from({ length: 2 * 3 * 2 }, (_, i) => 20 * i);
  const images = write("train-images-idx3-ubyte.gz", gzipSync(idxBytes([2, 3, 2], pixels)));
  write("train-labels-idx1-ubyte", idxBytes([2], [4, 1]));
  const source = openIdx(images);
  assert.deepEqual(
    [source.numImages, source.classes, source.size],
    [2, ["0", "1", "2", "3", "4"], { height: 3, width: 2, channels: 1 }],
  );
  const found = await imagesOf(source);
  assert.deepEqual(
    found.map(({ label, pixels }) => [label, ...(pixels?.data ?? [])]),
    [
      [4, ...pixels.slice(0, 6)],
      [1, ...pixels.slice(6)],
    ],
  );
  assert.equal(found[1]?.name, `${images}, image 1`);
  assert.deepEqual(openIdx(images, ["a", "b", "c", "d", "e", "f"]).classes.length, 6);
  // Packed or not, the content is the same, and so is the identity.
  write("copy-images.idx3-ubyte", idxBytes([2, 3, 2], pixels));
  write("copy-labels.idx1-ubyte", idxBytes([2], [4, 1]));
  const copy = openIdx(join(folder, "copy-images.idx3-ubyte"));
  assert.deepEqual(await copy.identity(), await source.identity());
});

test("CIFAR: planes become pixels; the variant is told by names, length and labels", async () => {
  const valueAt = (k: number, place: number) => (80 * k + place) % 256;
  const ten = write("data_batch_1.bin", Buffer.concat([cifarRecord(3, valueAt), cifarRecord(9, valueAt)]));
  const [first, second] = await imagesOf(openCifar([ten]));
  assert.deepEqual([first?.label, second?.label], [3, 9]);
  assert.deepEqual([...(first?.pixels?.data.subarray(0, 6) ?? [])], [0, 80, 160, 1, 81, 161]);
  const names = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];
  write("batches.meta.txt", Buffer.from(`${names.join("\n")}\n\n`));
  assert.deepEqual(openCifar([ten]).classes, names);
  const coarse = cifarRecord(19, valueAt);
  const hundred = Buffer.concat([coarse.subarray(0, 1), Uint8Array.of(99), coarse.subarray(1)]);
  const parsed = parseCifar(hundred, "x");
  assert.deepEqual([parsed.variant.name, [...parsed.labels]], ["CIFAR-100", [99]]);
  assert.deepEqual([...parsed.pixels(0).subarray(0, 3)], [0, 80, 160]);
});

test("the training and test files of a folder are known by their names", async () => {
  write("t10k-images-idx3-ubyte", idxBytes([1, 3, 2], [1, 2, 3, 4, 5, 6]));
  const sets = knownSets(folder);
  assert.deepEqual(
    sets?.train.map((path) => path.slice(folder.length + 1)),
    ["train-images-idx3-ubyte.gz"],
  );
  assert.deepEqual(
    sets?.test.map((path) => path.slice(folder.length + 1)),
    ["t10k-images-idx3-ubyte"],
  );
  assert.equal((await openSource([folder])).numImages, 2);
});

/** Bytes of a valid file with some of them changed, or it is cut or continued. */
function damaged(whole: Uint8Array): fc.Arbitrary<Uint8Array> {
  const change = fc.tuple(fc.nat(Math.min(40, whole.length - 1)), fc.nat(255));
  return fc
    .tuple(fc.array(change, { maxLength: 4 }), fc.integer({ min: -whole.length, max: 9 }))
    .map(([changes, longer]) => {
      const bytes = new Uint8Array(Math.max(0, longer > 0 ? whole.length + longer : whole.length));
      bytes.set(whole);
      for (const [at, value] of changes) bytes[at] = value;
      return longer < 0 ? bytes.subarray(0, whole.length + longer) : bytes;
    });
}

test("whatever the bytes of an IDX file are, it is read as its head says, or refused", () => {
  const whole = idxBytes(
    [3, 2, 2],
    Array.from({ length: 12 }, (_, i) => i),
  );
  let numRead = 0;
  fc.assert(
    fc.property(fc.oneof(damaged(whole), fc.uint8Array({ maxLength: 64 })), (bytes) => {
      let parsed: ReturnType<typeof parseIdx>;
      try {
        parsed = parseIdx(bytes, "file");
      } catch (error) {
        assert.ok(error instanceof DataError, String(error));
        return;
      }
      numRead++;
      const { shape, data } = parsed;
      assert.deepEqual([bytes[0], bytes[1], bytes[2], bytes[3]], [0, 0, 8, shape.length]);
      assert.equal(
        data.length,
        shape.reduce((product, axis) => product * axis, 1),
      );
      assert.equal(4 + 4 * shape.length + data.length, bytes.length);
    }),
    { numRuns },
  );
  assert.ok(numRead > 0 && numRead < numRuns, `${numRead} of ${numRuns} were read`);
});

test("whatever the bytes of a CIFAR file are, every label is of the variant, or it is refused", () => {
  const whole = Buffer.concat([cifarRecord(1, () => 7), cifarRecord(2, () => 9)]);
  let numRead = 0;
  const length = fc.constantFrom(0, 1, 3072, 3073, 3074, 6146, 6148, 9999);
  const drawn = fc
    .tuple(length, fc.uint8Array({ minLength: 1, maxLength: 8 }))
    .map(([size, some]) => Uint8Array.from({ length: size }, (_, i) => some[i % some.length] ?? 0));
  fc.assert(
    fc.property(fc.oneof(damaged(whole), drawn), (bytes) => {
      try {
        const { variant, labels, pixels } = parseCifar(bytes, "file");
        numRead++;
        assert.equal(bytes.length, labels.length * (variant.labelBytes + 3072));
        assert.ok(labels.every((label) => label < variant.numClasses));
        assert.equal(pixels(labels.length - 1).length, 3072);
      } catch (error) {
        if (!(error instanceof DataError)) throw error;
      }
    }),
    { numRuns },
  );
  assert.ok(numRead > 0 && numRead < numRuns, `${numRead} of ${numRuns} were read`);
});
