import assert from "node:assert/strict";
import { test } from "node:test";
import { type EvaluationView, evaluationLines } from "./evaluation.js";

const slice = {
  rows: 1000,
  metrics: { loss: 0.5, auc: 0.75, accuracy: 0.8 },
  estimates: { loss: { low: 0.45, high: 0.55 }, auc: { low: 0.7, high: 0.8 } },
  meanPrediction: 0.25,
  meanLabel: 0.3,
};
const view: EvaluationView = {
  ...slice,
  task: "binary",
  lossName: "log loss",
  label: "late",
  numUnlabelled: 3,
  numOfOtherClasses: 5,
  otherClasses: [
    { value: "True.", count: 4 },
    { value: "?", count: 1 },
  ],
  classes: [{ name: "true", rows: 300, decided: 0, precision: Number.NaN, recall: 0, meanProbability: 0.25 }],
  reliability: [],
  slices: [{ ...slice, name: "Süd" }],
  numOtherRows: 20,
};

test("an evaluation shows metrics with intervals, classes and slices", () => {
  assert.deepEqual(evaluationLines(view, "zone"), [
    "1,000 rows, label late",
    "3 rows without a label count nowhere",
    '5 rows have labels that the model does not know, and count nowhere: "True." (4), "?" (1)',
    "",
    "metric            value  95 % interval",
    "log loss         0.5000  0.4500 to 0.5500",
    "AUC              0.7500  0.7000 to 0.8000",
    "accuracy         0.8000",
    "mean prediction  0.2500",
    "mean label       0.3000",
    "",
    "class  rows  share  mean probability  decided  precision  recall",
    "true    300   30 %              25 %        0                0 %",
    "",
    "zone   rows  log loss  95 % interval        AUC  accuracy  mean prediction  mean label",
    "Süd   1,000    0.5000  0.4500 to 0.5500  0.7500    0.8000           0.2500      0.3000",
    "and 20 rows of further values",
  ]);
});

test("a slice of a single row has no interval", () => {
  const one = { ...slice, name: "west", rows: 1, estimates: { loss: { low: Number.NaN, high: Number.NaN } } };
  const lines = evaluationLines({ ...view, slices: [one] }, "zone");
  assert.match(lines.join("\n"), /^west +1 +0\.5000 +0\.7500/m);
});

test("numbers have neither classes nor shares", () => {
  const lines = evaluationLines({
    ...view,
    task: "regression",
    lossName: "standardised squared error",
    metrics: { loss: 0.5, rmse: 12.5 },
    classes: [],
    slices: [],
    numOtherRows: 0,
    numUnlabelled: 0,
  });
  assert.match(lines.join("\n"), /^RMSE +12\.500$/m);
  assert.doesNotMatch(lines.join("\n"), /class|further|without a label/);
});
