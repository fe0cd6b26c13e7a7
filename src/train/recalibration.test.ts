import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { DataError } from "../errors.js";
import { logLoss } from "./metrics.js";
import { isotonic, type Scaling, scaled, scalingOf } from "./recalibration.js";

const rows = {
  probs: Float64Array.of(0.7, 0.02, 0.1, 0.45, 0.3, 0.97, 0.1, 0.25, 0.5, 0.3, 0.6, 0.8, 0.7, 0.9),
  labels: Float64Array.of(0, 0, 0, 0, 0, 0, 1, 0, 1, 1, 0, 1, 1, 1),
};

function assertClose(actual: number, expected: number, tolerance: number): void {
  assert.ok(Math.abs(actual - expected) < tolerance, `${actual}, expected ${expected}`);
}

/** Rows with labels of both classes, among which some probabilities are equal. */
const someRows = fc
  .array(fc.record({ p: fc.integer({ min: 1, max: 39 }), isPositive: fc.boolean() }), { minLength: 8, maxLength: 60 })
  .map((drawn) => ({
    probs: Float64Array.from(drawn, ({ p }) => p / 40),
    labels: Float64Array.from(drawn, ({ isPositive }) => Number(isPositive)),
  }));

describe("temperature and bias", () => {
  // By `python3 test/golden/recalibration.py`.
  test("are those that SciPy finds", () => {
    const found = scalingOf(rows);
    assertClose(found.temperature, 4.919801, 1e-5);
    assertClose(found.bias, -0.26685485, 1e-7);
    assertClose(logLoss(scaled(rows.probs, found), rows.labels), 0.6665086926, 1e-9);
  });

  test("give back what made the probabilities", () => {
    // 100 rows at each of 0.2, 0.5, 0.8 with that share of positives, of which the model says other probabilities.
    const made: Scaling = { temperature: 1 / 1.7, bias: 0.4 };
    const truth = Float64Array.from({ length: 300 }, (_, i) => [0.2, 0.5, 0.8][Math.floor(i / 100)] as number);
    const labels = truth.map((p, i) => Number(i % 100 < 100 * p));
    const found = scalingOf({ probs: scaled(truth, made), labels });
    assertClose(found.temperature, 1.7, 1e-9);
    assertClose(found.bias, -0.4 / 1.7, 1e-9);
  });

  test("have the least loss, whatever the rows", () => {
    let numFound = 0;
    fc.assert(
      fc.property(someRows, ({ probs, labels }) => {
        let found: Scaling;
        try {
          found = scalingOf({ probs, labels });
        } catch (error) {
          assert.ok(error instanceof DataError);
          return;
        }
        numFound++;
        const lossOf = (slope: number, bias: number) =>
          logLoss(scaled(probs, { temperature: 1 / slope, bias }), labels);
        const { temperature, bias } = found;
        const least = lossOf(1 / temperature, bias);
        for (const by of [-0.1, -1e-3, 1e-3, 0.1]) {
          assert.ok(least <= lossOf(1 / temperature + by, bias) + 1e-12);
          assert.ok(least <= lossOf(1 / temperature, bias + by) + 1e-12);
        }
      }),
      { numRuns: 100 },
    );
    assert.ok(numFound > 50, `of 100 draws ${numFound} had a best scaling`);
  });

  test("are refused where none is the best", () => {
    const labels = Float64Array.of(0, 0, 1, 1);
    assert.throws(() => scalingOf({ probs: Float64Array.of(0.1, 0.2, 0.7, 0.9), labels }), DataError);
    assert.throws(() => scalingOf({ probs: Float64Array.of(0.3, 0.2), labels: Float64Array.of(1, 1) }), DataError);
  });
});

describe("isotonic regression", () => {
  // By `python3 test/golden/recalibration.py`.
  test("is that of scikit-learn", () => {
    const [third, half, most] = [1 / 3, 1 / 2, 2 / 3];
    const expected = [half, 0, third, third, third, most, third, third, half, third, half, most, half, most];
    isotonic(rows).forEach((value, i) => {
      assertClose(value, expected[i] as number, 1e-12);
    });
  });

  test("never falls, keeps the mean, and has no more loss than any scaling that keeps the order", () => {
    fc.assert(
      fc.property(someRows, fc.double({ min: 0.2, max: 5, noNaN: true }), (some, temperature) => {
        const { probs, labels } = some;
        const fitted = isotonic(some);
        const order = Array.from(probs, (_, i) => i).sort((a, b) => (probs[a] as number) - (probs[b] as number));
        order.slice(1).forEach((row, at) => {
          const before = order[at] as number;
          assert.ok((fitted[row] as number) >= (fitted[before] as number));
          if (probs[row] === probs[before]) assert.equal(fitted[row], fitted[before]);
        });
        const sum = (values: Float64Array) => values.reduce((total, value) => total + value, 0);
        assertClose(sum(fitted), sum(labels), 1e-9);
        const other = scaled(probs, { temperature, bias: 0.1 });
        assert.ok(logLoss(fitted, labels) <= logLoss(other, labels) + 1e-6);
      }),
      { numRuns: 200 },
    );
  });
});
