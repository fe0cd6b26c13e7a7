/** Tasks from configurations: weights, smoothing, and that the loss of training and that of validation are one. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { tinyConfig } from "../../test/fixtures/tiny-run.js";
import { interpret, type Numbers, type Values } from "../../test/numerics/interpreter.js";
import type { LabelStatistics } from "../data/table.js";
import { ConfigError } from "../errors.js";
import { input } from "../graph/ops.js";
import type { Tensor } from "../graph/tensor.js";
import { binary, predict } from "../nn/losses.js";
import { float32, int32 } from "../runtime/array.js";
import { fold, normal, rootKey } from "../runtime/random.js";
import type { Task } from "../train/task.js";
import { resolveConfig } from "./config.js";
import type { TableRunInput } from "./input/run.js";
import { classesOf, configuredTask, labelsToFit } from "./task.js";

const animals: LabelStatistics = { kind: "classes", classes: ["cat", "dog", "eel"], counts: [60, 30, 10] };
const binaryLabels: LabelStatistics = { kind: "classes", classes: ["false", "true"], counts: [90, 10] };
const numbers: LabelStatistics = { kind: "numbers", mean: 500, std: 20 };

const taskOf = (task: TableRunInput["task"], labels?: LabelStatistics) =>
  configuredTask(tinyConfig({ task }).task, labels);

const evaluate = (tensor: Tensor, feeds: Readonly<Record<string, Values>>) =>
  interpret({ outputs: { value: tensor }, updates: {} }, feeds).outputs.value as Numbers;

/** The label loss of a step, and the loss that validation measures of what the same logits predict. */
function bothLosses({ objective, numOutputs, measure }: Task, logits: readonly number[], labels: readonly number[]) {
  const dtype = objective.labels?.dtype === "int32" ? "int32" : "float32";
  const z = input("z", numOutputs === 1 ? ["batch"] : ["batch", numOutputs]);
  const shape = numOutputs === 1 ? [labels.length] : [labels.length, numOutputs];
  const fed = {
    z: float32(logits, shape),
    labels: dtype === "int32" ? int32(labels) : float32(labels),
  };
  const inStep = evaluate(objective.labelLoss(z, input("labels", ["batch"], dtype)), fed).data[0] ?? Number.NaN;
  const probs = Float32Array.from(evaluate(predict(objective, z), { z: fed.z }).data);
  const { loss } = measure({ probs, labels: fed.labels.data });
  return { inStep, loss };
}

const logitsOf = (count: number) => [...normal(fold(rootKey(3), count), count)];
const close = (actual: number, expected: number, tolerance: number) =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual}, expected ${expected}`);

describe("what is minimised is what is validated", () => {
  const cases: readonly (readonly [string, Task, readonly number[]])[] = [
    ["binary", taskOf("binary"), [0, 1, 1, 0, 0, 0]],
    ["binary, balanced", taskOf({ kind: "binary", classWeights: "balanced" }, binaryLabels), [0, 1, 1, 0, 0, 0]],
    [
      "binary, explicit",
      taskOf({ kind: "binary", classWeights: { true: 3, false: 2 } }, binaryLabels),
      [0, 1, 1, 0, 0, 0],
    ],
    ["multiclass", taskOf("multiclass", animals), [0, 1, 2, 2, 0, 1]],
    ["multiclass, balanced", taskOf({ kind: "multiclass", classWeights: "balanced" }, animals), [0, 1, 2, 2, 0, 1]],
    ["multiclass, explicit", taskOf({ kind: "multiclass", classWeights: { eel: 7 } }, animals), [0, 1, 2, 2, 0, 1]],
    ["regression", taskOf("regression", numbers), [480, 530, 512, 499, 440, 505]],
    ["regression, absolute", taskOf({ kind: "regression", loss: "absolute" }, numbers), [480, 530, 512, 499, 440, 505]],
    [
      "regression, Huber",
      taskOf({ kind: "regression", loss: "huber", delta: 0.5 }, numbers),
      [480, 530, 512, 499, 440, 505],
    ],
  ];
  for (const [name, task, labels] of cases) {
    test(name, () => {
      const { inStep, loss } = bothLosses(task, logitsOf(labels.length * task.numOutputs), labels);
      close(loss, inStep, 1e-5);
      assert.ok(inStep > 0.1);
    });
  }
});

test("balanced weights are rows / (classes x rows of the class), so that every class weighs the same", () => {
  const labels = [...Array(60).fill(0), ...Array(30).fill(1), ...Array(10).fill(2)];
  const logits = labels.flatMap(() => [1, 0, -1]);
  const logSum = Math.log(Math.E + 1 + 1 / Math.E);
  const { inStep } = bothLosses(taskOf({ kind: "multiclass", classWeights: "balanced" }, animals), logits, labels);
  close(inStep, (logSum - 1 + logSum + (logSum + 1)) / 3, 1e-6);
  const yes = [...Array(90).fill(0), ...Array(10).fill(1)];
  const balanced = bothLosses(
    taskOf({ kind: "binary", classWeights: "balanced" }, binaryLabels),
    yes.map(() => 2),
    yes,
  );
  close(balanced.inStep, (Math.log1p(Math.exp(2)) + Math.log1p(Math.exp(-2))) / 2, 1e-6);
});

test("weights and smoothing of yes and no are those of two classes", () => {
  const options = { classWeights: "balanced", labelSmoothing: { amount: 0.25, prior: "unigram" } } as const;
  const one = taskOf({ kind: "binary", ...options }, binaryLabels);
  const two = taskOf({ kind: "multiclass", ...options }, binaryLabels);
  const labels = [0, 1, 1, 0, 0];
  const logits = logitsOf(5);
  const ofOne = bothLosses(one, logits, labels).inStep;
  const ofTwo = bothLosses(
    two,
    logits.flatMap((z) => [0, z]),
    labels,
  ).inStep;
  close(ofOne, ofTwo, 1e-7);
  // By hand: z and y as below, q = 9, t = 0.75 y + 0.25 / 10.
  const ofRow = (z: number, y: number) => {
    const t = 0.75 * y + 0.025;
    return 9 * t * Math.log1p(Math.exp(-z)) + (1 - t) * Math.log1p(Math.exp(z));
  };
  const total = logits.reduce((sum, z, i) => sum + ofRow(z, labels[i] ?? 0), 0);
  close(ofOne, total / (9 + 9 + 1 + 1 + 1), 1e-6);
});

test("label smoothing gives its share to all classes alike, or by their frequencies", () => {
  const logits = [2, -1, 0.5];
  const logProbs = logits.map((z) => z - Math.log(logits.reduce((sum, other) => sum + Math.exp(other), 0)));
  const cross = (target: readonly number[]) => target.reduce((sum, t, k) => sum - t * (logProbs[k] ?? 0), 0);
  const lossWith = (labelSmoothing: number | { amount: number; prior: "uniform" | "unigram" }) =>
    bothLosses(taskOf({ kind: "multiclass", labelSmoothing }, animals), logits, [1]).inStep;
  close(lossWith(0.3), cross([0.1, 0.8, 0.1]), 1e-6);
  close(lossWith({ amount: 0.3, prior: "uniform" }), cross([0.1, 0.8, 0.1]), 1e-6);
  close(lossWith({ amount: 0.5, prior: "unigram" }), cross([0.3, 0.5 + 0.15, 0.05]), 1e-6);
});

test("a plain task is the objective that there was before there were others, and fits nothing of its labels", () => {
  for (const task of ["binary", { kind: "binary" }] as const) {
    assert.equal(taskOf(task).objective, binary);
    assert.equal(labelsToFit(tinyConfig({ task }).task), undefined);
  }
  assert.equal(tinyConfig({ task: { kind: "binary" } }).task.kind, tinyConfig().task.kind);
  assert.equal(labelsToFit(tinyConfig({ task: { kind: "binary", classWeights: "balanced" } }).task), "binary");
  assert.equal(labelsToFit(tinyConfig({ task: "regression" }).task), "regression");
  assert.deepEqual([undefined, animals, numbers].map(classesOf), [["false", "true"], ["cat", "dog", "eel"], []]);
});

test("predictions of a regression are in the unit of its labels, and its teachers' mean is too", () => {
  const { objective } = taskOf("regression", numbers);
  const z = input("z", ["batch"]);
  assert.deepEqual(Array.from(evaluate(predict(objective, z), { z: float32([0, 1, -2.5]) }).data), [500, 520, 450]);
});

describe("a configuration's task", () => {
  const refused = (task: unknown, ...patterns: readonly RegExp[]) =>
    assert.throws(
      () => resolveConfig({ ...tinyConfig(), task }),
      (error) => {
        assert.ok(error instanceof ConfigError, String(error));
        for (const pattern of patterns) assert.match(error.message, pattern);
        return true;
      },
    );

  test("is told by its kind, or by its kind with options", () => {
    const { task } = tinyConfig({ task: { kind: "multiclass", labelSmoothing: 0.1, classWeights: { a: 2 } } });
    assert.deepEqual(task, {
      kind: "multiclass",
      classWeights: { a: 2 },
      labelSmoothing: { amount: 0.1, prior: "uniform" },
    });
    assert.deepEqual(tinyConfig({ task: "regression" }).task, { kind: "regression" });
  });

  test("is refused with what is wrong", () => {
    refused(
      "multiclas",
      /task: must be "binary", "multiclass", "regression" or .*, got "multiclas"; did you mean "multiclass"\?/,
    );
    refused(
      { kind: "regression", classWeights: "balanced" },
      /task.classWeights: unknown name; .*known names: kind, loss, delta/,
    );
    refused(
      { kind: "multiclass", classWeight: "balanced" },
      /task.classWeight: unknown name; did you mean "classWeights"\?/,
    );
    refused({ kind: "multiclass", classWeights: { a: 0 } }, /task.classWeights.a: must be > 0, got 0/);
    refused(
      { kind: "binary", classWeights: "balance" },
      /task.classWeights: must be "balanced" or \{ class name: weight > 0 \}, got "balance"; did you mean "balanced"\?/,
    );
    refused({ kind: "binary", labelSmoothing: 1 }, /task.labelSmoothing: must be < 1, got 1/);
    refused({ kind: "multiclass", distillLoss: "kl" }, /task.distillLoss/);
    refused({ kind: "regression", delta: -1 }, /task.delta: must be > 0, got -1/);
  });

  test("names only classes that there are in its weights", () => {
    assert.throws(
      () => taskOf({ kind: "multiclass", classWeights: { dogs: 2 } }, animals),
      (error) =>
        error instanceof ConfigError &&
        /task\.classWeights: "dogs" must be a class of the label; the classes are cat, dog, eel; did you mean "dog"\?/.test(
          error.message,
        ),
    );
  });

  test("may not have a feature with the name of its output, nor soften numbers", () => {
    const named = (name: string, task: TableRunInput["task"]) => () =>
      tinyConfig({ task, data: { ...tinyConfig().data, numeric: { [name]: "x" } } });
    assert.throws(
      named("prediction", "regression"),
      /data\.numeric\.prediction: is the name of the exported model's output/,
    );
    assert.throws(named("probabilities", "multiclass"), /data\.numeric\.probabilities: is the name/);
    assert.doesNotThrow(named("prediction", "binary"));
    assert.throws(
      () => tinyConfig({ task: "regression", algorithm: { burnInSteps: 0, temperature: 2 } }),
      /algorithm\.temperature: softens probabilities.* got 2/,
    );
  });
});
