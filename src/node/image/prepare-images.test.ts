/** Images into caches: what is decoded, how it is split, and that the content alone counts. */
import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { picture, shapeNames, writeIdxShapes, writeShapes } from "../../../test/fixtures/image-files.js";
import { rowsOfSlots, slotsOf } from "../../data/shard.js";
import { ConfigError, DataError } from "../../errors.js";
import { resolveConfig } from "../../run/config.js";
import { configOfKind } from "../../run/kinds/kinds.js";
import { openImages } from "./image-cache.js";
import { imageReader, imageSpecOf } from "./image-reader.js";
import { prepareImages } from "./prepare-images.js";

const root = mkdtempSync(join(tmpdir(), "codistill-images-"));
after(() => rmSync(root, { recursive: true, force: true }));
const cacheFolder = join(root, "cache");
const path = (...names: string[]) => join(root, ...names);

function configOf(data: object, more: object = {}) {
  const given = {
    name: "shapes",
    data: { kind: "images", ...data },
    model: { kind: "cnn", widths: [4] },
    optimizer: { kind: "sgd", learningRate: 0.1 },
    numSteps: 4,
    globalBatchSize: 4,
    ...more,
  };
  return configOfKind(resolveConfig(given), "images", "this");
}
const prepare = (data: object) => prepareImages(imageSpecOf(configOf(data)), { cacheFolder });

test("a folder for each class: decoded, resized, split; read again from the cache wherever the folder lies", async () => {
  const folder = path("shapes");
  await writeShapes(folder, 20);
  writeFileSync(join(folder, "circle", "notes.txt"), "no image");
  mkdirSync(join(folder, "square", "more"));
  await picture(30, 20, 3, () => 100)
    .jpeg()
    .toFile(join(folder, "square", "more", "a.JPG"));
  await picture(9, 9, 1, () => 60)
    .webp()
    .toFile(join(folder, "stripes", "b.webp"));
  await picture(9, 9, 3, () => 50)
    .gif()
    .toFile(join(folder, "stripes", "c.gif"));
  const images = await prepare({ source: folder, size: [10, 12] });
  assert.deepEqual(images.classes, [...shapeNames]);
  assert.deepEqual(images.shape, { height: 10, width: 12, channels: 3 });
  assert.deepEqual(images.numImages, { train: 51, validation: 6, test: 6 });
  assert.equal(
    images.counts.reduce((sum, n) => sum + n, 0),
    51,
  );
  assert.deepEqual(images.notes, [
    "1 file is left out, as it has no ending of a JPEG, PNG, WebP or GIF, or lies in no class: notes.txt",
  ]);
  assert.equal(images.cached, false);
  renameSync(folder, path("moved"));
  const again = await prepare({ source: path("moved"), size: [10, 12] });
  assert.deepEqual([again.cached, again.digest], [true, images.digest]);
  const smaller = await prepare({ source: path("moved"), size: 10 });
  assert.notEqual(smaller.digest, images.digest);
  // Mean and standard deviation by the definition, over the training images.
  const all = again.train.read([...again.train.labels.keys()]);
  for (let k = 0; k < 3; k++) {
    const values = [...all].filter((_, i) => i % 3 === k).map((value) => value / 255);
    const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
    const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length;
    assert.ok(
      Math.abs((images.mean[k] ?? 0) - mean) < 1e-9 && Math.abs((images.std[k] ?? 0) - Math.sqrt(variance)) < 1e-9,
    );
  }
});

test("notes on a source are those of this source, whoever wrote the cache", async () => {
  await writeShapes(path("plain"), 6);
  cpSync(path("plain"), path("emptied"), { recursive: true });
  mkdirSync(join(path("emptied"), "triangle"));
  const size = 11;
  assert.deepEqual((await prepare({ source: path("plain"), size })).notes, []);
  const emptied = await prepare({ source: path("emptied"), size });
  assert.deepEqual([emptied.cached, emptied.notes], [true, ["1 folder has no image, and is no class: triangle"]]);
  cpSync(path("emptied"), path("first"), { recursive: true });
  const first = await prepare({ source: path("first"), size: 13 });
  assert.deepEqual([first.cached, first.notes.length], [false, 1]);
  assert.deepEqual((await prepare({ source: path("plain"), size: 13 })).notes, []);
});

test("groups have disjoint parts, the same from memory and from the file", async () => {
  const { folder } = await prepare({ source: path("moved"), size: 10 });
  const whole = await openImages(folder);
  const seen = new Set<string>();
  let numImages = 0;
  for (const group of [0, 1, 2]) {
    const slots = slotsOf(group, 3);
    const own = await openImages(folder, { slots, leaveOut: ["test"] });
    const stored = await openImages(folder, { slots, memoryBytes: 0 });
    assert.equal(own.test, null);
    const places = rowsOfSlots(own.slotOffsets, slots);
    assert.deepEqual([...places], [...own.train.labels.keys()]);
    const pixels = own.train.read(places);
    assert.deepEqual(stored.train.read(places), pixels);
    assert.deepEqual(stored.train.labels, own.train.labels);
    assert.deepEqual(whole.train.read(rowsOfSlots(whole.slotOffsets, slots)), pixels);
    for (let i = 0; i < places.length; i++) seen.add(pixels.subarray(i * 300, (i + 1) * 300).join());
    numImages += places.length;
  }
  assert.deepEqual([numImages, seen.size], [51, 51]);
});

test("chosen classes are taken in their order, and copies are told of and kept together", async () => {
  const folder = path("copies");
  await writeShapes(folder, 12);
  for (let i = 0; i < 5; i++) cpSync(join(folder, "circle", "000.png"), join(folder, "circle", `copy${i}.png`));
  cpSync(join(folder, "circle", "001.png"), join(folder, "stripes", "wrong.png"));
  const images = await prepare({ source: folder, size: 12, classes: ["stripes", "circle"] });
  assert.deepEqual(images.classes, ["stripes", "circle"]);
  assert.deepEqual(images.notes, [
    "1 folder is left out, as data.classes does not name it: square",
    "6 images have the pixels of another one, and are in its split; of 1 the class is another one, so that one of the two is wrong",
  ]);
  const digests = (of: { readonly labels: Int32Array; read(images: number[]): Uint8Array }) =>
    new Set([...of.labels.keys()].map((i) => of.read([i]).join()));
  const [train, validation, test] = [images.train, images.validation, images.test].map(digests);
  for (const one of [...(validation ?? []), ...(test ?? [])]) assert.ok(!train?.has(one));
});

test("sets of pixels keep their size, and have test images of their own", async () => {
  const source = writeIdxShapes(root, 30);
  const test = { source: writeIdxShapes(root, 12, "t10k") };
  const images = await prepare({ source, test, classes: [...shapeNames] });
  assert.deepEqual(images.shape, { height: 12, width: 12, channels: 1 });
  assert.deepEqual(images.classes, [...shapeNames]);
  assert.deepEqual(images.numImages, { train: 27, validation: 3, test: 12 });
  assert.equal(images.decoder, null);
  // The test images are the first of the training images.
  assert.match(
    images.notes.join(),
    /images of the validation and test sources have the pixels of a training image, which flatters/,
  );
  const own = [...images.test.labels];
  assert.deepEqual(
    own,
    Array.from({ length: 12 }, (_, i) => i % 3),
  );
});

test("bad images are left out up to the number that is allowed, and named", async () => {
  const folder = path("bad");
  await writeShapes(folder, 8);
  writeFileSync(join(folder, "circle", "a.png"), "");
  const file = readFileSync(join(folder, "square", "000.png"));
  writeFileSync(join(folder, "square", "cut.png"), file.subarray(0, file.length - 40));
  const spec = { source: folder, size: 12 };
  await assert.rejects(prepare(spec), (error) => {
    assert.ok(error instanceof DataError);
    assert.match(error.message, /^images: 2 images of 26 cannot be used, and data\.maxBadImages allows 0: /);
    assert.match(
      error.message,
      /circle\/a\.png is empty; \S+square\/cut\.png is a damaged PNG, or one that was cut off/,
    );
    return true;
  });
  const images = await prepare({ ...spec, maxBadImages: 2 });
  assert.deepEqual(
    images.bad.map(({ name }) => name.slice(folder.length + 1)),
    ["circle/a.png", "square/cut.png"],
  );
  assert.match(images.notes.join(), /2 images of 26 cannot be used, and are left out/);
  // The same cache, and fewer are allowed.
  await assert.rejects(prepare({ ...spec, maxBadImages: 1 }), /data\.maxBadImages allows 1/);
});

test("sizes that cannot work are refused before anything is decoded, and images that are left out are no lines", async () => {
  const stages: string[] = [];
  const options = {
    cacheFolder,
    onProgress: (stage: string) => stages.push(stage),
    signal: new AbortController().signal,
  };
  const source = writeIdxShapes(root, 30, "small");
  const refused: readonly (readonly [object, RegExp])[] = [
    [
      { model: { kind: "cnn", widths: [4, 4, 4, 4] } },
      /^model\.widths: .* for 4 of them .* at least 16 pixels; data\.size is 12 x 12\./,
    ],
    [
      { numGroups: 2, globalBatchSize: 16 },
      /^globalBatchSize: a batch of 16 images .* of the 30 images of data\.source each group of 2 has at most 15\. Lower/,
    ],
  ];
  for (const [more, message] of refused) {
    await assert.rejects(imageReader.prepare(configOf({ source }, more), options), (error) => {
      assert.ok(error instanceof ConfigError, String(error));
      assert.match(error.message, message);
      return true;
    });
  }
  assert.ok(!stages.join().includes("decoding"), stages.join());
  await imageReader.prepare(configOf({ source }, { numGroups: 1, globalBatchSize: 16 }), options);
  assert.ok(stages.join().includes("decoding"), stages.join());
  const { sizes, notes } = await imageReader.prepare(
    configOf({ source: path("bad"), size: 12, maxBadImages: 2 }),
    options,
  );
  assert.deepEqual(Object.keys(sizes.rows), ["train", "validation", "test"]);
  assert.match((notes ?? []).join(), /2 images of 26 cannot be used, and are left out/);
});

test("a group's stream and its shards are of its own images", async () => {
  const config = configOf({ source: path("moved"), size: 10 }, { numGroups: 2 });
  const prepared = await imageReader.prepare(config, {
    cacheFolder,
    onProgress: () => {},
    signal: new AbortController().signal,
  });
  prepared.checkShards();
  const { numExamples } = await imageReader.open(config, prepared.folder, 1);
  const slots = [slotsOf(0, 2), slotsOf(1, 2)];
  const { report, lines } = await imageReader.shards(config, slots, cacheFolder);
  assert.equal(report.problem, null);
  assert.match(lines()[2] ?? lines()[1] ?? "", new RegExp(`^ *1 +${numExamples} `));
  const same = await imageReader.shards(config, [slotsOf(0, 2), slotsOf(0, 2)], cacheFolder);
  assert.match(same.report.problem ?? "", /slot \d+ is of the groups 0 and 1/);
});
