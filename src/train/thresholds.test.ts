import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fold, rootKey, uniform } from "../runtime/random.js";
import type { Predictions } from "./evaluate.js";
import { calibratedThreshold, thresholdAdvice } from "./thresholds.js";

const key = rootKey(4);
const of = (probs: readonly number[], labels: readonly number[]): Predictions => ({
  probs: Float32Array.from(probs),
  labels: Float32Array.from(labels),
});
const leastOf = (probs: readonly number[], labels: readonly number[], falsePositive: number, falseNegative: number) =>
  thresholdAdvice(of(probs, labels), { falsePositive, falseNegative }, key).least.threshold;

/** Rows whose label is 1 with the probability that is predicted, or with another one. */
function drawn(count: number, truth: (p: number) => number = (p) => p): Predictions {
  const probs = uniform(fold(key, "p"), count);
  const labels = uniform(fold(key, "label"), count).map((u, i) => Number(u < truth(probs[i] ?? 0)));
  return { probs, labels };
}

describe("thresholds", () => {
  test("are counted and priced as by hand", () => {
    const rows = of([0.1, 0.2, 0.3, 0.4, 0.6, 0.8], [0, 0, 1, 0, 1, 1]);
    const { calibrated, least, usual } = thresholdAdvice(rows, { falsePositive: 1, falseNegative: 3 }, key);
    assert.equal(calibrated.threshold, 0.25);
    const { cost, ...counts } = calibrated;
    assert.deepEqual(counts, {
      threshold: 0.25,
      truePositives: 3,
      falsePositives: 1,
      trueNegatives: 2,
      falseNegatives: 0,
    });
    assert.equal(cost.value, 1 / 6);
    assert.deepEqual(least, calibrated, "of the thresholds that cost the least, the calibrated one");
    assert.deepEqual([usual.threshold, usual.falseNegatives, usual.cost.value], [0.5, 1, 3 / 6]);
  });

  test("of the least cost have few digits, and decide the rows as they were counted", () => {
    assert.equal(leastOf([0.01, 0.02, 0.03, 0.04], [0, 0, 1, 1], 1, 1), 0.025);
    assert.equal(leastOf([0.3, 0.2], [0, 0], 1, 9), 0.7, "no for all");
    assert.equal(leastOf([0.6, 0.8], [1, 1], 9, 1), 0.3, "yes for all");
    assert.equal(leastOf([1, 0.5], [0, 1], 1, 1), 0.5, "a probability of 1 is always a yes");
    assert.equal(leastOf([0.4, 0.6, 0.8], [1, 0, 1], 1, 1), 0.7, "of two that cost the same, the one nearer to 0.5");
  });

  test("are the calibrated one, for whose expected cost there is a formula, where probabilities are right", () => {
    // With p uniform, costs of 1 and 4: the integral of 4 p up to 0.2 and of 1 - p from there on is 0.4.
    const advice = thresholdAdvice(drawn(20_000), { falsePositive: 1, falseNegative: 4 }, key);
    const { low, high } = advice.calibrated.cost;
    assert.ok(low < 0.4 && 0.4 < high, `${low} to ${high}`);
    assert.ok((advice.difference?.high ?? -1) > 0, "no other threshold is better beyond chance");
    assert.ok(Math.abs(advice.least.threshold - 0.2) < 0.05, `${advice.least.threshold}`);
  });

  test("are others where probabilities are wrong, and both halves find them", () => {
    const advice = thresholdAdvice(
      drawn(4000, (p) => p ** 3),
      { falsePositive: 1, falseNegative: 1 },
      key,
    );
    // p ** 3 is a half at 0.794.
    for (const threshold of [advice.least.threshold, ...(advice.crossFitted?.thresholds ?? [])])
      assert.ok(Math.abs(threshold - 0.794) < 0.06, `${threshold}`);
    assert.ok((advice.difference?.high ?? 1) < 0);
  });

  test("that rows choose without reason look better on them than on others", () => {
    const { least, crossFitted } = thresholdAdvice(
      drawn(200, () => 0.5),
      { falsePositive: 1, falseNegative: 1 },
      key,
    );
    const { truePositives = 0, falsePositives = 0, trueNegatives = 0, falseNegatives = 0 } = crossFitted ?? {};
    assert.equal(truePositives + falsePositives + trueNegatives + falseNegatives, 200);
    assert.equal(crossFitted?.cost.value, (falsePositives + falseNegatives) / 200);
    assert.ok(least.cost.value < 0.5 && (crossFitted?.cost.value ?? 0) > least.cost.value);
  });

  test("of predictions that are no numbers are none", () => {
    assert.ok(Number.isNaN(leastOf([Number.NaN, Number.NaN], [0, 1], 1, 1)));
  });

  test("of one row have no cross-fit", () => {
    const { crossFitted, difference } = thresholdAdvice(of([0.5], [1]), { falsePositive: 1, falseNegative: 1 }, key);
    assert.deepEqual([crossFitted, difference], [null, null]);
  });
});

test("the calibrated threshold is the share of a wrong yes in both costs", () => {
  assert.equal(calibratedThreshold({ falsePositive: 1, falseNegative: 5 }), 1 / 6);
});
