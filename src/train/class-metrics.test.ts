import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { classCalibrationError, classLogLoss, decisions, macroAuc, topAccuracy } from "./class-metrics.js";
import { auc, calibrationError, logLoss } from "./metrics.js";

const close = (actual: number, expected: number, tolerance = 1e-9) =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual}, expected ${expected}`);
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** Rows of probabilities with few different values, so that there are ties, and a label for each. */
const examples = fc
  .record({ numClasses: fc.integer({ min: 2, max: 8 }), numRows: fc.integer({ min: 1, max: 40 }) })
  .chain(({ numClasses, numRows }) =>
    fc.array(
      fc.tuple(
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: numClasses, maxLength: numClasses }),
        fc.nat(numClasses - 1),
      ),
      {
        minLength: numRows,
        maxLength: numRows,
      },
    ),
  )
  .map((drawn) => {
    const rows = drawn.map(([parts]) => Array.from(Float32Array.from(parts, (part) => part / sum(parts))));
    return { rows, probs: Float32Array.from(rows.flat()), labels: Int32Array.from(drawn, ([, label]) => label) };
  });

describe("of three rows of three classes, by hand", () => {
  const probs = Float32Array.of(0.5, 0.25, 0.25, 0.125, 0.75, 0.125, 0.25, 0.5, 0.25);
  const labels = Int32Array.of(0, 1, 2);
  test("log loss", () => {
    close(classLogLoss(probs, labels), -(Math.log(0.5) + Math.log(0.75) + Math.log(0.25)) / 3);
    close(classLogLoss(probs, labels, [1, 2, 5]), -(Math.log(0.5) + 2 * Math.log(0.75) + 5 * Math.log(0.25)) / 8);
    assert.ok(Number.isNaN(classLogLoss(Float32Array.of(Number.NaN, 1), Int32Array.of(0))));
    close(classLogLoss(Float32Array.of(0, 1), Int32Array.of(0)), 7 * Math.LN10);
  });
  test("accuracy", () => {
    close(topAccuracy(probs, labels, 1), 2 / 3);
    close(topAccuracy(probs, labels, 2), 2 / 3);
    close(topAccuracy(probs, labels, 3), 1);
  });
  test("AUC of each class against the others", () => {
    // Class 0: 0.5 above 0.125 and 0.25. Class 1: 0.75 above 0.25 and 0.5. Class 2: 0.25 ties with 0.25, above 0.125.
    close(macroAuc(probs, labels), (1 + 1 + 0.75) / 3);
  });
  test("calibration error of the decision", () => {
    // Confidences 0.5 (right), 0.75 (right), 0.5 (wrong): bins 7 and 11 of 15.
    close(classCalibrationError(probs, labels), (2 * Math.abs(0.5 - 1 / 2) + Math.abs(0.75 - 1)) / 3);
  });
});

test("every metric is what its definition says, looked at row by row", () => {
  fc.assert(
    fc.property(examples, ({ rows, probs, labels }) => {
      const numClasses = rows[0]?.length ?? 0;
      const at = (i: number, k: number) => rows[i]?.[k] ?? Number.NaN;
      const label = (i: number) => labels[i] ?? -1;
      const indices = [...rows.keys()];
      close(classLogLoss(probs, labels), sum(indices.map((i) => -Math.log(at(i, label(i))))) / rows.length);

      const weights = Array.from({ length: numClasses }, (_, k) => k + 0.5);
      const weightOf = (i: number) => weights[label(i)] ?? Number.NaN;
      const weighted = sum(indices.map((i) => -weightOf(i) * Math.log(at(i, label(i))))) / sum(indices.map(weightOf));
      close(classLogLoss(probs, labels, weights), weighted);

      // A stable sort by falling probability: of equal ones the first class comes first.
      const ranked = rows.map((row) => [...row.keys()].sort((a, b) => (row[b] ?? 0) - (row[a] ?? 0)));
      assert.deepEqual(
        Array.from(decisions(probs, numClasses)),
        ranked.map(([first]) => first),
      );
      for (const k of [1, 2, 5]) {
        const hits = indices.filter((i) => ranked[i]?.slice(0, k).includes(label(i))).length;
        close(topAccuracy(probs, labels, k), hits / rows.length);
      }

      const areas = Array.from({ length: numClasses }, (_, k) => {
        const [own, others] = [indices.filter((i) => label(i) === k), indices.filter((i) => label(i) !== k)];
        const pairs = own.flatMap((i) =>
          others.map((j) => (at(i, k) > at(j, k) ? 1 : at(i, k) === at(j, k) ? 0.5 : 0)),
        );
        return sum(pairs) / pairs.length;
      }).filter((area) => !Number.isNaN(area));
      const expected = sum(areas) / areas.length;
      if (Number.isNaN(expected)) assert.ok(Number.isNaN(macroAuc(probs, labels)));
      else close(macroAuc(probs, labels), expected);

      const confidence = rows.map((row) => Math.max(...row));
      const error = Array.from({ length: 15 }, (_, bin) => {
        const own = indices.filter((i) => Math.min(14, Math.floor(15 * (confidence[i] ?? 0))) === bin);
        if (own.length === 0) return 0;
        const mean = sum(own.map((i) => confidence[i] ?? 0)) / own.length;
        const right = own.filter((i) => ranked[i]?.[0] === label(i)).length / own.length;
        return (own.length / rows.length) * Math.abs(mean - right);
      });
      close(classCalibrationError(probs, labels), sum(error));
    }),
  );
});

test("of two classes they are those of yes and no", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 16 }), fc.nat(1)), { minLength: 1, maxLength: 40 }),
      (drawn) => {
        const positive = Float32Array.from(drawn, ([part]) => part / 16);
        const labels = Int32Array.from(drawn, ([, label]) => label);
        const both = Float32Array.from(drawn.flatMap(([part]) => [1 - part / 16, part / 16]));
        close(classLogLoss(both, labels), logLoss(positive, labels), 1e-6);
        close(classLogLoss(both, labels, [1, 3]), logLoss(positive, labels, 3), 1e-6);
        const [one, two] = [auc(positive, labels), macroAuc(both, labels)];
        if (Number.isNaN(one)) assert.ok(Number.isNaN(two));
        else close(two, one);
      },
    ),
  );
});

test("calibration error: 0 where predictions are as often right as they say, and as far off as they are", () => {
  const isHit = (hits: readonly number[]) => (i: number) => hits.includes(i);
  close(calibrationError(Float32Array.of(0.25, 0.25, 0.25, 0.25), isHit([2])), 0);
  close(calibrationError(Float32Array.of(1, 1, 0, 0), isHit([0, 1])), 0);
  close(calibrationError(Float32Array.of(1, 1, 0, 0), isHit([2, 3])), 1);
  // One bin: errors of opposite signs cancel out. Two bins: they do not.
  close(calibrationError(Float32Array.of(0.5, 0.5), isHit([0])), 0);
  close(calibrationError(Float32Array.of(0.5, 0.75), isHit([0])), (0.5 + 0.75) / 2);
  assert.ok(Number.isNaN(calibrationError(Float32Array.of(0.5, Number.NaN), isHit([0]))));
});
