import assert from "node:assert/strict";
import { test } from "node:test";
import { QUANTILES } from "./column.js";
import { areAbsurd, type Farthest, medianOfFar, outlierHint } from "./outliers.js";

/** Numbers whose quantiles are those of 0 to 20, evenly. */
const numbersTo = (max: number) => ({
  numbers: {
    ...{ count: 1000, numInfinite: 0, numWhole: 0, min: 0, max, numOthers: 0, other: null },
    quantiles: QUANTILES.map((share) => 20 * share),
  },
});
const far: Farthest = {
  ...{ numFar: 1, row: 701, value: 1e12, text: "1e12", nearest: 1e12 },
  others: { distance: 10, min: 0, max: 20 },
};

test("a value may be absurd from a hundred times the usual distance from the median on", () => {
  assert.equal(medianOfFar(numbersTo(1e12)), 10);
  assert.equal(medianOfFar(numbersTo(810)), 10);
  assert.equal(medianOfFar(numbersTo(809)), null);
  assert.equal(medianOfFar({ numbers: null }), null);
});

test("and is where few rows have it, and all others are a hundred times nearer", () => {
  assert.ok(areAbsurd(far, 1000));
  assert.ok(areAbsurd({ ...far, numFar: 10 }, 1000));
  assert.ok(!areAbsurd({ ...far, numFar: 11 }, 1000), "a part of the data");
  assert.ok(!areAbsurd({ ...far, nearest: 999 }, 1000), "a long tail");
  assert.ok(!areAbsurd({ ...far, others: { distance: 0, min: 0, max: 0 } }, 1000), "0 and 1");
});

test("it is told with its column, row and value, and what says that it is missing", () => {
  const text = (isLabel: boolean, isText: boolean, of = far) => outlierHint("km", of, { isLabel, isText }).text;
  assert.match(text(false, true), /^km is 1e12 in row 701, where all others are from 0 to 20: .*--null-values 1e12,/);
  assert.match(text(false, true, { ...far, text: "1,000.5" }), /--null-values '"1,000\.5"',/);
  assert.match(
    text(true, true, { ...far, numFar: 3 }),
    /701 \(and 2 rows like it\).*--label "nullif\(km, 1000000000000\)"$/,
  );
  assert.match(text(false, false), /empty in the data, or write nullif\(km, 1000000000000\) in the configuration$/);
});
