/** Expected values by numpy, from the formulas: psi over all pairs for the area under the curve. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fold, normal, rootKey, uniform } from "../runtime/random.js";
import {
  aucEstimate,
  calibrationEstimate,
  type Estimate,
  estimatesOf,
  lossEstimate,
  meanEstimate,
  shareEstimate,
} from "./estimates.js";
import { auc, calibrationError } from "./metrics.js";

function assertEstimate(actual: Estimate | undefined, value: number, low: number, high: number): void {
  assert.ok(actual);
  for (const [name, expected] of Object.entries({ value, low, high })) {
    const own = actual[name as keyof Estimate];
    assert.ok(Math.abs(own - expected) < 1e-6, `${name} is ${own}, expected ${expected}`);
  }
}

const scores = Float32Array.of(0.1, 0.4, 0.35, 0.8, 0.8, 0.65, 0.2, 0.9, 0.4, 0.55, 0.7, 0.3);
const labels = Float32Array.of(0, 0, 1, 1, 0, 1, 0, 1, 1, 0, 1, 0);

describe("an interval", () => {
  test("of a mean", () => {
    assertEstimate(meanEstimate(Float64Array.of(1, 2, 4, 8, 16)), 6.2, 0.853931, 11.546069);
  });

  test("of a loss is that of its logarithm, and never below 0", () => {
    // 6.2 exp(+- 5.346069 / 6.2)
    assertEstimate(lossEstimate(Float64Array.of(1, 2, 4, 8, 16)), 6.2, 2.617658, 14.684881);
    const rare = Float64Array.of(0, 0, 0, 0, 0, 0, 0, 9);
    assert.ok(meanEstimate(rare).low < 0);
    assert.ok(lossEstimate(rare).low > 0);
    assertEstimate(lossEstimate(new Float64Array(3)), 0, 0, 0);
    assert.ok(Number.isNaN(lossEstimate(Float64Array.of(1)).high), "a single row tells no chance");
  });

  test("of a share stays inside 0 and 1", () => {
    assertEstimate(shareEstimate(8, 10), 0.8, 0.490162, 0.943318);
    assert.ok(Math.abs(shareEstimate(0, 5).low) < 1e-12);
    assert.ok(Math.abs(shareEstimate(5, 5).high - 1) < 1e-12);
  });

  test("of the area under the curve, with ties", () => {
    const estimate = aucEstimate(scores, labels);
    assertEstimate(estimate, 0.777778, 0.493836, 1);
    assert.ok(Math.abs(estimate.value - auc(scores, labels)) < 1e-12);
  });

  test("holds the true value in about 95 of 100 samples", () => {
    const numTrials = 400;
    // Scores of positives are normal around 1, of negatives around 0: the area is Phi(1 / sqrt(2)).
    const area = 0.7602499;
    let [numAuc, numAccuracy, numRmse, numLoss] = [0, 0, 0, 0];
    // The mean log loss of probabilities that are right, evenly from 0 to 1.
    const logLoss = 0.5;
    for (let trial = 0; trial < numTrials; trial++) {
      const own = fold(rootKey(7), trial);
      const isPositive = uniform(fold(own, "label"), 300).map((u) => Number(u < 0.4));
      const x = normal(fold(own, "score"), 300).map((z, i) => z + (isPositive[i] ?? 0));
      const ofAuc = aucEstimate(x, isPositive);
      numAuc += Number(ofAuc.low <= area && area <= ofAuc.high);
      const rightProbs = uniform(fold(own, "p"), 40);
      const happens = uniform(fold(own, "y"), 40).map((u, i) => Number(u < (rightProbs[i] ?? 0)));
      const { loss } = estimatesOf("binary", { probs: rightProbs, labels: happens });
      numLoss += Number(loss && loss.low <= logLoss && logLoss <= loss.high);
      const errors = normal(fold(own, "error"), 300);
      const { rmse } = estimatesOf("regression", { probs: errors, labels: new Float32Array(300) });
      numRmse += Number(rmse && rmse.low <= 1 && 1 <= rmse.high);
      // Each prediction is right with probability 0.7.
      const probs = uniform(fold(own, "right"), 300).map((u, i) => Number(u < 0.7 === (isPositive[i] === 1)));
      const { accuracy } = estimatesOf("binary", { probs, labels: isPositive });
      numAccuracy += Number(accuracy && accuracy.low <= 0.7 && 0.7 <= accuracy.high);
    }
    // Three standard deviations of the number of hits: sqrt(400 * 0.95 * 0.05) is 4.4.
    for (const numHits of [numAuc, numAccuracy, numRmse, numLoss]) {
      assert.ok(Math.abs(numHits - 380) <= 14, `${numHits} of ${numTrials} hold it`);
    }
  });
});

test("the interval of a calibration error holds the true one in about 95 of 100 samples", () => {
  const numTrials = 200;
  let numHits = 0;
  for (let trial = 0; trial < numTrials; trial++) {
    const own = fold(rootKey(8), trial);
    // Predicted from 0.2 to 0.9, of which 0.1 is too much everywhere.
    const probs = uniform(fold(own, "p"), 4000).map((u) => 0.2 + 0.7 * u);
    const hits = uniform(fold(own, "hit"), 4000).map((u, i) => Number(u < (probs[i] ?? 0) - 0.1));
    const { low, high } = calibrationEstimate(probs, (i) => hits[i] === 1);
    numHits += Number(low <= 0.1 && 0.1 <= high);
  }
  // Three standard deviations of the number of hits: sqrt(200 * 0.95 * 0.05) is 3.1.
  assert.ok(Math.abs(numHits - 190) <= 10, `${numHits} of ${numTrials} hold it`);
});

test("estimates have the values of the metrics that they are of", () => {
  const binary = estimatesOf("binary", { probs: scores, labels });
  assert.deepEqual(Object.keys(binary), ["loss", "auc", "accuracy", "calibrationError"]);
  assert.equal(binary.accuracy?.value, 8 / 12);
  const isHit = (i: number) => labels[i] === 1;
  assert.ok(Math.abs((binary.calibrationError?.value ?? 0) - calibrationError(scores, isHit)) < 1e-12);
  const ofClasses = estimatesOf("multiclass", {
    probs: Float32Array.of(0.5, 0.25, 0.25, 0.2, 0.2, 0.6),
    labels: Int32Array.of(0, 1),
  });
  assert.ok(Math.abs((ofClasses.loss?.value ?? 0) - (Math.log(2) + Math.log(5)) / 2) < 1e-6);
  assert.equal(ofClasses.accuracy?.value, 0.5);
  // The decisions have 0.5, which is right, and 0.6, which is not.
  assert.ok(Math.abs((ofClasses.calibrationError?.value ?? 0) - (0.5 + 0.6) / 2) < 1e-6);
  const ofNumbers = estimatesOf("regression", { probs: Float32Array.of(1, 2, 4), labels: Float32Array.of(1, 3, 2) });
  assert.ok(Math.abs((ofNumbers.rmse?.value ?? 0) - Math.sqrt(5 / 3)) < 1e-6);
  assert.equal(ofNumbers.mae?.value, 1);
});
