import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ConfigError, DataError } from "../errors.js";
import { assertDisjoint, numSlots, rowsOfSlots, slotMap, slotsOf, slotsUnder } from "./shard.js";

/** Offsets of slots with the given row counts; slots beyond them are empty. */
function offsetsOf(counts: readonly number[]): Uint32Array {
  const offsets = new Uint32Array(numSlots + 1);
  for (let slot = 0; slot < numSlots; slot++) offsets[slot + 1] = (offsets[slot] ?? 0) + (counts[slot] ?? 0);
  return offsets;
}

const slotCounts = fc.array(fc.nat(5), { maxLength: 50 });

test("slots are dealt in turn, and group sizes differ by one slot at most", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: numSlots }), (numGroups) => {
      const owners = slotMap(numGroups);
      const sizes = new Uint32Array(numGroups);
      owners.forEach((owner, slot) => {
        assert.equal(owner, slot % numGroups);
        sizes[owner]! += 1;
      });
      assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1);
    }),
    { numRuns: 20 },
  );
});

test("the shards of 1 to 7 groups are disjoint and complete", () => {
  fc.assert(
    fc.property(slotCounts, fc.integer({ min: 1, max: 7 }), (counts, numGroups) => {
      const offsets = offsetsOf(counts);
      const shards = Array.from({ length: numGroups }, (_, group) => rowsOfSlots(offsets, slotsOf(group, numGroups)));
      assertDisjoint(shards);
      const all = shards.flatMap((shard) => [...shard]).sort((a, b) => a - b);
      assert.deepEqual(
        all,
        Array.from({ length: offsets[numSlots] ?? 0 }, (_, row) => row),
      );
    }),
  );
});

test("a group has exactly the rows of its slots, ascending", () => {
  const offsets = offsetsOf([2, 0, 3, 1]);
  assert.deepEqual(rowsOfSlots(offsets, slotsOf(0, 2)), Uint32Array.of(0, 1, 2, 3, 4));
  assert.deepEqual(rowsOfSlots(offsets, slotsOf(1, 2)), Uint32Array.of(5));
  assert.deepEqual(rowsOfSlots(offsets, [3, 0]), Uint32Array.of(5, 0, 1));
  assert.deepEqual(slotsOf(2, 2048), [2, 2050]);
});

test("a group or slot that is not there is refused", () => {
  for (const numGroups of [0, -1, 1.5, numSlots + 1, Number.NaN]) assert.throws(() => slotMap(numGroups), ConfigError);
  for (const group of [-1, 2, 0.5]) assert.throws(() => slotsOf(group, 2), /2 groups have the indices 0 to 1/);
  assert.throws(() => rowsOfSlots(offsetsOf([]), [numSlots]), ConfigError);
});

test("the proof of disjointness names the row and the shards", () => {
  assertDisjoint([]);
  assertDisjoint([Uint32Array.of(), Uint32Array.of(3, 0), Uint32Array.of(1)]);
  assert.throws(() => assertDisjoint([Uint32Array.of(3), Uint32Array.of(1, 3)]), /row 3 is in shard 0 and in shard 1/);
  assert.throws(() => assertDisjoint([Uint32Array.of(2, 2)]), DataError);
});

test("a regime deals disjoint shards, all slots to everyone, or one shard to everyone", () => {
  for (const numGroups of [1, 2, 5]) {
    for (let group = 0; group < numGroups; group++) {
      assert.deepEqual(slotsUnder({ regime: "disjoint" }, group, numGroups), slotsOf(group, numGroups));
      assert.deepEqual(
        slotsUnder({ regime: "all" }, group, numGroups),
        Array.from({ length: numSlots }, (_, slot) => slot),
      );
      assert.deepEqual(slotsUnder({ regime: "same" }, group, numGroups), slotsOf(0, numGroups));
    }
    assert.throws(() => slotsUnder({ regime: "all" }, numGroups, numGroups), /got group index/);
  }
});

test("parts of given shares are disjoint, complete, and as large as they say", () => {
  for (const shares of [
    [1, 1],
    [3, 1],
    [0.5, 2, 1],
    [1, 1, 1, 1, 1],
  ]) {
    const total = shares.reduce((sum, share) => sum + share, 0);
    const parts = shares.map((_, group) => slotsUnder({ regime: "disjoint", shares }, group, shares.length));
    const all = parts.flat().sort((a, b) => a - b);
    assert.deepEqual(
      all,
      Array.from({ length: numSlots }, (_, slot) => slot),
    );
    parts.forEach((part, group) => {
      assert.ok(Math.abs(part.length - (numSlots * (shares[group] as number)) / total) < shares.length);
    });
  }
  const equal = slotsUnder({ regime: "disjoint", shares: [2, 2, 2] }, 1, 3);
  assert.deepEqual(equal, slotsOf(1, 3), "equal shares are no shares");
});
