/** Rows with weights: steps and figures are those of rows that come as often as their weight says. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { tinyConfig, tinyPreprocessing, tinyRows } from "../../test/fixtures/tiny-run.js";
import { gatherBatch } from "../data/records.js";
import { onnxRuntimeEngine } from "../node/ort/onnxruntime.js";
import type { TableRunInput } from "../run/input/run.js";
import { tableLearner } from "../run/learner.js";
import { float32, type NamedArrays } from "../runtime/array.js";
import { rootKey } from "../runtime/random.js";
import { estimatesOf } from "./estimates.js";
import { evaluation } from "./evaluation.js";
import { coverageOf, keptErrors } from "./intervals.js";
import { engineStudent, type Teacher } from "./student.js";
import { binaryTask, multiclassTask, regressionTask, type Task } from "./task.js";
import { binaryCalibration } from "./temperature.js";
import { thresholdAdvice } from "./thresholds.js";

const NUM_ROWS = 24;
const weights = Array.from({ length: NUM_ROWS }, (_, row) => [1, 0, 3, 1, 2][row % 5] as number);
const repeated = weights.flatMap((weight, row) => Array.from({ length: weight }, () => row));
const rows = tinyRows(NUM_ROWS, 3);
const mean = repeated.length / NUM_ROWS;

const preprocessing = {
  ...tinyPreprocessing,
  labels: { kind: "classes", classes: ["false", "true"], counts: [10, 14] },
} as const;
const optimizer = { kind: "sgd", learningRate: 0.5, schedule: "constant" } as const;
const data = { ...tinyInputData(), weight: "w" };

function tinyInputData(): TableRunInput["data"] {
  return {
    source: "tiny.csv",
    label: "late",
    categorical: { colour: "colour" },
    numeric: { size: "size" },
    split: { train: "day < 2", validation: "day = 2", test: "day > 2" },
  };
}

/** The params and losses after some steps, each on all of the batches. */
async function trained(changes: Partial<TableRunInput>, batches: readonly NamedArrays[], isTaught: boolean) {
  const engine = onnxRuntimeEngine({ threads: 1 });
  try {
    const student = engineStudent({
      engine,
      learner: tableLearner(tinyConfig({ optimizer, ...changes }), preprocessing),
    });
    await student.init(rootKey(9));
    const params = await student.shipped();
    await student.init(rootKey(1));
    const teachers: Teacher[] = isTaught ? [{ group: 1, step: 1, digest: "t", params }] : [];
    const losses: number[] = [];
    for (let step = 0; step < 5; step++) losses.push((await student.learn(batches, teachers, 0.7)).labelLoss);
    return { losses, params: await student.shipped() };
  } finally {
    await engine.close();
  }
}

const tasks: Readonly<Record<string, Partial<TableRunInput>>> = {
  binary: {},
  "several members": { model: { kind: "tabm", hidden: [8], members: 3 } },
  "class weights": { task: { kind: "binary", classWeights: { true: 3 } } },
};

describe("full-batch training on weights is training on repeated rows", () => {
  const whole = gatherBatch(rows, { start: 0, end: NUM_ROWS });
  const weighted = { ...whole, weights: float32(weights.map((weight) => weight / mean)) };
  for (const [name, changes] of Object.entries(tasks)) {
    for (const isTaught of [false, true]) {
      test(`${name}${isTaught ? ", with a teacher" : ""}`, async () => {
        const one = await trained({ ...changes, data }, [weighted], isTaught);
        const other = await trained(changes, [gatherBatch(rows, repeated)], isTaught);
        const plain = await trained(changes, [whole], isTaught);
        const apart = (a: typeof one, b: typeof one) =>
          Math.max(
            ...a.losses.map((loss, i) => Math.abs(loss - (b.losses[i] ?? Number.NaN))),
            ...Object.entries(a.params).flatMap(([param, { data: values }]) =>
              Array.from(values, (value, i) => Math.abs(Number(value) - Number(b.params[param]?.data[i]))),
            ),
          );
        assert.ok(apart(one, other) < 2e-6, `${apart(one, other)} apart`);
        assert.ok(apart(one, plain) > 1e-3, "without weights it is another training");
      });
    }
  }
});

const probsOf = (seed: number, width: number) => {
  const raw = Array.from({ length: NUM_ROWS * width }, (_, i) => 1 + ((i * 37 + seed * 11) % 17));
  return Float32Array.from(raw, (value, i) => {
    const row = Math.floor(i / width) * width;
    return width === 1 ? value / 20 : value / raw.slice(row, row + width).reduce((sum, one) => sum + one, 0);
  });
};
const measured: Readonly<Record<string, { task: Task; width: number; label: (row: number) => number }>> = {
  binary: { task: binaryTask({ positiveWeight: 2 }), width: 1, label: (row) => Number(row % 3 === 0) },
  classes: {
    task: multiclassTask({ classes: ["a", "b", "c", "d", "e", "f"], classWeights: [1, 2, 1, 1, 1, 3] }),
    width: 6,
    label: (row) => (row * 5) % 6,
  },
  numbers: { task: regressionTask({ mean: 0.4, std: 0.2, logUnit: 0.1 }), width: 1, label: (row) => (row % 7) / 8 },
};

test("a temperature is fitted to weighted rows as to repeated ones", () => {
  const [probs, labels] = [probsOf(2, 1), Float32Array.from(rowsIn(NUM_ROWS), (row) => Number(row % 3 === 0))];
  const all = { probs, labels, weights: Float32Array.from(weights) };
  const pick = (of: Float32Array) => Float32Array.from(repeated, (row) => of[row] as number);
  for (const calibration of [binaryCalibration(), binaryCalibration([1, 3])]) {
    const fitted = calibration.fit(all);
    assert.ok(Math.abs(fitted - calibration.fit({ probs: pick(probs), labels: pick(labels) })) < 1e-9, `${fitted}`);
    assert.ok(Math.abs(fitted - calibration.fit({ probs, labels })) > 1e-3);
  }
});

describe("figures by weights are those of repeated rows", () => {
  for (const [name, { task, width, label }] of Object.entries(measured)) {
    const probs = probsOf(1, width);
    const labelled = (of: readonly number[]) => (name === "classes" ? Int32Array : Float32Array).from(of.map(label));
    const all = { probs, labels: labelled(rowsIn(NUM_ROWS)), weights: Float32Array.from(weights) };
    const copies = {
      probs: Float32Array.from(repeated.flatMap((row) => [...probs.slice(row * width, (row + 1) * width)])),
      labels: labelled(repeated),
    };
    test(`${name}: loss and metrics`, () => {
      const [one, other] = [task.measure(all), task.measure(copies)];
      for (const [metric, value] of Object.entries(other))
        assert.ok(
          Math.abs((one[metric as "loss"] ?? Number.NaN) - value) < 1e-9,
          `${metric}: ${one[metric as "loss"]}, ${value}`,
        );
      const plain = task.measure({ ...all, weights: undefined });
      assert.ok(Math.abs(plain.loss - one.loss) > 1e-3, "without weights the loss is another one");
      assert.deepEqual(task.measure({ ...all, weights: new Float32Array(NUM_ROWS).fill(1) }), plain);
    });

    test(`${name}: estimates, classes and slices`, () => {
      const names = ["a", "b", "c", "d", "e", "f"].slice(0, name === "binary" ? 2 : width);
      const classes = name === "numbers" ? null : names;
      const slice = (row: number) => (row % 2 === 0 ? "even" : "odd");
      const one = evaluation(task, all, { classes, slices: rowsIn(NUM_ROWS).map(slice) });
      const other = evaluation(task, copies, { classes, slices: repeated.map(slice) });
      const figures = ({ classes: own, slices, estimates, meanPrediction, meanLabel }: typeof one) => [
        ...own.flatMap(({ precision, recall, meanProbability }) => [precision, recall, meanProbability]),
        ...["even", "odd"].map((wanted) => slices.find((found) => found.name === wanted)?.metrics.loss),
        ...Object.values(estimates).map(({ value }) => value),
        meanPrediction,
        meanLabel,
      ];
      figures(one).forEach((figure, i) => {
        const expected = figures(other)[i];
        const isSame = Object.is(figure, expected) || Math.abs(Number(figure) - Number(expected)) < 1e-9;
        assert.ok(isSame, `figure ${i}: ${figure}, ${expected}`);
      });
      if (name === "binary") {
        const [byWeights, byCopies] = [all, copies].map((own) =>
          thresholdAdvice(own, { falsePositive: 1, falseNegative: 3 }, rootKey(0)),
        );
        for (const found of ["least", "calibrated", "usual"] as const)
          assert.ok(Math.abs((byWeights?.[found].cost.value ?? 0) - (byCopies?.[found].cost.value ?? 9)) < 1e-9, found);
        assert.equal(byWeights?.least.threshold, byCopies?.least.threshold);
        const [bin] = one.reliability;
        assert.ok(bin && bin.rows === NUM_ROWS && one.reliability.length === 1);
        const ofYes = repeated.filter((row) => label(row) === 1).length / repeated.length;
        const predicted = copies.probs.reduce((sum, p) => sum + p, 0) / repeated.length;
        assert.ok(Math.abs(bin.observed.value - ofYes) < 1e-9 && Math.abs(bin.meanPrediction - predicted) < 1e-6);
      }
      if (task.errorScale) {
        const errors = keptErrors(Float64Array.from({ length: 99 }, (_, i) => (i - 50) / 40));
        const [held, ofCopies] = [all, copies].map((own) => coverageOf(own, errors, task.errorScale ?? assert.fail()));
        held?.forEach(({ held: share, meanWidth }, i) => {
          assert.ok(Math.abs(share.value - (ofCopies?.[i]?.held.value ?? 9)) < 1e-9);
          assert.ok(Math.abs(meanWidth - (ofCopies?.[i]?.meanWidth ?? 9)) < 1e-9);
        });
      }
      // Copies are no new rows: intervals of weighted rows are wider.
      const [{ loss, rmse }, ofCopies] = [estimatesOf(task.kind, all), estimatesOf(task.kind, copies)];
      const widthOf = (found: typeof loss) => (found ? found.high - found.low : Number.NaN);
      assert.ok(widthOf(loss ?? rmse) > widthOf(ofCopies.loss ?? ofCopies.rmse));
    });
  }
});

function rowsIn(number: number): number[] {
  return Array.from({ length: number }, (_, row) => row);
}
