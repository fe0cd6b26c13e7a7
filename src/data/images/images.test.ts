import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DataError } from "../../errors.js";
import type { NamedArrays } from "../../runtime/array.js";
import { fold, rootKey, uniform } from "../../runtime/random.js";
import { TEST, TRAIN, VALIDATION } from "../split.js";
import { type Augmentation, augment, isAugmenting } from "./augment.js";
import { imageStream } from "./image-stream.js";
import { type ImageShape, imageBatch, imagesInMemory, imagesInOrder } from "./images.js";
import { splitImages } from "./split-images.js";

const shape: ImageShape = { height: 4, width: 5, channels: 3 };
const size = 60;
const numImages = 23;
const pixels = Uint8Array.from(uniform(rootKey(1), numImages * size), (u) => Math.floor(256 * u));
const labels = Int32Array.from({ length: numImages }, (_, i) => i % 3);
const images = imagesInMemory(shape, pixels, labels);
const everything: Augmentation = {
  padCrop: 2,
  flip: true,
  jitter: { brightness: 0.4, contrast: 0.4, saturation: 0.4 },
};
const bytes = (batch: NamedArrays) => [...(batch.images?.data ?? [])];

test("a batch has the pixels and the class of each image, and refuses images that are not there", () => {
  const batch = imageBatch(images, [7, 0]);
  assert.deepEqual(batch.images?.shape, [2, 4, 5, 3]);
  assert.deepEqual(bytes(batch), [...pixels.subarray(7 * size, 8 * size), ...pixels.subarray(0, size)]);
  assert.deepEqual([...(batch.labels?.data ?? [])], [1, 0]);
  assert.throws(() => imageBatch(images, [23]), DataError);
  assert.throws(() => imagesInMemory(shape, pixels.subarray(1), labels), DataError);
  const all = [...imagesInOrder(images, 10)];
  assert.deepEqual(
    all.map((one) => one.labels?.shape[0]),
    [10, 10, 3],
  );
  assert.deepEqual(all.flatMap(bytes), [...pixels]);
});

for (const [name, { mixup, ...augmentation }] of Object.entries<Augmentation & { readonly mixup?: number }>({
  "a padded crop, a flip and colours": everything,
  "a resized crop": { resizedCrop: { area: [0.3, 0.9], ratio: [0.7, 1.4] }, flip: true },
  "a flip and mixup": { flip: true, mixup: 0.4 },
})) {
  const indices = Uint32Array.from(labels.keys());
  const options = { images, augmentation, mixup, indices, batchSize: 6, key: rootKey(3) };

  test(`${name}: two and three workers together have the batches of one, across epochs`, () => {
    for (const count of [2, 3]) {
      const one = imageStream(options);
      const parts = Array.from({ length: count }, (_, index) => imageStream({ ...options, part: { index, count } }));
      for (let step = 0; step < 9; step++) {
        const whole = one.next();
        const together = parts.map((part) => part.next());
        assert.deepEqual(together.flatMap(bytes), bytes(whole));
        for (const array of ["labels", "weights"]) {
          assert.deepEqual(
            together.flatMap((batch) => [...(batch[array]?.data ?? [])]),
            [...(whole[array]?.data ?? [])],
          );
        }
      }
      assert.equal(one.cursor.epoch, 2);
    }
  });

  test(`${name}: a stream that goes on from a cursor has the same pixels, and an epoch later an image has others`, () => {
    const stream = imageStream(options);
    for (let step = 0; step < 4; step++) stream.next();
    const { cursor } = stream;
    const after = [stream.next(), stream.next()].map(bytes);
    const resumed = imageStream({ ...options, cursor });
    assert.deepEqual([resumed.next(), resumed.next()].map(bytes), after);
    stream.goTo({ epoch: 0, position: 0 });
    stream.skip();
    const second = bytes(stream.next());
    assert.deepEqual(bytes(imageStream({ ...options, cursor: { epoch: 0, position: 6 } }).next()), second);
    if (mixup !== undefined) return;
    // One image alone, so that only what happens to it differs between epochs.
    const alone = imageStream({ ...options, indices: Uint32Array.of(5), batchSize: 1 });
    const seen = new Set(Array.from({ length: 8 }, () => bytes(alone.next()).join()));
    assert.ok(seen.size > 4, `${seen.size} of 8 epochs differ`);
  });
}

test("mixup mixes each image of a batch with another one, pixels and labels by the same share of Beta(a, a)", () => {
  const options = { images, indices: Uint32Array.from(labels.keys()), key: rootKey(3), batchSize: 7 };
  const [plain, mixing] = [imageStream(options), imageStream({ ...options, mixup: 0.5 })];
  const shares: number[] = [];
  for (let step = 0; step < 40; step++) {
    const [own, mixed] = [plain.next(), mixing.next()];
    assert.deepEqual(
      [mixed.labels?.shape, mixed.weights?.shape, mixed.images?.shape],
      [
        [7, 2],
        [7, 2],
        [7, 4, 5, 3],
      ],
    );
    const [before, after] = [bytes(own), bytes(mixed)];
    const [label, both] = [[...(own.labels?.data ?? [])], [...(mixed.labels?.data ?? [])]];
    const weights = [...(mixed.weights?.data ?? [])].map(Number);
    for (let i = 0; i < 7; i++) {
      const other = (i + 2) % 7;
      assert.deepEqual(both.slice(2 * i, 2 * i + 2), [label[i], label[other]]);
      const [first = Number.NaN, second = Number.NaN] = weights.slice(2 * i);
      assert.ok(Math.abs(first + second - 2) < 1e-6);
      for (let k = 0; k < size; k++) {
        const mixture =
          0.5 * (first * (before[i * size + k] as number) + second * (before[other * size + k] as number));
        assert.ok(Math.abs(mixture - (after[i * size + k] as number)) < 0.5001, `${mixture}`);
      }
      shares.push(first / 2);
    }
  }
  // Of Beta(1/2, 1/2) a third lies below 1/4, and the mean is a half.
  const low = shares.filter((share) => share < 0.25).length / shares.length;
  assert.ok(Math.abs(low - 1 / 3) < 0.1, `${low}`);
  assert.ok(Math.abs(shares.reduce((sum, x) => sum + x, 0) / shares.length - 0.5) < 0.07);
  const two = imageStream({ ...options, batchSize: 2, mixup: 0.5 });
  const [first, second, third, fourth] = two.next().labels?.data ?? [];
  assert.deepEqual([third, fourth], [second, first]);
});

test("nothing is changed without augmentation, and the images themselves never are", () => {
  const before = pixels.slice();
  const plain = imageStream({ images, indices: Uint32Array.of(9), batchSize: 1, key: rootKey(1) });
  assert.deepEqual(bytes(plain.next()), [...pixels.subarray(9 * size, 10 * size)]);
  const stream = imageStream({
    images,
    augmentation: everything,
    indices: Uint32Array.from(labels.keys()),
    batchSize: 8,
    key: rootKey(1),
  });
  for (let step = 0; step < 5; step++) stream.next();
  assert.deepEqual(pixels, before);
  assert.equal(isAugmenting({ padCrop: 0, flip: false, jitter: { contrast: 0 } }), false);
  assert.equal(isAugmenting({ jitter: { contrast: 0.1 } }), true);
});

/** What an augmentation makes of an image under many keys. */
function outcomes(image: readonly number[], of: ImageShape, how: Augmentation, count = 400): number[][] {
  return Array.from({ length: count }, (_, i) => {
    const own = Uint8Array.from(image);
    augment(own, of, how, fold(rootKey(5), i));
    return [...own];
  });
}

test("a flip mirrors half of the images", () => {
  const found = outcomes([1, 2, 3, 4, 5, 6], { height: 2, width: 3, channels: 1 }, { flip: true }).map(String);
  const mirrored = found.filter((one) => one === "3,2,1,6,5,4").length;
  assert.equal(mirrored + found.filter((one) => one === "1,2,3,4,5,6").length, 400);
  assert.ok(Math.abs(mirrored - 200) < 50, `${mirrored} of 400`);
});

test("a padded crop moves an image by up to the padding, each way equally often, with black at the border", () => {
  const found = outcomes([1, 2, 3, 4], { height: 2, width: 2, channels: 1 }, { padCrop: 1 }, 1800);
  const counts = new Map<string, number>();
  for (const one of found) counts.set(String(one), (counts.get(String(one)) ?? 0) + 1);
  // The nine positions of a 2 x 2 window over the image with one black pixel on each side.
  const all = ["0,0,0,1", "0,0,1,2", "0,0,2,0", "0,1,0,3", "1,2,3,4", "2,0,4,0", "0,3,0,0", "3,4,0,0", "4,0,0,0"];
  assert.deepEqual([...counts.keys()].sort(), [...all].sort());
  for (const [what, times] of counts) assert.ok(Math.abs(times - 200) < 60, `${what}: ${times} of 1800`);
});

test("a resized crop of the whole image is the image, and one of a part stays within its values", () => {
  const ramp = Array.from({ length: 36 }, (_, i) => 7 * i);
  const of: ImageShape = { height: 6, width: 6, channels: 1 };
  for (const one of outcomes(ramp, of, { resizedCrop: { area: [1, 1], ratio: [1, 1] } }, 5))
    assert.deepEqual(one, ramp);
  const parts = outcomes(ramp, of, { resizedCrop: { area: [0.25, 0.25], ratio: [1, 1] } }, 50);
  for (const part of parts) {
    // A 3 x 3 part of a plane, made twice as large: each row and column still rises, by half as much on average.
    for (let x = 1; x < 6; x++) assert.ok((part[x] as number) >= (part[x - 1] as number));
    assert.equal((part[35] as number) - (part[0] as number), 7 * 2 * 6 + 7 * 2);
  }
  assert.ok(new Set(parts.map(String)).size > 8);
  // No part of ten times the height fits, so that it is the largest one in the middle.
  const [central = []] = outcomes(ramp, of, { resizedCrop: { area: [1, 1], ratio: [0.1, 0.1] } }, 1);
  assert.equal(new Set(central.slice(0, 6)).size, 1, `one column, stretched: ${central}`);
});

test("colours are multiplied, stretched around the mean grey, and around each pixel's grey", () => {
  const of: ImageShape = { height: 1, width: 2, channels: 3 };
  const image = [100, 50, 20, 200, 150, 120];
  for (const one of outcomes(image, of, { jitter: { brightness: 0.5 } }, 40)) {
    const by = (one[0] as number) / 100;
    for (const [i, value] of image.entries()) assert.ok(Math.abs((one[i] as number) - Math.min(255, by * value)) <= 2);
  }
  for (const one of outcomes(image, of, { jitter: { saturation: 1 } }, 40)) {
    const grey = 0.299 * (one[0] as number) + 0.587 * (one[1] as number) + 0.114 * (one[2] as number);
    if (one.every((value) => value > 0 && value < 255)) assert.ok(Math.abs(grey - 61.53) < 1, `grey stays: ${one}`);
  }
  const flat = outcomes([80, 80, 80, 80], { height: 2, width: 2, channels: 1 }, { jitter: { contrast: 1 } }, 20);
  for (const one of flat) assert.deepEqual(one, [80, 80, 80, 80]);
});

const splitOf = (digests: readonly string[], own: readonly number[], seed = 1) =>
  splitImages({
    digests,
    labels: Int32Array.from(own),
    shares: { validation: 0.2, test: 0.2 },
    rankOf: (digest) =>
      uniform(fold(fold(rootKey(seed), "rank"), digest), 2)
        .join("")
        .replace(/\D/g, "")
        .slice(0, 12),
  });

test("images with equal pixels are in one split, whatever their classes, and each class has its shares", () => {
  const digest = fc.integer({ min: 0, max: 40 }).map((n) => `d${n}`);
  const image = fc.tuple(digest, fc.integer({ min: 0, max: 2 }));
  fc.assert(
    fc.property(fc.array(image, { minLength: 1, maxLength: 120 }), (some) => {
      const digests = some.map(([one]) => one);
      const { splits, numCopies } = splitOf(
        digests,
        some.map(([, label]) => label),
      );
      const splitsOf = new Map<string, Set<number>>();
      for (const [i, one] of digests.entries())
        splitsOf.set(one, (splitsOf.get(one) ?? new Set()).add(splits[i] ?? -1));
      assert.equal(numCopies, digests.length - splitsOf.size);
      for (const [one, found] of splitsOf) assert.equal(found.size, 1, one);
    }),
  );
  const own = Array.from({ length: 300 }, (_, i) => i % 3);
  const digests = own.map((_, i) => `e${i}`);
  const { splits, numContradictions } = splitOf(digests, own);
  for (const label of [0, 1, 2]) {
    const of = (split: number) => own.filter((one, i) => one === label && splits[i] === split).length;
    assert.deepEqual([of(TRAIN), of(VALIDATION), of(TEST)], [60, 20, 20]);
  }
  assert.equal(numContradictions, 0);
  assert.equal(splitOf(["a", "a", "b"], [0, 1, 0]).numContradictions, 1);
  assert.notDeepEqual(splitOf(digests, own, 2).splits, splits);
});
