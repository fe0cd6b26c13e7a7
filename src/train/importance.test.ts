import assert from "node:assert/strict";
import { test } from "node:test";
import { fold, normal, rootKey } from "../runtime/random.js";
import { donors, repeatedDonors, riseEstimate } from "./importance.js";

test("each example gets the value of another one, each gives once, and all others are equally likely", () => {
  for (let count = 2; count < 40; count++) {
    const own = donors(fold(rootKey(5), count), count);
    assert.deepEqual(
      [...own].sort((a, b) => a - b),
      [...Array(count).keys()],
    );
    assert.ok(own.every((giver, i) => giver !== i));
  }
  const counts = [0, 0, 0, 0];
  for (let draw = 0; draw < 3000; draw++) counts[donors(fold(rootKey(6), draw), 4)[0] ?? 0]!++;
  assert.equal(counts[0], 0);
  // Four standard deviations of a count: sqrt(3000 / 3 * 2 / 3) is 26.
  for (const count of counts.slice(1)) assert.ok(Math.abs(count - 1000) < 104, `${counts}`);
});

test("a rise counts for the example that it is of and for the one that gave the value", () => {
  // By hand: the projections are 3 + 6, 0 + 3 and 6 + 0; their mean is twice the rise, their standard deviation 3.
  const { value, low, high } = riseEstimate([Float64Array.of(3, 0, 6)], [Uint32Array.of(1, 2, 0)]);
  for (const [actual, expected] of [
    [value, 3],
    [low, 3 - 1.959963984540054 * Math.sqrt(3)],
    [high, 3 + 1.959963984540054 * Math.sqrt(3)],
  ] as const)
    assert.ok(Math.abs(actual - expected) < 1e-12, `${actual}, expected ${expected}`);
});

test("the interval of a rise holds the true one in about 95 of 100 samples", () => {
  const [numTrials, count, repeats] = [400, 200, 10];
  let numHits = 0;
  for (let trial = 0; trial < numTrials; trial++) {
    const own = fold(rootKey(9), trial);
    const x = normal(fold(own, "x"), count);
    const y = normal(fold(own, "noise"), count).map((z, i) => z / 2 + (x[i] ?? 0));
    const givers = repeatedDonors(own, repeats, count);
    // A model that predicts x. Its squared error rises by E (x' - y)^2 - E (x - y)^2 = 2 var(x) = 2.
    const error = (predicted: number, i: number) => (predicted - (y[i] ?? 0)) ** 2;
    const rises = givers.map((givers) =>
      Float64Array.from(givers, (giver, i) => error(x[giver] ?? 0, i) - error(x[i] ?? 0, i)),
    );
    const { low, high } = riseEstimate(rises, givers);
    numHits += Number(low <= 2 && 2 <= high);
  }
  // Three standard deviations of the number of hits: sqrt(400 * 0.95 * 0.05) is 4.4. By the rises alone it is about 310.
  assert.ok(Math.abs(numHits - 380) <= 14, `${numHits} of ${numTrials} hold it`);
});

test("a column that the model does not use has no rise, and no doubt about it", () => {
  const rises = [new Float64Array(5), new Float64Array(5)];
  assert.deepEqual(riseEstimate(rises, repeatedDonors(rootKey(1), 2, 5)), { value: 0, low: 0, high: 0 });
});
