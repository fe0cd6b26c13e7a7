import assert from "node:assert/strict";
import { test } from "node:test";
import type { Cursor, SkippingStream } from "../data/stream.js";
import { dealer } from "./dealer.js";
import { shardsOf } from "./shards.js";
import { counted, MOST_STALE, type StalenessCounts, staleRate } from "./staleness.js";

/** A stream of batches whose cursor counts them. */
function counting(from = 0): SkippingStream {
  let position = from;
  return {
    next: () => ({}),
    skip() {
      position++;
    },
    get cursor(): Cursor {
      return { epoch: 0, position };
    },
    goTo(cursor) {
      ({ position } = cursor);
    },
    numRows: 100,
  };
}

test("batches are dealt one after the other, and after a checkpoint first those that were not applied", () => {
  const first = dealer(counting(), 2, { next: 0, again: [] });
  const dealt = Array.from({ length: 4 }, () => first.deal());
  assert.deepEqual(dealt, [0, 1, 2, 3]);
  assert.deepEqual(
    dealt.map((batch) => first.cursorOf(batch).position),
    [0, 2, 4, 6],
  );
  first.done(0);
  first.done(2);
  const saved = first.save();
  assert.deepEqual(
    saved.again.map(({ batch }) => batch),
    [1, 3],
  );
  const second = dealer(counting(first.stream.cursor.position), 2, saved);
  const later = Array.from({ length: 3 }, () => second.deal());
  assert.deepEqual(
    later.map((batch) => [batch, second.cursorOf(batch).position]),
    [
      [1, 2],
      [3, 6],
      [4, 8],
    ],
  );
  // One that was dealt again and not applied, and one that was not yet dealt again.
  const third = dealer(counting(8), 2, { ...saved });
  third.deal();
  assert.deepEqual(third.save(), saved);
  third.goBack();
  assert.deepEqual(
    third.save().again.map(({ batch }) => batch),
    [3],
  );
  assert.throws(() => third.cursorOf(1), /batch 1 is not under way/);
});

test("each server has whole params, and about as many numbers as the others", () => {
  const shape = (...shape: number[]) => ({ shape });
  const params = { a: shape(10, 10), b: shape(3), c: shape(60), d: shape(50), e: shape() };
  assert.deepEqual(shardsOf(params, 1), [["a", "b", "c", "d", "e"]]);
  assert.deepEqual(shardsOf(params, 2), [
    ["a", "b", "e"],
    ["c", "d"],
  ]);
  assert.deepEqual(shardsOf(params, 5).flat().sort(), ["a", "b", "c", "d", "e"]);
});

test("rates by staleness, and the counts of each", () => {
  assert.deepEqual([staleRate("same", 8, 3), staleRate("inverse", 8, 0), staleRate("inverse", 8, 3)], [8, 8, 2]);
  const counts = [0, 2, 0, 1000].reduce<StalenessCounts>(counted, []);
  assert.deepEqual([counts.length, counts[0], counts[1], counts[2], counts[MOST_STALE]], [MOST_STALE + 1, 2, 0, 1, 1]);
});
