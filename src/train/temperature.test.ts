import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { interpret } from "../../test/numerics/interpreter.js";
import { input } from "../graph/ops.js";
import { fold, rootKey, uniform } from "../runtime/random.js";
import { LEAST_PROB } from "./metrics.js";
import { binaryCalibration, classCalibration, type ForTemperature, temperatureOf } from "./temperature.js";

/** What {@link temperatureOf} minimises, written down once more. */
function objective({ probs, labels, numClasses, weights }: ForTemperature, temperature: number): number {
  let sum = Math.log(temperature) ** 2 / (2 * 0.3 ** 2);
  for (let i = 0; i < labels.length; i++) {
    const powers = Array.from({ length: numClasses }, (_, k) => {
      return Math.max(LEAST_PROB, probs[i * numClasses + k] as number) ** (1 / temperature);
    });
    const label = labels[i] as number;
    const total = powers.reduce((a, b) => a + b, 0);
    sum -= (weights?.[label] ?? 1) * Math.log((powers[label] as number) / total);
  }
  return sum;
}

/** So many rows with the prediction p, of which a share is positive. */
function rowsOf(count: number, p: number, share: number) {
  return {
    probs: new Float32Array(count).fill(p),
    labels: Float32Array.from({ length: count }, (_, i) => Number(i < share * count)),
  };
}

describe("the temperature", () => {
  test("of predictions of 0.9 that are right three times in four is 2", () => {
    // logit(0.9) = 2 log 3, logit(0.75) = log 3.
    const found = binaryCalibration().fit(rowsOf(40_000, 0.9, 0.75));
    assert.ok(Math.abs(found - 2) < 3e-3, String(found));
  });

  test("of predictions that are too timid is below 1", () => {
    const found = binaryCalibration().fit(rowsOf(40_000, 0.75, 0.9));
    assert.ok(Math.abs(found - 0.5) < 1e-3, String(found));
  });

  test("of few rows that are all right stays away from 0, and of many it does not", () => {
    const few = binaryCalibration().fit(rowsOf(10, 0.9, 1));
    const many = binaryCalibration().fit(rowsOf(10_000, 0.9, 1));
    assert.ok(few > 0.6 && few < 1, String(few));
    assert.ok(many < 0.4 && many > 0, String(many));
  });

  test("counts the rows of a class by its weight", () => {
    // Weights of 1 and 3 make of one positive in four as many as of negatives: then 1/2 would be right.
    const found = binaryCalibration([1, 3]).fit(rowsOf(10_000, 0.9, 0.25));
    assert.ok(found > 10, String(found));
  });

  test("has the least objective, whatever the probabilities", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1e6 }),
        fc.integer({ min: 2, max: 5 }),
        fc.boolean(),
        (seed, numClasses, isWeighted) => {
          const draws = uniform(fold(rootKey(seed), "probs"), 30 * numClasses);
          const probs = new Float32Array(draws.length);
          for (let row = 0; row < 30; row++) {
            const powers = Array.from({ length: numClasses }, (_, k) => (draws[row * numClasses + k] as number) ** 6);
            const total = powers.reduce((a, b) => a + b, 0);
            powers.forEach((power, k) => {
              probs[row * numClasses + k] = power / total;
            });
          }
          const labels = Int32Array.from(uniform(fold(rootKey(seed), "labels"), 30), (x) => Math.floor(x * numClasses));
          const weights = isWeighted ? Array.from({ length: numClasses }, (_, k) => 0.5 + k) : undefined;
          const all = { probs, labels, numClasses, ...(weights && { weights }) };
          const found = temperatureOf(all);
          const least = objective(all, found);
          for (const factor of [0.5, 0.9, 0.99, 1.01, 1.1, 2])
            assert.ok(least <= objective(all, found * factor) + 1e-9);
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe("scaled probabilities", () => {
  const binaryProbs = Float32Array.of(0, 0.001, 0.3, 0.5, 0.9, 0.9999, 1);
  const classProbs = Float32Array.of(0.2, 0.3, 0.5, 0, 0, 1, 0.98, 0.01, 0.01);

  for (const temperature of [0.5, 1, 1.7]) {
    test(`are the same on the host and in a graph, at ${temperature}`, () => {
      const cases = [
        { calibration: binaryCalibration(), probs: binaryProbs, shape: [7], axes: ["batch"] as const },
        { calibration: classCalibration(3), probs: classProbs, shape: [3, 3], axes: ["batch", 3] as const },
      ];
      for (const { calibration, probs, shape, axes } of cases) {
        const host = calibration.apply(probs, temperature);
        const output = calibration.graph(input("probs", axes), temperature);
        const feeds = { probs: { dtype: "float32", shape, data: probs } as const };
        const graph = interpret({ outputs: { output }, updates: {} }, feeds).outputs.output?.data ?? [];
        host.forEach((p, i) => {
          assert.ok(Math.abs(p - (graph[i] as number)) < 1e-6, `${p} and ${graph[i]}`);
        });
      }
    });
  }

  test("at 1 are what they were", () => {
    const same = classCalibration(3).apply(classProbs, 1);
    same.forEach((p, i) => {
      assert.ok(Math.abs(p - (classProbs[i] as number)) < 1e-6);
    });
  });
});
