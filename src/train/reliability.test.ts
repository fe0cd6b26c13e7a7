import assert from "node:assert/strict";
import { test } from "node:test";
import { reliability } from "./reliability.js";

test("bins have about equally many examples, equal predictions in one of them, and Wilson's intervals", () => {
  // 25 of 0.25, of which 5 are hits, and 15 of 0.75, of which all are: not in the order of the predictions.
  const predicted = Float32Array.from({ length: 40 }, (_, i) => (i < 15 ? 0.75 : 0.25));
  const [low, high, ...others] = reliability(predicted, (i) => i < 20);
  assert.deepEqual(others, []);
  assert.deepEqual([low?.rows, low?.least, low?.meanPrediction, low?.most], [25, 0.25, 0.25, 0.25]);
  assert.deepEqual([high?.rows, high?.least, high?.meanPrediction, high?.most], [15, 0.75, 0.75, 0.75]);
  // binomtest(5, 25).proportion_ci(method="wilson") and binomtest(15, 15) of scipy 1.17.
  for (const [actual, expected] of [
    [low?.observed.value, 0.2],
    [low?.observed.low, 0.0886],
    [low?.observed.high, 0.3913],
    [high?.observed.value, 1],
    [high?.observed.low, 0.7961],
    [high?.observed.high, 1],
  ] as const)
    assert.ok(Math.abs((actual ?? Number.NaN) - expected) < 5e-5, `${actual}, expected ${expected}`);
});

test("there are at most 10 bins, and one of few examples", () => {
  const rows = (count: number) =>
    reliability(
      Float32Array.from({ length: count }, (_, i) => ((i * 7919) % count) / count),
      () => true,
    ).map(({ rows }) => rows);
  assert.deepEqual(rows(1005), [101, 101, 101, 101, 101, 100, 100, 100, 100, 100]);
  assert.deepEqual(rows(59), [30, 29]);
  assert.deepEqual(rows(39), [39]);
  assert.deepEqual(rows(1), [1]);
});
