import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { errors, explainedVariance, meanError } from "./number-metrics.js";
import { regressionTask } from "./task.js";

const close = (actual: number, expected: number, tolerance = 1e-9) =>
  assert.ok(
    Math.abs(actual - expected) <= tolerance * Math.max(1, Math.abs(expected)),
    `${actual}, expected ${expected}`,
  );
const mean = (values: readonly number[]) => values.reduce((total, value) => total + value, 0) / values.length;

test("of four numbers, by hand", () => {
  const [predicted, labels] = [Float32Array.of(1, 2, 3, 8), Float32Array.of(1, 4, 2, 5)];
  assert.equal(meanError(predicted, labels, errors.squared), (0 + 4 + 1 + 9) / 4);
  assert.equal(meanError(predicted, labels, errors.absolute), (0 + 2 + 1 + 3) / 4);
  assert.equal(
    meanError(predicted, labels, (d) => errors.huber(d, 2)),
    (0 + 2 + 0.5 + 4) / 4,
  );
  // The labels' mean is 3, and 4 + 1 + 1 + 4 their sum of squares around it.
  close(explainedVariance(predicted, labels), 1 - 14 / 10);
  assert.equal(explainedVariance(labels, labels), 1);
  assert.equal(explainedVariance(Float32Array.of(3, 3, 3, 3), labels), 0);
  assert.ok(Number.isNaN(explainedVariance(predicted, Float32Array.of(2, 2, 2, 2))));
});

test("of a task: the loss of standardised numbers, metrics in the unit of the labels", () => {
  const numbers = fc.array(
    fc.tuple(fc.float({ min: -50, max: 50, noNaN: true }), fc.float({ min: -50, max: 50, noNaN: true })),
    {
      minLength: 2,
      maxLength: 30,
    },
  );
  fc.assert(
    fc.property(
      numbers,
      fc.double({ min: -9, max: 9, noNaN: true }),
      fc.double({ min: 0.1, max: 9, noNaN: true }),
      (pairs, centre, std) => {
        const probs = Float32Array.from(pairs, ([p]) => p);
        const labels = Float32Array.from(pairs, ([, y]) => y);
        const differences = pairs.map(([p, y]) => p - y);
        const standard = differences.map((d) => d / std);
        const { loss, rmse, mae, r2 } = regressionTask({ mean: centre, std }).measure({ probs, labels });
        close(loss, mean(standard.map((d) => d ** 2)));
        close(rmse ?? Number.NaN, Math.sqrt(mean(differences.map((d) => d ** 2))));
        close(mae ?? Number.NaN, mean(differences.map(Math.abs)));
        const middle = mean(pairs.map(([, y]) => y));
        const variance = mean(pairs.map(([, y]) => (y - middle) ** 2));
        if (variance > 1e-6) close(r2 ?? Number.NaN, 1 - mean(differences.map((d) => d ** 2)) / variance, 1e-6);
        const absolute = regressionTask({ std, loss: "absolute" }).measure({ probs, labels });
        close(absolute.loss, mean(standard.map(Math.abs)));
        const huber = regressionTask({ std, loss: "huber", delta: 1.5 }).measure({ probs, labels });
        const huberOf = (d: number) => (Math.abs(d) < 1.5 ? d ** 2 / 2 : 1.5 * Math.abs(d) - 1.125);
        close(huber.loss, mean(standard.map(huberOf)));
      },
    ),
  );
});
