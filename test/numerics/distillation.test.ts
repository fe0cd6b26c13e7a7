/** Temperature and the convex mix, against their closed forms in float64. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { binary } from "../../src/nn/losses.js";
import { mlp } from "../../src/nn/mlp.js";
import { sgd } from "../../src/optim/optimizers.js";
import { constantSchedule } from "../../src/optim/schedules.js";
import { float32, scalar } from "../../src/runtime/array.js";
import { accumulateGraph, type Distillation } from "../../src/train/graphs.js";
import { interpret } from "./interpreter.js";

const x = [-1.5, 0.25, 2, 0.75];
const labels = [0, 1, 1, 0];
const student = { weight: 0.5, bias: -0.25 };
const teacher = { weight: 1.5, bias: 0.5 };
const sigmoid = (z: number) => 1 / (1 + Math.exp(-z));
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The gradient by the bias of z = weight x + bias, which is the mean gradient by the logits, and the losses. */
function run(distillation: Distillation, distillWeight: number) {
  const model = mlp({ categorical: {}, numeric: { x: { mean: 0, std: 1 } }, hidden: [] });
  const learner = { model, objective: binary, optimizer: sgd(constantSchedule(1)), distillation };
  const params = (prefix: string, { weight, bias }: typeof student) => ({
    [`${prefix}.layers.0.weight`]: float32([weight], [1, 1]),
    [`${prefix}.layers.0.bias`]: float32([bias]),
  });
  const { outputs, updates } = interpret(accumulateGraph(learner, 1), {
    ...params("params", student),
    ...params("teachers.0", teacher),
    ...params("gradSum", { weight: 0, bias: 0 }),
    lossSum: scalar(0),
    "features.x": float32(x),
    labels: float32(labels),
    distillWeight: scalar(distillWeight),
    partShare: scalar(1),
  });
  const value = (record: typeof outputs, name: string) => Number(record[name]?.data[0]);
  return {
    gradient: value(updates, "gradSum.layers.0.bias"),
    labelLoss: value(outputs, "labelLoss"),
    distillLoss: value(outputs, "distillLoss"),
    divergence: value(outputs, "divergence"),
  };
}

const z = x.map((value) => student.weight * value + student.bias);
const zTeacher = x.map((value) => teacher.weight * value + teacher.bias);
const close = (actual: number, expected: number, what: string) =>
  assert.ok(Math.abs(actual - expected) < 1e-6, `${what}: ${actual}, expected ${expected}`);

for (const T of [1, 2, 5]) {
  test(`temperature ${T}: psi is T^2 CE(softened teacher, softened student), its gradient T (p - t)`, () => {
    const weight = 0.75;
    const result = run({ temperature: T }, weight);
    const t = zTeacher.map((value) => sigmoid(value / T));
    const p = z.map((value) => sigmoid(value / T));
    const crossEntropy = (q: readonly number[]) =>
      T ** 2 * mean(t.map((ti, i) => -ti * Math.log(q[i] ?? 0) - (1 - ti) * Math.log(1 - (q[i] ?? 0))));
    close(result.distillLoss, crossEntropy(p), "distillLoss");
    close(result.divergence, crossEntropy(p) - crossEntropy(t), "divergence");
    const labelPart = mean(z.map((value, i) => sigmoid(value) - (labels[i] ?? 0)));
    const distillPart = T * mean(p.map((pi, i) => pi - (t[i] ?? 0)));
    close(result.gradient, labelPart + weight * distillPart, "gradient");
  });
}

test("the convex mix is the cross-entropy against the mixed label, whatever the weight", () => {
  for (const weight of [0, 0.25, 0.5, 1]) {
    const mixed = labels.map((label, i) => (1 - weight) * label + weight * sigmoid(zTeacher[i] ?? 0));
    close(
      run({ mix: "convex" }, weight).gradient,
      mean(z.map((value, i) => sigmoid(value) - (mixed[i] ?? 0))),
      `weight ${weight}`,
    );
  }
});

test("a sum of weight w is (1 + w) times the convex mix of w / (1 + w)", () => {
  for (const weight of [0.5, 1, 3]) {
    close(
      run({ mix: "sum" }, weight).gradient,
      (1 + weight) * run({ mix: "convex" }, weight / (1 + weight)).gradient,
      `weight ${weight}`,
    );
  }
});

test("temperature and mix leave the label loss as it is logged", () => {
  const { labelLoss } = run({}, 1);
  for (const distillation of [{ temperature: 3 }, { mix: "convex" }] as const)
    close(run(distillation, 0.5).labelLoss, labelLoss, "labelLoss");
});
