import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { RunResult } from "../log/events.js";
import { resultLines } from "./result.js";

type GroupResult = RunResult["groups"][number];

function group(index: number, changes: Partial<GroupResult> = {}): GroupResult {
  return {
    group: index,
    step: 3000 + index,
    validationLoss: 0.5 + index / 100,
    testLoss: 0.4 + index / 100,
    testAuc: 0.7 + index / 100,
    stepsPerSecond: 123.4,
    bytesPublished: 1_234_567,
    bytesFetched: 0,
    ended: "finished",
    ...changes,
  };
}

function result(groups: readonly GroupResult[], changes: Partial<RunResult> = {}): RunResult {
  const together = { ensemble: { testLoss: 0.39, testAuc: 0.71 }, disagreement: 0.0123456 };
  const alone = { ensemble: null, disagreement: null };
  return { groups, ...(groups.length > 1 ? together : alone), shippedGroup: 0, testRows: 1000, ...changes };
}

describe("resultLines", () => {
  test("of one group: no ensemble and no disagreement", () => {
    assert.deepEqual(resultLines(result([group(0)])), [
      "         test log loss  test AUC  validation  at step  steps/s  published  fetched",
      "group 0         0.4000    0.7000      0.5000    3,000      123     1.2 MB      0 B  shipped",
    ]);
  });

  test("of two groups: the ensemble below them, then how far they disagree", () => {
    assert.deepEqual(resultLines(result([group(0), group(1)])), [
      "          test log loss  test AUC  validation  at step  steps/s  published  fetched",
      "group 0          0.4000    0.7000      0.5000    3,000      123     1.2 MB      0 B  shipped",
      "group 1          0.4100    0.7100      0.5100    3,001      123     1.2 MB      0 B",
      "ensemble         0.3900    0.7100",
      "disagreement between the groups (mean absolute difference of probabilities): 0.0123",
    ]);
  });

  test("in the width of a terminal: what does not fit beside stands below, with nothing cut", () => {
    const yardsticks = [{ name: "shares of the classes", testLoss: 0.6888, testAuc: 0.5 }];
    const remarks = [
      "one feature alone tells more of the label than the model: log loss 0.4791, and 0.2340 by km alone.",
    ];
    const lines = resultLines(result([group(0), group(1)], { yardsticks, remarks }), 80);
    assert.deepEqual(lines, [
      "                       test log loss  test AUC  validation  at step  steps/s",
      "group 0                       0.4000    0.7000      0.5000    3,000      123",
      "group 1                       0.4100    0.7100      0.5100    3,001      123",
      "ensemble                      0.3900    0.7100",
      "shares of the classes         0.6888    0.5000",
      "",
      "         published  fetched",
      "group 0     1.2 MB      0 B  shipped",
      "group 1     1.2 MB      0 B",
      "disagreement between the groups (mean absolute difference of probabilities):",
      "0.0123",
      "note: one feature alone tells more of the label than the model: log loss 0.4791,",
      "and 0.2340 by km alone.",
    ]);
  });

  test("beside yardsticks, and with what is to be said of the model", () => {
    const yardsticks = [{ name: "guessing among 257", testLoss: 5.549 }];
    const lines = resultLines(result([group(0)], { yardsticks, remarks: ["it has learned"] }));
    assert.match(lines[2] ?? "", /^guessing among 257 +5\.5490$/);
    assert.equal(lines[3], "note: it has learned");
  });

  test("of asynchronous SGD says how late gradients were", () => {
    assert.equal(
      resultLines(result([group(0, { staleness: [50, 30, 0, 20] })]))[2],
      "staleness of group 0: 0.90 updates on average, at most 3, 50 % none",
    );
    assert.match(
      resultLines(result([group(0, { staleness: [] })]))[2] ?? "",
      /0\.00 updates on average, at most 0, 0 %/,
    );
  });

  test("of four groups, in their order, the shipped one marked", () => {
    const lines = resultLines(
      result(
        [0, 1, 2, 3].map((index) => group(index)),
        { shippedGroup: 2 },
      ),
    );
    assert.equal(lines.length, 7);
    assert.deepEqual(
      lines.slice(1, 6).map((line) => line.split(/ {2}/)[0]),
      ["group 0", "group 1", "group 2", "group 3", "ensemble"],
    );
    assert.deepEqual(
      lines.map((line) => line.endsWith("shipped")),
      [false, false, false, true, false, false, false],
    );
  });

  test("says how a group ended that did not finish", () => {
    const [, first = "", second = "", third = ""] = resultLines(
      result([group(0, { ended: "failed" }), group(1, { ended: "stopped" }), group(2)]),
    );
    assert.match(first, /shipped, failed$/);
    assert.match(second, / stopped$/);
    assert.match(third, /0 B$/);
  });

  test("of a run with a group missing shows those that are there", () => {
    const lines = resultLines(result([group(1), group(3)], { shippedGroup: 1 }));
    assert.match(lines[1] ?? "", /^group 1 .*shipped$/);
    assert.match(lines[2] ?? "", /^group 3 .*0 B$/);
  });

  test("of classes: their metrics in one order, how far probabilities are apart, and how many rows are decided otherwise", () => {
    const of = (index: number) => {
      const { testAuc: _, ...rest } = group(index);
      return { ...rest, testCalibrationError: 0.0123, testAccuracy: 0.75, testTop5Accuracy: 0.97 + index / 100 };
    };
    const measured = { testLoss: 0.39, testAccuracy: 0.76, testTop5Accuracy: 0.98, testCalibrationError: 0.01 };
    const changes = { task: "multiclass", lossName: "weighted log loss", ensemble: measured, churn: 0.0625 } as const;
    assert.deepEqual(resultLines(result([of(0), of(1)], changes)), [
      "          test weighted log loss  test accuracy  test top 5  test ECE  validation  at step  steps/s  published  fetched",
      "group 0                   0.4000         0.7500      0.9700    0.0123      0.5000    3,000      123     1.2 MB      0 B  shipped",
      "group 1                   0.4100         0.7500      0.9800    0.0123      0.5100    3,001      123     1.2 MB      0 B",
      "ensemble                  0.3900         0.7600      0.9800    0.0100",
      "disagreement between the groups (mean absolute difference of probabilities, half its sum over classes): 0.0123",
      "churn between the groups (share of rows that they decide differently): 0.0625",
    ]);
  });

  test("of numbers: errors in their own unit, of any size", () => {
    const of = (index: number) => {
      const { testAuc: _, ...rest } = group(index);
      return { ...rest, testRmse: 1_234_567.8, testMae: 0.000123456, testR2: -0.5 };
    };
    const changes = {
      task: "regression",
      lossName: "standardised squared error",
      ensemble: null,
      churn: 12.5,
    } as const;
    assert.deepEqual(resultLines(result([of(0), of(1)], { ...changes, disagreement: 12.5 })), [
      "         test standardised squared error  test RMSE    test MAE  test R2  validation  at step  steps/s  published  fetched",
      "group 0                           0.4000    1234568  0.00012346  -0.5000      0.5000    3,000      123     1.2 MB      0 B  shipped",
      "group 1                           0.4100    1234568  0.00012346  -0.5000      0.5100    3,001      123     1.2 MB      0 B",
      "disagreement between the groups (mean absolute difference of predictions): 12.500",
    ]);
  });

  test("of a test split with one class shows that there is no AUC", () => {
    const [, line = ""] = resultLines(result([group(0, { testAuc: Number.NaN })]));
    assert.match(line, /0\.4000 +NaN +0\.5000/);
  });
});
