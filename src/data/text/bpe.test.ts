import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type Merge, trainBpe } from "./bpe.js";

/** The algorithm as the paper has it: count all pairs anew for every merge. */
function naive(words: ReadonlyMap<string, number>, numMerges: number): Merge[] {
  let texts = [...words].map(([word, count]) => ({ tokens: [...new TextEncoder().encode(word)], count }));
  const merges: Merge[] = [];
  while (merges.length < numMerges) {
    const counts = new Map<string, { pair: Merge; count: number }>();
    for (const { tokens, count } of texts) {
      for (let i = 0; i + 1 < tokens.length; i++) {
        const pair: Merge = [tokens[i] as number, tokens[i + 1] as number];
        const before = counts.get(pair.join())?.count ?? 0;
        counts.set(pair.join(), { pair, count: before + count });
      }
    }
    const [best] = [...counts.values()].sort(
      (a, b) => b.count - a.count || a.pair[0] - b.pair[0] || a.pair[1] - b.pair[1],
    );
    if (!best || best.count < 2) break;
    const [left, right] = best.pair;
    const made = 256 + merges.length;
    merges.push(best.pair);
    texts = texts.map(({ tokens, count }) => {
      const joined: number[] = [];
      for (let i = 0; i < tokens.length; i++) {
        const isPair = tokens[i] === left && tokens[i + 1] === right;
        joined.push(isPair ? made : (tokens[i] as number));
        if (isPair) i++;
      }
      return { tokens: joined, count };
    });
  }
  return merges;
}

const letters = fc.string({ unit: fc.constantFrom("a", "b", "c", "é"), minLength: 1, maxLength: 12 });
const someWords = fc.array(fc.tuple(letters, fc.integer({ min: 1, max: 9 })), { maxLength: 25 });

describe("merges", () => {
  test("are those of the paper's algorithm, whatever the words and their order", () => {
    fc.assert(
      fc.property(someWords, fc.integer({ min: 0, max: 40 }), (entries, numMerges) => {
        const words = new Map(entries);
        const expected = naive(words, numMerges);
        assert.deepEqual(trainBpe(words, { numMerges }), expected);
        assert.deepEqual(trainBpe(new Map([...words].reverse()), { numMerges }), expected);
      }),
      { numRuns: 500 },
    );
  });

  test("join what comes most often, and of equal ones the smallest", () => {
    const code = (letter: string) => letter.charCodeAt(0);
    const words = new Map([
      ["low", 5],
      ["lower", 2],
      ["newest", 6],
      ["widest", 3],
    ]);
    const [first, second] = trainBpe(words, { numMerges: 2 });
    assert.deepEqual(
      [first, second],
      [
        [code("e"), code("s")],
        [256, code("t")],
      ],
    );
  });

  test("end where no pair comes twice, and long words teach nothing", () => {
    assert.deepEqual(trainBpe(new Map([["ab", 1]]), { numMerges: 9 }), []);
    assert.equal(trainBpe(new Map([["abc", 2]]), { numMerges: 9 }).length, 2);
    assert.deepEqual(trainBpe(new Map([["ab".repeat(129), 100]]), { numMerges: 9 }), []);
  });

  test("are told of as they are made", () => {
    const words = new Map(Array.from({ length: 300 }, (_, i) => [`w${i * 7919}`, 2 + (i % 5)]));
    const told: number[] = [];
    const { length } = trainBpe(words, { numMerges: 200, onProgress: (done) => told.push(done) });
    assert.deepEqual(
      told,
      Array.from({ length: Math.floor(length / 64) }, (_, i) => 64 * (i + 1)),
    );
  });
});
