import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { auc, logLoss, meanAbsoluteDifference, meanOfProbs } from "./metrics.js";

const f32 = (...values: number[]) => Float32Array.from(values);
const close = (actual: number, expected: number, tolerance = 1e-7) =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual}, expected ${expected}`);

/** Examples with few different probabilities, so that there are many ties. */
const examples = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 8 }), fc.boolean()), { minLength: 1, maxLength: 60 })
  .map((pairs) => ({
    probs: Float32Array.from(pairs, ([eighths]) => eighths / 8),
    labels: Float32Array.from(pairs, ([, isPositive]) => Number(isPositive)),
  }));

describe("logLoss", () => {
  test("of a coin toss is ln 2, whatever the labels", () => {
    close(logLoss(f32(0.5), f32(1)), Math.LN2);
    close(logLoss(f32(0.5, 0.5, 0.5), f32(1, 0, 1)), Math.LN2);
  });

  test("is the mean of -ln p for positives and -ln (1 - p) for negatives", () => {
    close(logLoss(f32(0.25), f32(1)), Math.log(4));
    close(logLoss(f32(0.25), f32(0)), Math.log(4 / 3));
    close(logLoss(f32(0.25, 0.25, 0.75), f32(1, 0, 1)), (Math.log(4) + 2 * Math.log(4 / 3)) / 3);
  });

  test("of a constant prediction is the cross-entropy of the base rate, least at the base rate", () => {
    const labels = Float32Array.from({ length: 100 }, (_, i) => Number(i < 30));
    const at = (p: number) => logLoss(new Float32Array(100).fill(p), labels);
    close(at(0.3), -(0.3 * Math.log(0.3) + 0.7 * Math.log(0.7)), 1e-6);
    for (const p of [0.1, 0.29, 0.31, 0.9]) assert.ok(at(p) > at(0.3));
  });

  test("stays finite at 0 and 1: right is almost nothing, wrong is ln 10^7", () => {
    close(logLoss(f32(1, 0), f32(1, 0)), 1e-7, 1e-12);
    close(logLoss(f32(1), f32(0)), 7 * Math.LN10, 1e-7);
    close(logLoss(f32(0), f32(1)), 7 * Math.LN10, 1e-7);
  });

  test("of NaN is NaN, so that it is never the best", () => {
    assert.ok(Number.isNaN(logLoss(f32(0.5, Number.NaN), f32(1, 0))));
  });

  test("is the same when classes and probabilities change sides", () => {
    fc.assert(
      fc.property(examples, ({ probs, labels }) => {
        const swapped = logLoss(
          probs.map((p) => 1 - p),
          labels.map((y) => 1 - y),
        );
        close(swapped, logLoss(probs, labels), 1e-9);
      }),
    );
  });
});

/** The chance that a positive example is ranked above a negative one, by looking at every pair. */
function aucByPairs(probs: Float32Array, labels: Float32Array): number {
  let wins = 0;
  let pairs = 0;
  for (const [i, p] of probs.entries()) {
    for (const [j, q] of probs.entries()) {
      if (labels[i] !== 1 || labels[j] === 1) continue;
      pairs++;
      wins += p > q ? 1 : p === q ? 0.5 : 0;
    }
  }
  return wins / pairs;
}

describe("auc", () => {
  test("is 1 for a perfect order, 0 for the reverse, a half for one value", () => {
    const labels = f32(0, 0, 1, 1, 1);
    assert.equal(auc(f32(0.1, 0.2, 0.3, 0.4, 0.5), labels), 1);
    assert.equal(auc(f32(0.5, 0.4, 0.3, 0.2, 0.1), labels), 0);
    assert.equal(auc(f32(0.7, 0.7, 0.7, 0.7, 0.7), labels), 0.5);
    assert.equal(auc(f32(0.5, 0.1, 0.5), f32(0, 0, 1)), 0.75);
  });

  test("is that of all pairs, ties counted half", () => {
    fc.assert(
      fc.property(examples, ({ probs, labels }) => {
        const expected = aucByPairs(probs, labels);
        if (Number.isNaN(expected)) assert.ok(Number.isNaN(auc(probs, labels)));
        else close(auc(probs, labels), expected, 1e-12);
      }),
      { numRuns: 500 },
    );
  });

  test("does not change with the order of the examples or the scale of the predictions", () => {
    fc.assert(
      fc.property(examples, ({ probs, labels }) => {
        const expected = auc(probs, labels);
        assert.ok(Object.is(auc(probs.toReversed(), labels.toReversed()), expected));
        assert.ok(
          Object.is(
            auc(
              probs.map((p) => p / 4 + 0.5),
              labels,
            ),
            expected,
          ),
        );
      }),
    );
  });

  test("is NaN when one of the classes is missing, and leaves its arguments as they were", () => {
    assert.ok(Number.isNaN(auc(f32(0.1, 0.2), f32(1, 1))));
    assert.ok(Number.isNaN(auc(f32(0.1, 0.2), f32(0, 0))));
    const [probs, labels] = [f32(0.9, 0.1, 0.5), f32(0, 1, 0)];
    auc(probs, labels);
    assert.deepEqual([probs, labels], [f32(0.9, 0.1, 0.5), f32(0, 1, 0)]);
  });
});

describe("meanAbsoluteDifference", () => {
  test("is the mean of |a - b|", () => {
    assert.equal(meanAbsoluteDifference(f32(0, 0.5, 1), f32(1, 0.25, 1)), 1.25 / 3);
    assert.equal(meanAbsoluteDifference(f32(1, 0), f32(0, 1)), 1);
  });

  test("is 0 only for equal predictions, symmetric, and keeps the triangle inequality", () => {
    const triple = fc
      .integer({ min: 1, max: 20 })
      .chain((n) => fc.tuple(...[0, 1, 2].map(() => fc.array(fc.nat(8), { minLength: n, maxLength: n }))))
      .map((sets) => sets.map((eighths) => Float32Array.from(eighths, (e) => e / 8)));
    fc.assert(
      fc.property(triple, ([a = f32(), b = f32(), c = f32()]) => {
        const distance = meanAbsoluteDifference(a, b);
        assert.equal(distance === 0, a.join() === b.join());
        assert.equal(meanAbsoluteDifference(b, a), distance);
        assert.ok(meanAbsoluteDifference(a, c) <= distance + meanAbsoluteDifference(b, c) + 1e-12);
      }),
    );
  });
});

describe("meanOfProbs", () => {
  test("is the mean at each example", () => {
    assert.deepEqual(meanOfProbs([f32(0, 1, 0.5)]), f32(0, 1, 0.5));
    assert.deepEqual(meanOfProbs([f32(0, 1, 0.5), f32(1, 0, 0.25)]), f32(0.5, 0.5, 0.375));
    assert.deepEqual(meanOfProbs([f32(1), f32(0), f32(0)]), f32(1 / 3));
    assert.deepEqual(meanOfProbs([]), f32());
  });

  test("is never worse in log loss than its members are on average", () => {
    const pairs = fc.array(fc.tuple(fc.nat(8), fc.nat(8), fc.boolean()), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(pairs, (rows) => {
        const labels = Float32Array.from(rows, ([, , isPositive]) => Number(isPositive));
        const sets = [0, 1].map((k) => Float32Array.from(rows, (row) => Number(row[k]) / 8));
        const members = sets.map((probs) => logLoss(probs, labels));
        const mean = members.reduce((sum, loss) => sum + loss, 0) / members.length;
        assert.ok(logLoss(meanOfProbs(sets), labels) <= mean + 1e-6);
      }),
    );
  });
});
