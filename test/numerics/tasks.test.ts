/** Whole runs of classes, of numbers and of weighted binary labels: two groups that codistil, their result, their model. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeModel } from "../../src/graph/onnx-proto.js";
import type { RunResult } from "../../src/log/events.js";
import * as ort from "../../src/node/ort/library.js";
import { resultLines } from "../../src/report/result.js";
import { resolveConfig } from "../../src/run/config.js";
import type { TableRunInput } from "../../src/run/input/run.js";
import type { TableRunConfig } from "../../src/run/kinds/table.js";
import { trainTwoGroups } from "../fixtures/two-groups.js";
import { csvHeader, tinyConfig, tinyCsv } from "../process/tiny.js";

const names = csvHeader.split(",");
const rows = tinyCsv()
  .trim()
  .split("\n")
  .slice(1)
  .map((line) => Object.fromEntries(line.split(",").map((cell, i) => [names[i] ?? "", cell])));
const testRows = rows.filter(({ date = "" }) => date >= "2001-05-11");
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

interface Trained {
  readonly result: RunResult;
  /** The result as it is reported. */
  readonly report: string;
  /** What the exported model gives for each test row. */
  readonly served: readonly (readonly number[])[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** Train two groups on a label, check that they taught one another, and serve the test rows by the exported model. */
async function trained(task: NonNullable<TableRunInput["task"]>, label: string, output: string): Promise<Trained> {
  const config = resolveConfig({
    ...tinyConfig,
    task,
    data: { ...tinyConfig.data, label },
    numSteps: 300,
    algorithm: { ...tinyConfig.algorithm, burnInSteps: 100 },
  }) as TableRunConfig;
  const { events, result, model } = await trainTwoGroups(config, tinyCsv());
  const report = resultLines(result).join("\n");
  for (const [group, own] of events.entries()) {
    const steps = own.filter((event) => event.event === "step");
    const taught = steps.filter(
      ({ distillLoss, teacherDistance }) => distillLoss !== null && (teacherDistance ?? 0) > 0,
    );
    assert.ok(taught.length >= 15, `group ${group} was taught in ${taught.length} of ${steps.length} step events`);
    assert.ok(!own.some(({ event }) => event === "teacher-quarantined"));
    // The same names in the log and in the result.
    const validation = own.find((event) => event.event === "validation");
    const { event: _, group: __, step: ___, best: ____, ...measured } = validation ?? ({} as never);
    assert.deepEqual(
      Object.keys(measured).map((key) => `test${key.slice(0, 1).toUpperCase()}${key.slice(1)}`),
      Object.keys(result.groups[group] ?? {}).filter((key) => key.startsWith("test")),
    );
  }
  const session = await ort.InferenceSession.create(model);
  const n = [testRows.length];
  const texts = (column: string) =>
    new ort.Tensor(
      "string",
      testRows.map((row) => row[column] ?? ""),
      n,
    );
  const size = new ort.Tensor(
    "float64",
    Float64Array.from(testRows, (row) => Number(row.size)),
    n,
  );
  const values = (await session.run({ city: texts("city"), kind: texts("kind"), hour: texts("hour"), size }))[output];
  assert.ok(values, `the model has no output ${output}`);
  const [, width = 1] = values.dims;
  const flat = Array.from(values.data as Float32Array);
  const served = testRows.map((_, i) => flat.slice(i * width, (i + 1) * width));
  await session.release();
  const metadata = Object.fromEntries(decodeModel(model).metadataProps.map(({ key, value }) => [key, value]));
  return { result, report, served, metadata };
}

const closeTo = (actual: number | undefined, expected: number, what: string, tolerance = 1e-6) =>
  assert.ok(
    Math.abs((actual ?? Number.NaN) - expected) <= tolerance * Math.max(1, Math.abs(expected)),
    `${what}: ${actual}, from the model file ${expected}`,
  );

test("one of several classes: learned, scored, compared between the groups and shipped with their names", async () => {
  const label = "case when late then city else kind end";
  const { result, report, served, metadata } = await trained("multiclass", label, "probabilities");
  const classes = ["Bern", "Bonn", "Cork", "Kyiv", "Lima", "Oslo", "Pisa", "Rome", "bus", "plane", "train"];
  assert.equal(metadata.classes, JSON.stringify(classes));
  assert.equal(metadata.task, "multiclass");
  const labels = testRows.map((row) => classes.indexOf((row.late === "true" ? row.city : row.kind) ?? ""));
  const [first] = result.groups;
  closeTo(first?.testLoss, mean(served.map((probs, i) => -Math.log(probs[labels[i] ?? -1] ?? Number.NaN))), "log loss");
  const rankOf = (probs: readonly number[], k: number) => probs.filter((p) => p > (probs[k] ?? Number.NaN)).length;
  const ranks = served.map((probs, i) => rankOf(probs, labels[i] ?? -1));
  closeTo(first?.testAccuracy, mean(ranks.map((rank) => Number(rank < 1))), "accuracy");
  closeTo(first?.testTop5Accuracy, mean(ranks.map((rank) => Number(rank < 5))), "top 5");
  assert.ok((first?.testAuc ?? 0) > 0.8 && (first?.testCalibrationError ?? 1) < 0.2, report);
  const frequencies = classes.map((_, k) => mean(labels.map((own) => Number(own === k))));
  const constant = frequencies.reduce((sum, f) => sum - f * Math.log(f), 0);
  for (const { testLoss } of result.groups)
    assert.ok(testLoss < 0.6 * constant, `${testLoss} of ${constant}. ${report}`);
  assert.ok((result.ensemble?.testLoss ?? 9) <= mean(result.groups.map(({ testLoss }) => testLoss)), report);
  assert.ok((result.disagreement ?? 0) > 0 && (result.disagreement ?? 1) < 0.5, report);
  assert.ok((result.churn ?? 0) > 0 && (result.churn ?? 1) < 0.5, report);
  assert.match(report, /test log loss +test AUC +test accuracy +test top 5 +test ECE/);
  assert.match(report, /^churn between the groups \(share of rows that they decide differently\): 0\.\d{4}$/m);
});

test("regression: learned in standard units, scored and shipped in its own", async () => {
  const label = "5000 + 40 * size + case when late then 10 else 0 end";
  const { result, report, served, metadata } = await trained("regression", label, "prediction");
  const truth = testRows.map((row) => Math.fround(5000 + 40 * Number(row.size) + (row.late === "true" ? 10 : 0)));
  const errors = served.map(([prediction = Number.NaN], i) => prediction - (truth[i] ?? Number.NaN));
  const squared = mean(errors.map((error) => error ** 2));
  const middle = mean(truth);
  const variance = mean(truth.map((value) => (value - middle) ** 2));
  const [first] = result.groups;
  closeTo(first?.testRmse, Math.sqrt(squared), "RMSE", 1e-5);
  closeTo(first?.testMae, mean(errors.map(Math.abs)), "MAE", 1e-5);
  closeTo(first?.testR2, 1 - squared / variance, "R2", 1e-5);
  closeTo(first?.testLoss, squared / Number(metadata.labelStd) ** 2, "loss", 1e-5);
  assert.ok(Math.abs(Number(metadata.labelMean) - middle) < 2 && metadata.task === "regression");
  for (const { testR2 = 0 } of result.groups) assert.ok(testR2 > 0.85, report);
  assert.ok((result.disagreement ?? 0) > 0 && (result.disagreement ?? 99) < 5, report);
  assert.equal(result.churn, result.disagreement);
  assert.match(report, /test standardised squared error +test RMSE +test MAE +test R2/);
});

test("a rare yes, weighed as much as the no's: the loss is the weighted one, and more rows are found", async () => {
  const label = "late and kind = 'plane' and hour in ('h20', 'h21', 'h22')";
  const task = { kind: "binary", classWeights: "balanced", labelSmoothing: 0.05 } as const;
  const { result, report, served, metadata } = await trained(task, label, "probability");
  const isYes = testRows.map(
    ({ late, kind, hour = "" }) => late === "true" && kind === "plane" && /h2[012]$/.test(hour),
  );
  const share = mean(isYes.map(Number));
  assert.ok(share > 0.01 && share < 0.08, `${share}`);
  const probs = served.map(([p = Number.NaN]) => p);
  const lossOf = probs.map((p, i) => -Math.log(isYes[i] ? p : 1 - p));
  const [first] = result.groups;
  closeTo(first?.testLogLoss, mean(lossOf), "log loss", 1e-5);
  // Each class weighs half, as nearly as the training rows have the frequencies of the test rows.
  const halves = [true, false].map((side) => mean(lossOf.filter((_, i) => isYes[i] === side)));
  assert.ok(Math.abs((first?.testLoss ?? 9) - mean(halves)) < 0.05, report);
  assert.ok((first?.testLoss ?? 9) < 0.5 * Math.LN2, report);
  const found = probs.filter((p, i) => isYes[i] && p >= 0.5).length / isYes.filter(Boolean).length;
  assert.ok(found > 0.7, `${found} of the rare class were found`);
  assert.equal(metadata.task, undefined, "a binary model says what it always said");
  assert.match(report, /test weighted log loss +test log loss +test AUC/);
});
