import assert from "node:assert/strict";
import { test } from "node:test";
import { beta } from "./beta.js";
import { fold, rootKey } from "./random.js";

/** The largest distance of the empirical distribution from a cumulative one (Kolmogorov and Smirnov). */
function distance(values: readonly number[], cumulative: (x: number) => number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = sorted.map((x, i) => Math.max(cumulative(x) - i / sorted.length, (i + 1) / sorted.length - cumulative(x)));
  return Math.max(...at);
}

const NUM_DRAWS = 3000;
// By chance a distance is larger once in ten thousand times.
const MOST = 2.23 / Math.sqrt(NUM_DRAWS);

test("draws have the distributions that are known in closed form", () => {
  const cases: readonly (readonly [number, number, (x: number) => number])[] = [
    [1, 1, (x) => x],
    [0.5, 0.5, (x) => (2 / Math.PI) * Math.asin(Math.sqrt(x))],
    [2, 2, (x) => 3 * x ** 2 - 2 * x ** 3],
    [3, 1, (x) => x ** 3],
    [0.2, 1, (x) => x ** 0.2],
    [1, 0.2, (x) => 1 - (1 - x) ** 0.2],
  ];
  for (const [a, b, cumulative] of cases) {
    const values = Array.from({ length: NUM_DRAWS }, (_, i) => beta(fold(rootKey(3), i), a, b));
    assert.ok(values.every((x) => x >= 0 && x <= 1));
    assert.ok(distance(values, cumulative) < MOST, `Beta(${a}, ${b}): ${distance(values, cumulative)}`);
    assert.ok(distance(values, (x) => cumulative(x) ** 1.3) > MOST, "another distribution is told apart");
  }
});

test("extreme shapes give numbers, and a key gives one number", () => {
  for (const a of [1e-4, 1e-2, 50, 1e4]) {
    const values = Array.from({ length: 200 }, (_, i) => beta(fold(rootKey(4), i), a, a));
    assert.ok(
      values.every((x) => x >= 0 && x <= 1),
      `Beta(${a}, ${a})`,
    );
    const central = values.filter((x) => x > 0.3 && x < 0.7).length;
    assert.ok(a < 1 ? central < 20 : central > 180, `Beta(${a}, ${a}): ${central} of 200 in the middle`);
  }
  assert.equal(beta(rootKey(5), 0.3, 0.3), beta(rootKey(5), 0.3, 0.3));
});
