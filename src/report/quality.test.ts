import assert from "node:assert/strict";
import { test } from "node:test";
import { coverageLines, importanceLines, reliabilityLines, type ThresholdsView, thresholdLines } from "./quality.js";

/** A terminal's width. */
const assertNarrow = (lines: readonly string[]) => {
  for (const line of lines) assert.ok(line.length <= 80, `${line.length} columns: ${line}`);
};

test("reliability says where predictions are too low or too high beyond chance", () => {
  const bins = [
    {
      rows: 12_500,
      least: 0.01,
      meanPrediction: 0.055,
      most: 0.1,
      observed: { value: 0.051, low: 0.05, high: 0.056 },
    },
    { rows: 12_500, least: 0.1, meanPrediction: 0.3, most: 0.4, observed: { value: 0.36, low: 0.35, high: 0.37 } },
    { rows: 900, least: 0.5, meanPrediction: 0.8, most: 0.9, observed: { value: 0.7, low: 0.68, high: 0.72 } },
  ];
  const lines = reliabilityLines(bins, "binary", "a name that is longer than the line");
  assert.deepEqual(lines, [
    "P(a name that is lo…)    rows    mean  observed  95 % interval     prediction",
    "0.0100 to 0.1000       12,500  0.0550    0.0510  0.0500 to 0.0560",
    "0.1000 to 0.4000       12,500  0.3000    0.3600  0.3500 to 0.3700  too low",
    "0.5000 to 0.9000          900  0.8000    0.7000  0.6800 to 0.7200  too high",
  ]);
  assertNarrow(lines);
  assert.match(reliabilityLines(bins, "multiclass", "z")[0] ?? "", /^P\(decision\) +rows +mean +right /);
});

test("the coverage of intervals stands beside the level that they promise", () => {
  const coverage = [{ level: 0.95, held: { value: 0.94, low: 0.93, high: 0.95 }, meanWidth: 123.456 }];
  assert.deepEqual(coverageLines(coverage), [
    "interval    held  95 % interval     mean width",
    "    95 %  0.9400  0.9300 to 0.9500      123.46",
  ]);
});

const decided = {
  truePositives: 12_345,
  falsePositives: 23_456,
  trueNegatives: 61_234,
  falseNegatives: 1_234,
  cost: { value: 0.41234, low: 0.40234, high: 0.42234 },
};
const view: ThresholdsView = {
  costs: { falsePositive: 1, falseNegative: 5 },
  least: { threshold: 0.187, ...decided },
  crossFitted: { thresholds: [0.19, 0.17], ...decided },
  calibrated: { threshold: 1 / 6, ...decided },
  usual: { threshold: 0.5, ...decided },
  difference: { value: 0.001, low: -0.001, high: 0.003 },
};

test("thresholds stand beside their costs and decisions, with the one to take", () => {
  const lines = thresholdLines(view);
  assert.deepEqual(lines, [
    "a wrong yes costs 1, a wrong no 5; the mean cost of a row:",
    "",
    "choice        threshold     cost  95 % interval       TP      FP      TN     FN",
    "usual         0.5         0.4123  0.402 to 0.422  12,345  23,456  61,234  1,234",
    "calibrated    0.1667      0.4123  0.402 to 0.422  12,345  23,456  61,234  1,234",
    "least here    0.187       0.4123  0.402 to 0.422  12,345  23,456  61,234  1,234",
    "cross-fitted  0.19, 0.17  0.4123  0.402 to 0.422  12,345  23,456  61,234  1,234",
    "calibrated: cost-fp / (cost-fp + cost-fn), best where probabilities are right",
    "least here: chosen by these rows, on which it looks better than it is",
    "cross-fitted: each half decided by the threshold that the other half chooses",
    "advice: --threshold 0.1667; on other rows, thresholds that rows choose are not",
    "cheaper beyond chance",
  ]);
  assertNarrow(lines);
  const better = thresholdLines({ ...view, difference: { value: -0.02, low: -0.03, high: -0.01 } });
  assertNarrow(better);
  assert.deepEqual(better.slice(-2), [
    "advice: --threshold 0.187; on other rows, thresholds chosen so cost less than",
    "0.1667, by 0.02 a row (95 %: 0.01 to 0.03)",
  ]);
  const ofOneRow = thresholdLines({ ...view, crossFitted: null, difference: null });
  assert.doesNotMatch(ofOneRow.join("\n"), /cross-fitted|advice/);
});

test("columns stand in the order of their importance, with what a rise does not say", () => {
  const rise = (value: number) => ({ value, low: value - 0.01, high: value + 0.01 });
  const columns = [
    { column: "zone\u001b[2J", rise: rise(0.2) },
    { column: "a column with a name that is longer than thirty", rise: rise(-0.001) },
  ];
  const lines = importanceLines({ rows: 20_000, repeats: 10, loss: 0.4, columns, groups: [] }, "log loss");
  assert.deepEqual(lines, [
    "log loss 0.4000: 20,000 rows, each column permuted 10 times",
    "",
    "column                          rise of loss  95 % interval      of the loss",
    "zone\\u001b[2J                         0.2000  0.1900 to 0.2100          50 %",
    "a column with a name that is …       -0.0010  -0.0110 to 0.0090       -0.3 %",
    "Each column is permuted alone: what several columns tell alike shows in none of",
    "them, or in part. A rise is of this model, and not of what causes the label.",
  ]);
  assertNarrow(lines);
  const names = ["a long name of a column", "another one of these names", "z\u001b[2J", "last"];
  const together = importanceLines(
    { rows: 20_000, repeats: 10, loss: 0.4, columns, groups: [{ columns: names, rise: rise(0.3) }] },
    "log loss",
  );
  assert.equal(together[5], "alike 1                               0.3000  0.2900 to 0.3100          75 %");
  assert.deepEqual(together.slice(-2), [
    "alike 1 a long name of a column, another one of these names, z\\u001b[2J, last:",
    "        they tell much of the same, and are permuted together",
  ]);
  assertNarrow(together);
});
