import assert from "node:assert/strict";
import { test } from "node:test";
import { fold, normal, rootKey } from "../runtime/random.js";
import { coverageOf, keptErrors, offsetsFor } from "./intervals.js";
import { regressionTask } from "./task.js";

test("an interval is between the errors of the ranks that its level asks for", () => {
  // Errors of 1 to 39: for 90 %, the 2nd smallest and the 38th.
  const errors = keptErrors(Float64Array.from({ length: 39 }, (_, i) => ((i * 7) % 39) + 1));
  assert.deepEqual(offsetsFor(errors, 0.9), { low: 2, high: 38 });
  assert.deepEqual(offsetsFor(errors, 0.95), { low: 1, high: 39 });
  assert.equal(offsetsFor(errors, 0.96), null, "39 errors say nothing of one row in 50");
  assert.equal(offsetsFor(keptErrors(new Float64Array()), 0.5), null);
});

test("of many errors some are kept, and intervals become wider by it, not narrower", () => {
  const errors = keptErrors(
    Float64Array.from({ length: 1001 }, (_, i) => i + 1),
    11,
  );
  assert.deepEqual(errors.ranks, [1, 101, 201, 301, 401, 501, 601, 701, 801, 901, 1001]);
  // All errors would give the ranks 250 and 752.
  assert.deepEqual(offsetsFor(errors, 0.5), { low: 201, high: 801 });
});

test("intervals hold the share of labels that they promise, whatever the errors are like", () => {
  for (const logUnit of [undefined, 2]) {
    const { errorScale } = regressionTask(logUnit === undefined ? {} : { logUnit });
    assert.ok(errorScale);
    const rows = (name: string, count: number) => {
      const own = fold(rootKey(21), name);
      // Errors with a long tail to one side.
      const errors = normal(fold(own, "error"), count).map((z) => Math.exp(z) - 1);
      const probs = Float64Array.from(normal(fold(own, "x"), count), (z) => Math.exp(z));
      return { probs, labels: Float64Array.from(probs, (p, i) => errorScale.moved(p, errors[i] ?? 0)) };
    };
    const kept = keptErrors(errorScale.errors(rows("validation", 20_000)));
    const coverage = coverageOf(rows("test", 20_000), kept, errorScale);
    assert.deepEqual(
      coverage.map(({ level }) => level),
      [0.5, 0.8, 0.9, 0.95],
    );
    for (const { level, held, meanWidth } of coverage) {
      assert.ok(Math.abs(held.value - level) < 0.015, `${held.value} of ${level}`);
      if (logUnit !== undefined || level !== 0.9) continue;
      // exp(z) at the 95th and the 5th percentile of a normal distribution: 5.18 and 0.193.
      assert.ok(Math.abs(meanWidth - 4.987) < 0.25, `${meanWidth}`);
    }
  }
});

test("errors of shifted labels are in the unit of the label", () => {
  const { errorScale } = regressionTask({ shift: { center: 100, scale: 8 } });
  const predictions = { probs: Float32Array.of(1, 2), labels: Float32Array.of(1.5, 0) };
  assert.deepEqual(errorScale?.errors(predictions), Float64Array.of(4, -16));
});
