/** Expected values by numpy from the formulas, and the quantile 2.7764 of Student's t with 4 degrees of freedom. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Interval, jackknifeInterval, studentInterval } from "./intervals.js";
import { mean, std } from "./statistics.js";

function assertInterval(actual: Interval, value: number, low: number, high: number): void {
  for (const [name, expected] of Object.entries({ value, low, high })) {
    const own = actual[name as keyof Interval];
    assert.ok(
      Math.abs(own - expected) < 1e-4 * Math.max(1, Math.abs(expected)),
      `${name} is ${own}, expected ${expected}`,
    );
  }
}

const values = [1, 2, 4, 8, 16];

test("Student's interval of a mean", () => {
  assertInterval(studentInterval(values), 6.2, -1.37301, 13.77301);
  assert.ok(Math.abs(std(values) - 6.09918) < 1e-5);
});

test("of a mean the jackknife is Student's interval", () => {
  const { value, low, high } = studentInterval(values);
  assertInterval(jackknifeInterval(values, mean), value, low, high);
});

test("the jackknife of a mean over all pairs", () => {
  const overPairs = (units: readonly number[]) =>
    mean(units.flatMap((a, i) => units.slice(i + 1).map((b) => Math.abs(a - b))));
  assertInterval(jackknifeInterval(values, overPairs), 7.2, -2.2814, 16.6814);
});

test("many degrees of freedom come close to the normal distribution", () => {
  const many = Array.from({ length: 41 }, (_, i) => i % 2);
  // t with 40 degrees of freedom is 2.02108 at 97.5 %.
  assert.ok(Math.abs((studentInterval(many).high - mean(many)) / (std(many) / Math.sqrt(41)) - 2.02108) < 2e-4);
});
