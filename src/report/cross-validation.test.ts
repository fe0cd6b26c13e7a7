import assert from "node:assert/strict";
import { test } from "node:test";
import { crossValidationLines, FOLDS_OVERLAP, overFolds } from "./cross-validation.js";

const folds = [
  { fold: 1, rows: 100, testLoss: 0.5, testAuc: 0.7 },
  { fold: 2, rows: 101, testLoss: 0.7, testAuc: 0.9 },
];

test("mean and standard error are over folds, of metrics that all of them have", () => {
  const { mean, standardError } = overFolds(folds);
  assert.ok(Math.abs(mean.testLoss - 0.6) < 1e-12 && Math.abs((mean.testAuc ?? 0) - 0.8) < 1e-12);
  // Standard deviation 0.2 / sqrt(2), over sqrt(2) folds.
  assert.ok(Math.abs(standardError.testLoss - 0.1) < 1e-12);
  assert.deepEqual(Object.keys(overFolds([{ testLoss: 1, testAuc: 0.5 }, { testLoss: 2 }]).mean), ["testLoss"]);
});

test("a line for each fold, then mean, standard error and all rows", () => {
  const result = {
    lossName: "log loss",
    weight: "w",
    folds,
    ...overFolds(folds),
    outOfFold: { rows: 201, testLoss: 0.601, testAuc: 0.81 },
    numFailed: 0,
    remarks: [FOLDS_OVERLAP],
  };
  assert.deepEqual(crossValidationLines(result).slice(0, 6), [
    "                       tested rows  log loss     AUC",
    "fold 1 of 2                    100    0.5000  0.7000",
    "fold 2 of 2                    101    0.7000  0.9000",
    "mean of the folds                     0.6000  0.8000",
    "standard error                        0.1000  0.1000",
    "all rows, out of fold          201    0.6010  0.8100",
  ]);
  assert.match(
    crossValidationLines({ ...result, outOfFold: null }).join("\n"),
    /its weight, w\nnote: the standard error/,
  );
});

test("the teachers of the folds have a row, and how far the models are from them is said", () => {
  const result = {
    task: "binary" as const,
    lossName: "log loss",
    folds,
    ...overFolds(folds),
    outOfFold: null,
    teachers: { testLoss: 0.4, testAuc: 0.95, distance: 0.0625, churn: 0.125 },
    numFailed: 0,
    remarks: [],
  };
  const lines = crossValidationLines(result);
  assert.match(lines[5] ?? "", /^teachers, mean of the folds +0\.4000 +0\.9500$/);
  assert.equal(
    lines[6],
    "over the folds, the shipped model decides 12.5 % of the test rows differently from its teachers (mean absolute difference of probabilities 0.0625)",
  );
  assert.match(crossValidationLines({ ...result, weight: "w" })[6] ?? "", /0\.0625; here each row counts once\)$/);
});
