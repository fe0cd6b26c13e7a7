import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { evaluation } from "./evaluation.js";
import { binaryTask, multiclassTask, regressionTask } from "./task.js";

/** A value that no two of the expected ones are near. */
const near = (actual: number | null | undefined, expected: number, what: string) =>
  assert.ok(Math.abs((actual ?? Number.NaN) - expected) < 1e-6, `${what}: ${actual}, expected ${expected}`);

describe("an evaluation", () => {
  test("of binary labels has both classes, and slices by size", () => {
    const predictions = {
      probs: Float32Array.of(0.9, 0.8, 0.3, 0.6, 0.2),
      labels: Float32Array.of(1, 0, 0, 1, 1),
    };
    const { rows, metrics, classes, slices, meanPrediction, meanLabel } = evaluation(binaryTask(), predictions, {
      classes: ["<=50K", ">50K"],
      slices: ["b", "a", "b", "b", "a"],
    });
    assert.equal(rows, 5);
    near(metrics.accuracy, 0.6, "accuracy");
    near(meanPrediction, 0.56, "mean prediction");
    near(meanLabel, 0.6, "mean label");
    const [no, yes] = classes;
    assert.deepEqual([no?.name, no?.rows, no?.decided], ["<=50K", 2, 2]);
    near(no?.precision, 1 / 2, "precision of no");
    near(no?.recall, 1 / 2, "recall of no");
    near(yes?.precision, 2 / 3, "precision of yes");
    near(yes?.recall, 2 / 3, "recall of yes");
    near(yes?.meanProbability, 0.56, "mean probability of yes");
    assert.deepEqual(
      slices.map(({ name, rows: own }) => [name, own]),
      [
        ["b", 3],
        ["a", 2],
      ],
    );
    near(slices[0]?.metrics.loss, -(Math.log(0.9) + Math.log(0.7) + Math.log(0.6)) / 3, "loss of a slice");
  });

  test("of classes has their precision and recall, and no means", () => {
    const predictions = {
      probs: Float32Array.of(0.5, 0.3, 0.2, 0.1, 0.2, 0.7, 0.2, 0.5, 0.3),
      labels: Int32Array.of(0, 1, 1),
    };
    const options = { classes: ["x", "y", "z"], slices: ["s", "s", "t"] };
    const { classes, meanLabel, slices } = evaluation(multiclassTask(options), predictions, options);
    assert.equal(meanLabel, null);
    const figures = classes.map(({ rows, decided, precision, recall }) => [rows, decided, precision, recall]);
    assert.deepEqual(figures, [
      [1, 1, 1, 1],
      [2, 1, 1, 0.5],
      [0, 1, 0, Number.NaN],
    ]);
    near(classes[2]?.meanProbability, 0.4, "mean probability");
    near(slices.find(({ name }) => name === "t")?.metrics.loss, Math.log(2), "loss of a slice");
  });

  test("of numbers has no classes; further slices are counted", () => {
    const predictions = { probs: Float32Array.of(1, 2, 3, 4), labels: Float32Array.of(1, 2, 4, 4) };
    const result = evaluation(regressionTask({}), predictions, {
      classes: null,
      slices: ["a", "a", "b", "c"],
      mostSlices: 1,
    });
    assert.deepEqual(result.classes, []);
    assert.deepEqual([result.slices.length, result.numOtherRows], [1, 2]);
    near(result.metrics.mae, 0.25, "mean absolute error");
    near(result.estimates.mae?.value, 0.25, "its estimate");
  });
});
