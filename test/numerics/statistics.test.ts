/** Statistics of studies against SciPy: `npm run golden` computes its values again. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DataError } from "../../src/errors.js";
import { type Interval, jackknifeInterval, ratioInterval, studentInterval } from "../../src/study/intervals.js";
import { mean } from "../../src/study/statistics.js";
import { studentQuantile, studentShare } from "../../src/study/student-t.js";
import { aucDifference, aucEstimate } from "../../src/train/estimates.js";
import { normalTail } from "../../src/train/normal.js";
import { readGolden, resultOf } from "../golden/golden.js";
import { pairs, quantiles, scored } from "../golden/statistics.js";

interface DeLong {
  readonly areas: number[];
  readonly difference: number[];
  readonly "p value": number;
}

const golden = readGolden<number[] | DeLong>("statistics");
const numbersOf = (name: string) => resultOf(golden, name) as number[];

/** To 1e-9 of the value, and of a value near 0 to 1e-12. */
function assertClose(actual: number, expected: number, what: string): void {
  const off = Math.abs(actual - expected);
  assert.ok(off <= Math.max(1e-12, 1e-9 * Math.abs(expected)), `${what}: ${actual}, expected ${expected}`);
}

function assertInterval({ value, low, high }: Interval, name: string, expected: readonly number[]): void {
  for (const [i, own] of [value, low, high].entries()) assertClose(own, expected[i] ?? Number.NaN, name);
}

describe("Student's distribution", () => {
  test("quantiles", () => {
    const expected = numbersOf("quantiles");
    for (const [i, [share, degrees]] of quantiles.entries())
      assertClose(studentQuantile(share, degrees), expected[i] ?? Number.NaN, `${share} of ${degrees}`);
  });

  test("shares", () => {
    const at = [
      [-3, 2],
      [0, 5],
      [0.7, 1],
      [2.5, 9],
      [40, 3],
    ] as const;
    const expected = numbersOf("shares");
    for (const [i, [value, degrees]] of at.entries())
      assertClose(studentShare(value, degrees), expected[i] ?? Number.NaN, `below ${value} of ${degrees}`);
  });

  test("what it is not defined for is refused", () => {
    for (const share of [0, 1, Number.NaN]) assert.throws(() => studentQuantile(share, 3), DataError);
    assert.throws(() => studentQuantile(0.9, 0), DataError);
    assert.throws(() => studentShare(1, Number.NaN), DataError);
  });
});

for (const [name, seeds] of Object.entries(pairs)) {
  test(`intervals of ${name}`, () => {
    const differences = seeds.map(([own, other]) => own - other);
    assertInterval(studentInterval(differences), name, numbersOf(`paired, ${name}`));
    if (seeds.length < 3) return;
    const ratio = ratioInterval(
      seeds,
      ([own]) => own,
      ([, other]) => other,
    );
    assertInterval(ratio, name, numbersOf(`ratio, ${name}`));
    const overPairs = jackknifeInterval(seeds, (some) =>
      mean(some.flatMap(([a], i) => some.slice(i + 1).map(([b]) => Math.abs(a - b)))),
    );
    assertInterval(overPairs, name, numbersOf(`over pairs, ${name}`));
  });
}

test("tails of the normal distribution", () => {
  const expected = numbersOf("normal tails");
  const at = [-3, -0.5, 0, 1e-9, 0.3, 1, 1.96, 2.4999, 2.5, 4, 9, 30];
  for (const [i, z] of at.entries()) {
    const [tail, own = Number.NaN] = [normalTail(z), expected[i]];
    // Also of tiny tails, which an error of 1e-12 would swallow.
    assert.ok(Math.abs(tail - own) <= 1e-12 * own, `above ${z}: ${tail}, expected ${own}`);
  }
  assert.deepEqual([normalTail(Number.POSITIVE_INFINITY), normalTail(Number.NEGATIVE_INFINITY)], [0, 1]);
  assert.ok(Number.isNaN(normalTail(Number.NaN)));
});

test("the areas under two ROC curves of the same rows, and their difference", () => {
  const [own, other] = [Float64Array.from(scored.own), Float64Array.from(scored.other)];
  const labels = Float64Array.from(scored.labels);
  const { areas, difference, "p value": pValue } = resultOf(golden, "delong") as DeLong;
  assertClose(aucEstimate(own, labels).value, areas[0] ?? Number.NaN, "own");
  assertClose(aucEstimate(other, labels).value, areas[1] ?? Number.NaN, "other");
  const found = aucDifference(own, other, labels);
  assertInterval(found, "difference", difference);
  assertClose(found.pValue, pValue, "p value");
  const same = aucDifference(own, own, labels);
  assert.deepEqual(same, { value: 0, low: 0, high: 0, pValue: 1 });
  const oneClass = aucDifference(
    own,
    other,
    labels.map(() => 1),
  );
  assert.ok(Number.isNaN(oneClass.value) && Number.isNaN(oneClass.pValue), "NaN where a class is missing");
});
