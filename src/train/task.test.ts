/** What a step shows of two teachers, against plain float64 arithmetic: of several classes, and of numbers. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { interpret } from "../../test/numerics/interpreter.js";
import { matmul, reshape } from "../graph/ops.js";
import { normalInit } from "../nn/initialisers.js";
import type { Model } from "../nn/model.js";
import { sgd } from "../optim/optimizers.js";
import { constantSchedule } from "../optim/schedules.js";
import { float32, int32, type NdArray, scalar } from "../runtime/array.js";
import { named } from "../runtime/named.js";
import { stateNames, stepGraph } from "./graphs.js";
import { multiclassTask, regressionTask, type Task } from "./task.js";
import { statisticNames } from "./teacher-statistics.js";

/** x [batch, 2] times a weight. */
function linearModel({ numOutputs }: Task): Model {
  return {
    params: { weight: { shape: [2, numOutputs], init: normalInit(1) } },
    inputs: { x: { shape: ["batch", 2], dtype: "float32" } },
    apply(params, inputs) {
      const logits = matmul(named(inputs, "x"), named(params, "weight"));
      return numOutputs === 1 ? reshape(logits, ["batch"]) : logits;
    },
  };
}

const rows = [
  [1, 0.5],
  [-0.25, 2],
  [0.75, -1],
];

/** The scalars that a step with two teachers puts out. */
function outputsOf(task: Task, labels: NdArray, weights: readonly (readonly number[])[]) {
  const learner = { model: linearModel(task), objective: task.objective, optimizer: sgd(constantSchedule(0.1)) };
  const [own, first, second] = weights.map((weight) => float32(weight, [2, task.numOutputs]));
  const { outputs } = interpret(stepGraph(learner, 2), {
    x: float32(rows.flat(), [3, 2]),
    labels,
    distillWeight: scalar(1),
    learningRate: scalar(0.1),
    [`${stateNames.params}.weight`]: own as NdArray<"float32">,
    [`${stateNames.teacher(0)}.weight`]: first as NdArray<"float32">,
    [`${stateNames.teacher(1)}.weight`]: second as NdArray<"float32">,
  });
  return (name: string) => outputs[name]?.data[0] ?? Number.NaN;
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const close = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < 1e-6, `${actual}, expected ${expected}`);
const at = (weight: readonly number[], row: readonly number[], numOutputs: number) =>
  Array.from(
    { length: numOutputs },
    (_, k) => (row[0] ?? 0) * (weight[k] ?? 0) + (row[1] ?? 0) * (weight[numOutputs + k] ?? 0),
  );

describe("two teachers", () => {
  test("of several classes teach by the mean of their probabilities", () => {
    const weights = [
      [0.5, -1, 0.25, 1, 0, -0.5],
      [1, 1, -1, 0.5, -0.5, 0],
      [-1, 0.25, 0.5, 0, 1, 2],
    ];
    const labels = [2, 0, 1];
    const softmax = (z: readonly number[]) => {
      const total = z.reduce((sum, value) => sum + Math.exp(value), 0);
      return z.map((value) => Math.exp(value) / total);
    };
    const probsOf = (weight: readonly number[]) => rows.map((row) => softmax(at(weight, row, 3)));
    const [own, first, second] = weights.map(probsOf) as [number[][], number[][], number[][]];
    const targets = first.map((p, i) => p.map((value, k) => (value + (second[i]?.[k] ?? 0)) / 2));
    const cross = (t: readonly number[], p: readonly number[]) =>
      -t.reduce((sum, ti, k) => sum + ti * Math.log(p[k] ?? 0), 0);

    const output = outputsOf(multiclassTask({ classes: ["a", "b", "c"] }), int32(labels), weights);
    close(output("labelLoss"), mean(own.map((p, i) => -Math.log(p[labels[i] ?? 0] ?? 0))));
    close(output("distillLoss"), mean(own.map((p, i) => cross(targets[i] ?? [], p))));
    close(
      output("divergence"),
      mean(own.map((p, i) => cross(targets[i] ?? [], p) - cross(targets[i] ?? [], targets[i] ?? []))),
    );
    close(output(statisticNames.teacher(1, "loss")), mean(second.map((p, i) => -Math.log(p[labels[i] ?? 0] ?? 0))));
    const apart = own.map((p, i) => p.reduce((sum, value, k) => sum + Math.abs(value - (first[i]?.[k] ?? 0)), 0) / 2);
    close(output(statisticNames.teacher(0, "distance")), mean(apart));
    const variances = [0, 1, 2].map((k) => {
      const ofClass = own.map((p) => p[k] ?? 0);
      return mean(ofClass.map((p) => (p - mean(ofClass)) ** 2));
    });
    close(
      output(statisticNames.variance),
      variances.reduce((sum, variance) => sum + variance, 0),
    );
    close(output(statisticNames.priorLoss), Math.log(3) + Math.log(1 + 2 / 3) / 2);

    const kl = outputsOf(
      multiclassTask({ classes: ["a", "b", "c"], distillLoss: "klTeacherStudent" }),
      int32(labels),
      weights,
    );
    close(kl("distillLoss"), output("divergence"));
    close(kl("divergence"), output("divergence"));
  });

  test("of numbers teach by the mean of their predictions, all of it in standard units", () => {
    const weights = [
      [0.5, -1],
      [1, 0.25],
      [-1, 2],
    ];
    const [own, first, second] = weights.map((weight) => rows.map((row) => at(weight, row, 1)[0] ?? 0)) as [
      number[],
      number[],
      number[],
    ];
    const labels = [130, 95, 120];
    const standard = labels.map((label) => (label - 100) / 20);
    const targets = first.map((value, i) => (value + (second[i] ?? 0)) / 2);
    const squared = (a: readonly number[], b: readonly number[]) =>
      mean(a.map((value, i) => (value - (b[i] ?? 0)) ** 2));
    const output = outputsOf(regressionTask({ mean: 100, std: 20 }), float32(labels), weights);
    close(output("labelLoss"), squared(own, standard));
    close(output("distillLoss"), squared(own, targets));
    close(output("divergence"), squared(own, targets));
    close(output(statisticNames.teacher(1, "loss")), squared(second, standard));
    close(
      output(statisticNames.teacher(0, "distance")),
      mean(own.map((value, i) => Math.abs(value - (first[i] ?? 0)))),
    );
    close(
      output(statisticNames.priorLoss),
      squared(
        standard,
        standard.map(() => mean(standard)),
      ) +
        Math.log(1 + 1 / 3) / 2,
    );
  });
});

describe("how far predictions are apart", () => {
  test("of several classes: half the sum of differences, and the share of rows decided otherwise", () => {
    const { distance, churn } = multiclassTask({ classes: ["a", "b", "c"] });
    const a = Float32Array.of(0.5, 0.25, 0.25, 0, 0.25, 0.75);
    const b = Float32Array.of(0.25, 0.5, 0.25, 0, 0, 1);
    close(distance(a, b), (0.25 + 0.25) / 2);
    assert.equal(churn(a, b), 0.5);
    assert.equal(churn(a, a), 0);
    // Of equal probabilities the first class is decided for.
    assert.equal(churn(Float32Array.of(0.5, 0.5, 0), Float32Array.of(1, 0, 0)), 0);
  });
  test("of numbers: their mean difference, for both", () => {
    const { distance, churn } = regressionTask({ mean: 5, std: 2 });
    const [a, b] = [Float32Array.of(10, 20), Float32Array.of(13, 19)];
    assert.deepEqual([distance(a, b), churn(a, b)], [2, 2]);
  });
});
