import assert from "node:assert/strict";
import { test } from "node:test";
import { logIntervalAt } from "./log-interval.js";

test("step events are told as often as asked for at first, and then ever more rarely", () => {
  const toldAt = (interval: number, numSteps: number) => {
    const steps: number[] = [];
    for (let step = 1; step <= numSteps; step++) if (step % logIntervalAt(step, interval) === 0) steps.push(step);
    return steps;
  };
  assert.deepEqual(
    toldAt(3, 30_000),
    Array.from({ length: 10_000 }, (_, i) => 3 * (i + 1)),
  );
  assert.deepEqual(toldAt(1, 10_004).slice(-4), [9999, 10_000, 10_002, 10_004]);
  assert.equal(toldAt(1, 10_000_000).length, 10_000 + 9 * 5000 + 4765);
});
