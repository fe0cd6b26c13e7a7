import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { ConfigError, DataError } from "../../errors.js";
import type { NamedArrays } from "../../runtime/array.js";
import { rootKey } from "../../runtime/random.js";
import type { ReadyStream } from "../stream.js";
import { corpusOf, joined } from "./corpus.js";
import { laneStream, sequenceStream, type TextStreamOptions } from "./streams.js";

/** Documents of so many tokens; every token is its own number, so that it is known where it came from. */
function corpus(lengths: readonly number[]) {
  const starts = Float64Array.from([0, ...lengths.map((_, d) => lengths.slice(0, d + 1).reduce((a, b) => a + b, 0))]);
  return corpusOf(
    starts,
    Uint32Array.from({ length: starts.at(-1) ?? 0 }, (_, i) => i),
  );
}

const lengthsArbitrary = fc.array(fc.nat(30), { minLength: 1, maxLength: 20 });
const all = (lengths: readonly number[]) => Uint32Array.from(lengths.keys());
const kinds = { laneStream, sequenceStream };
const data = (stream: ReadyStream) => {
  const { ids, labels } = stream.next();
  return { ids: ids?.data as Int32Array, labels: labels?.data as Int32Array };
};

test("joined documents are read from any place, across the ends of documents", () => {
  fc.assert(
    fc.property(lengthsArbitrary, fc.nat(), (lengths, seed) => {
      const documents = all(lengths).reverse();
      const text = joined(corpus(lengths), documents);
      const starts = lengths.map((_, d) => lengths.slice(0, d).reduce((a, b) => a + b, 0));
      const expected = [...documents].flatMap((d) =>
        Array.from({ length: lengths[d] ?? 0 }, (_, i) => (starts[d] ?? 0) + i),
      );
      assert.equal(text.length, expected.length);
      const from = seed % (text.length + 1);
      const read = new Int32Array(text.length - from);
      text.read(from, read.length, read, 0);
      assert.deepEqual([...read], expected.slice(from));
    }),
  );
});

for (const [name, make] of Object.entries(kinds)) {
  describe(name, () => {
    const sizes = fc.record({
      lengths: lengthsArbitrary,
      batchSize: fc.integer({ min: 1, max: 4 }),
      sequenceLength: fc.integer({ min: 1, max: 6 }),
      seed: fc.nat(1000),
    });
    const streamOf = (
      lengths: readonly number[],
      options: Partial<TextStreamOptions> & { batchSize: number; sequenceLength: number },
    ) => make({ corpus: corpus(lengths), documents: all(lengths), key: rootKey(1), ...options });

    test("an epoch has tokens once, labels that come next, and another order in the next epoch", () => {
      fc.assert(
        fc.property(sizes, ({ lengths, batchSize, sequenceLength, seed }) => {
          const numTokens = lengths.reduce((a, b) => a + b, 0);
          fc.pre(numTokens >= batchSize * (sequenceLength + 1));
          const stream = streamOf(lengths, { batchSize, sequenceLength, key: rootKey(seed) });
          const seen = new Set<number>();
          const next = new Map<number, number>();
          while (stream.cursor.epoch === 0) {
            const { ids, labels } = data(stream);
            for (const [i, id] of ids.entries()) {
              assert.ok(!seen.has(id), `token ${id} came twice`);
              seen.add(id);
              next.set(id, labels[i] as number);
            }
          }
          assert.equal(seen.size, stream.numRows * sequenceLength);
          // Few are left over: at each lane's or the text's end.
          assert.ok(
            numTokens - seen.size <= batchSize * (sequenceLength + 1),
            `${numTokens - seen.size} are left over`,
          );
          // Within a document the label is the next token.
          const ends = new Set(lengths.map((_, d) => lengths.slice(0, d + 1).reduce((a, b) => a + b, 0) - 1));
          for (const [id, label] of next) if (!ends.has(id)) assert.equal(label, id + 1);
        }),
      );
    });

    test("goes on from a cursor with the same batches", () => {
      const lengths = [40, 7, 0, 90, 13];
      const options = { batchSize: 3, sequenceLength: 5 };
      const whole = streamOf(lengths, options);
      const batches = Array.from({ length: 25 }, () => ({ cursor: whole.cursor, ...data(whole) }));
      assert.ok(whole.cursor.epoch >= 2);
      for (const { cursor, ...batch } of batches) {
        assert.deepEqual(data(streamOf(lengths, { ...options, cursor })), batch);
        whole.goTo(cursor);
        assert.deepEqual(data(whole), batch);
      }
    });

    test("a batch that is passed over is one that was not read", () => {
      const options = { batchSize: 3, sequenceLength: 5 };
      const [whole, skipping] = [streamOf([40, 7, 0, 90, 13], options), streamOf([40, 7, 0, 90, 13], options)];
      for (let i = 0; i < 25; i++) {
        whole.next();
        skipping.skip();
        assert.deepEqual(skipping.cursor, whole.cursor);
        assert.deepEqual(data(skipping), data(whole));
      }
    });

    /** The tokens and labels of each text of some batches. */
    const textsOf = (batches: readonly NamedArrays[]) =>
      batches.flatMap(({ ids, labels }) => {
        const isByTime = name === "laneStream";
        const [sequenceLength = 0, numTexts = 0] = (isByTime ? ids?.shape : ids?.shape.toReversed()) ?? [];
        const at = (text: number, time: number) => (isByTime ? time * numTexts + text : text * sequenceLength + time);
        return Array.from({ length: numTexts }, (_, text) =>
          Array.from({ length: sequenceLength }, (_, time) => [
            ids?.data[at(text, time)],
            labels?.data[at(text, time)],
          ]),
        );
      });

    test("the parts of a batch in the order of workers are the whole batch, with one cursor, across the ends of epochs", () => {
      const lengths = [40, 7, 0, 90, 13];
      for (const count of [1, 2, 3]) {
        const sizes = { batchSize: 6, sequenceLength: 5, cursor: { epoch: 1, position: 2 } };
        const whole = streamOf(lengths, sizes);
        const parts = Array.from({ length: count }, (_, index) =>
          streamOf(lengths, { ...sizes, part: { index, count } }),
        );
        while (whole.cursor.epoch < 4) {
          const texts = textsOf(parts.map((part) => part.next()));
          assert.equal(texts.length, 6);
          assert.deepEqual(texts, textsOf([whole.next()]));
          for (const part of parts) assert.deepEqual(part.cursor, whole.cursor);
        }
      }
      assert.throws(
        () => streamOf(lengths, { batchSize: 6, sequenceLength: 5, part: { index: 0, count: 4 } }),
        (error) => error instanceof ConfigError && /6 is no multiple of 4/.test(error.message),
      );
    });

    test("the pieces of a batch, one after the other, are the whole batch, and a cursor says which is next", () => {
      const lengths = [40, 7, 0, 90, 13];
      const sizes = { batchSize: 6, sequenceLength: 5, cursor: { epoch: 1, position: 2 } };
      const whole = streamOf(lengths, sizes);
      const pieces = streamOf(lengths, { ...sizes, pieces: 3 });
      while (whole.cursor.epoch < 4) {
        assert.deepEqual(pieces.cursor, whole.cursor);
        const first = pieces.next();
        const { cursor } = pieces;
        assert.equal(cursor.piece, 1);
        const resumed = streamOf(lengths, { ...sizes, pieces: 3, cursor });
        assert.deepEqual(textsOf([resumed.next()]), textsOf([pieces.next()]));
        pieces.goTo(cursor);
        assert.deepEqual(textsOf([first, pieces.next(), pieces.next()]), textsOf([whole.next()]));
      }
      for (const [changes, pattern] of [
        [{ pieces: 4 }, /6 is no multiple of 4/],
        [{ pieces: 0 }, /pieces is a positive whole number/],
        [{ pieces: 3, part: { index: 0, count: 4 } }, /2 is no multiple of 4/],
      ] as const) {
        assert.throws(() => streamOf(lengths, { ...sizes, ...changes }), pattern);
      }
      assert.throws(() => streamOf(lengths, { ...sizes, cursor: { epoch: 0, position: 0, piece: 1 } }), DataError);
    });

    test("reads the documents of a shard alone", () => {
      const lengths = [20, 30, 40];
      const stream = streamOf(lengths, { batchSize: 2, sequenceLength: 4, documents: Uint32Array.of(1) });
      for (let i = 0; i < 20; i++) assert.ok(data(stream).ids.every((id) => id >= 20 && id < 50));
    });

    test("refuses too little text, sizes that are none, and a cursor of another text", () => {
      const lengths = [10];
      assert.throws(
        () => streamOf(lengths, { batchSize: 2, sequenceLength: 5 }),
        (error) =>
          error instanceof DataError && /2 texts of 5 tokens needs 1[12], and this shard has 10/.test(error.message),
      );
      assert.throws(() => streamOf(lengths, { batchSize: 0, sequenceLength: 5 }), ConfigError);
      assert.throws(() => streamOf(lengths, { batchSize: 1, sequenceLength: 1.5 }), ConfigError);
      const cursor = { epoch: 0, position: 999 };
      assert.throws(() => streamOf(lengths, { batchSize: 1, sequenceLength: 2, cursor }), /got epoch 0, position 999/);
    });
  });
}

test("lanes go on where they were, and batches are [sequenceLength, batch]", () => {
  const stream = laneStream({
    corpus: corpus([100]),
    documents: Uint32Array.of(0),
    batchSize: 2,
    sequenceLength: 3,
    key: rootKey(1),
  });
  const { ids, labels } = stream.next();
  assert.deepEqual([ids?.shape, labels?.shape], [[3, 2], [6]]);
  assert.deepEqual([...(ids?.data ?? [])], [0, 50, 1, 51, 2, 52]);
  assert.deepEqual([...(labels?.data ?? [])], [1, 51, 2, 52, 3, 53]);
  assert.deepEqual([...data(stream).ids], [3, 53, 4, 54, 5, 55]);
});

test("sequences are [batch, sequenceLength]", () => {
  const stream = sequenceStream({
    corpus: corpus([100]),
    documents: Uint32Array.of(0),
    batchSize: 2,
    sequenceLength: 3,
    key: rootKey(1),
  });
  const { ids } = stream.next();
  assert.deepEqual(ids?.shape, [2, 3]);
  const [a = 0, b = 0] = [ids?.data[0] as number, ids?.data[3] as number];
  assert.deepEqual([...(ids?.data ?? [])], [a, a + 1, a + 2, b, b + 1, b + 2]);
  assert.ok(a % 3 === 0 && b % 3 === 0);
});
