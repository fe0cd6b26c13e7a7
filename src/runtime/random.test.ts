import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { bits, fold, normal, permutation, rootKey, threefry, uniform } from "./random.js";

test("threefry gives the known answers of Random123 1.14 (kat_vectors, threefry2x32 20)", () => {
  const answers: [number[], number[]][] = [
    [
      [0, 0, 0, 0],
      [0x6b200159, 0x99ba4efe],
    ],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0x1cb996fc, 0xbb002be7],
    ],
    [
      [0x13198a2e, 0x03707344, 0x243f6a88, 0x85a308d3],
      [0xc4923a9c, 0x483df7a0],
    ],
  ];
  for (const [[a, b, c, d], expected] of answers) {
    assert.deepEqual(threefry(a ?? 0, b ?? 0, c ?? 0, d ?? 0), expected);
  }
});

test("a draw depends on key and index only", () => {
  assert.deepEqual(bits(rootKey(7), 5), bits(rootKey(7), 100).slice(0, 5));
  assert.notDeepEqual(bits(rootKey(7), 5), bits(rootKey(8), 5));
  assert.notDeepEqual(fold(rootKey(7), "a"), fold(rootKey(7), "b"));
  assert.notDeepEqual(fold(rootKey(7), "ab"), fold(fold(rootKey(7), "a"), "b"));
  assert.notDeepEqual(rootKey(1), rootKey(1 + 2 ** 32));
});

test("uniform and normal have the moments of their distributions", () => {
  const count = 100_000;
  const u = uniform(rootKey(1), count);
  const n = normal(rootKey(2), count);
  const mean = (v: Float32Array) => v.reduce((sum, x) => sum + x, 0) / count;
  const variance = (v: Float32Array) => v.reduce((sum, x) => sum + x * x, 0) / count - mean(v) ** 2;
  assert.ok(Math.abs(mean(u) - 0.5) < 4 * Math.sqrt(1 / 12 / count));
  assert.ok(Math.abs(variance(u) - 1 / 12) < 0.001);
  assert.ok(u.every((x) => x >= 0 && x < 1));
  assert.ok(Math.abs(mean(n)) < 4 / Math.sqrt(count));
  assert.ok(Math.abs(variance(n) - 1) < 0.02);
  assert.ok(n.every(Number.isFinite));
});

test("a permutation holds every index once, and all orders come up", () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 0, max: 300 }), (seed, count) => {
      assert.deepEqual(
        [...permutation(rootKey(seed), count)].sort((a, b) => a - b),
        [...Array(count).keys()],
      );
    }),
  );
  const seen = new Map<string, number>();
  for (let seed = 0; seed < 6000; seed++) {
    const order = permutation(rootKey(seed), 3).join("");
    seen.set(order, (seen.get(order) ?? 0) + 1);
  }
  assert.equal(seen.size, 6);
  for (const count of seen.values()) assert.ok(Math.abs(count - 1000) < 150, `${count} of 6000`);
});
