/** Objectives: what prior loss, expected loss and divergence mean for each, and whole steps with them. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { assertAllClose, assertClose } from "../../test/fixtures/close.js";
import { checkDifferences, tolerances } from "../../test/numerics/gradcheck.js";
import { interpret, type Numbers, type Values } from "../../test/numerics/interpreter.js";
import { input, matmul, reshape, tanh } from "../graph/ops.js";
import type { Tensor } from "../graph/tensor.js";
import { onnxRuntimeEngine } from "../node/ort/onnxruntime.js";
import { sgd } from "../optim/optimizers.js";
import { constantSchedule } from "../optim/schedules.js";
import { float32, int32, type NamedArrays, type NdArray, scalar, zeros } from "../runtime/array.js";
import { mapValues, named, underPrefix, withPrefix } from "../runtime/named.js";
import { fold, normal, rootKey } from "../runtime/random.js";
import { accumulateGraph, type Learner, stateNames } from "../train/graphs.js";
import { normalInit } from "./initialisers.js";

import { binary, type Objective } from "./losses.js";
import { categorical, regression, weightedBinary } from "./objectives.js";

const engine = onnxRuntimeEngine({ threads: 1 });
after(() => engine.close());

const evaluate = (tensor: Tensor, feeds: Readonly<Record<string, Values>>) =>
  interpret({ outputs: { value: tensor }, updates: {} }, feeds).outputs.value as Numbers;
const number = (value: number): Values => ({ shape: [], data: [value] });

describe("the prior loss is the label loss of the best constant prediction", () => {
  const priorLossOf = ({ priorLoss, labels: spec }: Objective, labels: NdArray) =>
    evaluate(priorLoss(input("labels", ["batch"], spec?.dtype)), { labels }).data[0] ?? Number.NaN;
  const entropyOf = (probs: readonly number[]) => probs.reduce((sum, p) => sum - (p > 0 ? p * Math.log(p) : 0), 0);

  test("categorical: the entropy of the class frequencies", () => {
    const labels = int32([0, 1, 1, 2, 2, 2, 2, 1]);
    const expected = entropyOf([1 / 8, 3 / 8, 4 / 8]);
    assert.ok(Math.abs(priorLossOf(categorical({ numClasses: 3 }), labels) - expected) < 1e-9);
    assert.ok(Math.abs(priorLossOf(categorical({ numClasses: 5 }), labels) - expected) < 1e-9);
    const without = categorical({ numClasses: 3, ignoreIndex: 0 });
    assert.ok(Math.abs(priorLossOf(without, labels) - entropyOf([3 / 7, 4 / 7])) < 1e-9);
  });

  test("categorical with weights and smoothing: no other constant does better", () => {
    const labels = int32([0, 1, 1, 2, 2, 2, 2, 1]);
    const objective = categorical({
      numClasses: 3,
      classWeights: [4, 1, 0.5],
      smoothing: { amount: 0.25, prior: [0.5, 0.25, 0.25] },
    });
    const priorLoss = priorLossOf(objective, labels);
    const logits = input("logits", ["batch", 3]);
    const loss = objective.labelLoss(logits, input("labels", ["batch"], "int32"));
    const lossOf = (row: readonly number[]) =>
      evaluate(loss, { logits: float32(Array(8).fill(row).flat(), [8, 3]), labels }).data[0] ?? Number.NaN;
    // w_k ((1 - e) f_k + e u_k) for the frequencies 1, 3 and 4 of 8.
    const best = [4 * (0.75 * 0.125 + 0.125), 0.75 * 0.375 + 0.0625, 0.5 * (0.75 * 0.5 + 0.0625)];
    assert.ok(Math.abs(priorLoss - lossOf(best.map(Math.log))) < 1e-6);
    for (let i = 0; i < 50; i++) {
      const row = [...normal(fold(rootKey(5), i), 3)];
      assert.ok(lossOf(row) > priorLoss - 1e-9);
    }
  });

  test("regression: the variance of the labels", () => {
    const labels = float32([1, 2, 4, 9]);
    assert.ok(Math.abs(priorLossOf(regression(), labels) - (9 + 4 + 0 + 25) / 4) < 1e-12);
    assert.ok(Math.abs(priorLossOf(regression({ loss: "absolute" }), labels) - (3 + 2 + 0 + 5) / 4) < 1e-12);
    assert.ok(Math.abs(priorLossOf(regression({ loss: "huber" }), labels) - (2.5 + 1.5 + 0 + 4.5) / 4) < 1e-12);
  });

  test("regression of standardised numbers: the variance in standard deviations", () => {
    const objective = regression({ mean: 3, std: 2 });
    assert.ok(Math.abs(priorLossOf(objective, float32([1, 2, 4, 9])) - (9 + 4 + 0 + 25) / 4 / 4) < 1e-12);
    for (const options of [{ mean: Number.NaN }, { std: 0 }, { std: Number.POSITIVE_INFINITY }]) {
      assert.throws(
        () => regression(options),
        /the mean must be finite and the standard deviation positive and finite/,
      );
    }
  });

  test("weighted binary: as binary with weight 1, and the best odds with another", () => {
    const labels = float32([0, 1, 1, 0, 0, 0, 0, 0]);
    assert.ok(Math.abs(priorLossOf(weightedBinary({}), labels) - priorLossOf(binary, labels)) < 1e-9);
    const objective = weightedBinary({ positiveWeight: 3 });
    const loss = objective.labelLoss(input("logits", ["batch"]), input("labels", ["batch"]));
    const at = (logit: number) =>
      evaluate(loss, { logits: float32(Array(8).fill(logit)), labels }).data[0] ?? Number.NaN;
    const best = Array.from({ length: 400 }, (_, i) => at((i - 200) / 100)).reduce((a, b) => Math.min(a, b));
    const priorLoss = priorLossOf(objective, labels);
    assert.ok(priorLoss <= best + 1e-9 && priorLoss > best - 1e-4);
  });
});

test("regression with a unit of logarithms learns those, and predicts in the label's own unit, never below 0", () => {
  const objective = regression({ logUnit: 10, mean: 1, std: 2 });
  const logs = (y: number) => (Math.log1p(y / 10) - 1) / 2;
  const [y, p] = [
    [0, 5, 300],
    [0.25, -0.5, 3],
  ];
  const feeds = { p: float32(p), y: float32(y) };
  const loss = evaluate(objective.labelLoss(input("p", ["batch"]), input("y", ["batch"])), feeds).data[0] ?? Number.NaN;
  const expected = p.reduce((sum, z, i) => sum + (z - logs(y[i] as number)) ** 2, 0) / 3;
  assert.ok(Math.abs(loss - expected) < 1e-6, `${loss} and ${expected}`);
  const predict = objective.inLabelUnit ?? ((x) => x);
  const predicted = evaluate(predict(input("p", ["batch"])), { p: float32([-3, 0, logs(300)]) }).data;
  const isClose = (actual: ArrayLike<number>, wanted: readonly number[]) =>
    assert.ok(
      wanted.every((x, i) => Math.abs((actual[i] as number) - x) < 1e-4),
      `${Array.from(actual)} and ${wanted}`,
    );
  isClose(predicted, [0, 10 * Math.expm1(1), 300]);
  const clipped = regression({ mean: 5, std: 2, least: 3 }).inLabelUnit ?? ((x) => x);
  isClose(evaluate(clipped(input("p", ["batch"])), { p: float32([-4, 1]) }).data, [3, 7]);
});

test("weighted binary with weight 1 is binary", () => {
  const [z, t] = [input("z", ["batch"]), input("t", ["batch"])];
  const feeds = { z: float32([-1.5, 0.25, 2, 40]), t: float32([0.25, 1, 0, 0.5]) };
  const { labelLoss, distillLoss, entropy, probs } = weightedBinary({});
  assertClose(evaluate(labelLoss(z, t), feeds), evaluate(binary.labelLoss(z, t), feeds), 1e-12, "labelLoss");
  assertClose(evaluate(distillLoss(z, t), feeds), evaluate(binary.distillLoss(z, t), feeds), 1e-12, "distillLoss");
  assertClose(evaluate(entropy(t), feeds), evaluate(binary.entropy(t), feeds), 1e-12, "entropy");
  assertClose(evaluate(probs(z), feeds), evaluate(binary.probs(z), feeds), 1e-12, "probs");
});

const NUM_EXAMPLES = 5;

/** x [batch, 3] through 4 tanh units to some outputs. */
function learnerOf(objective: Objective, numOutputs: number): Learner {
  const model = {
    params: {
      first: { shape: [3, 4], init: normalInit(1) },
      second: { shape: [4, numOutputs], init: normalInit(1) },
    },
    inputs: { "features.x": { shape: ["batch", 3], dtype: "float32" } as const },
    apply: (params: Readonly<Record<string, Tensor>>, inputs: Readonly<Record<string, Tensor>>) => {
      const hidden = tanh(matmul(named(inputs, "features.x"), named(params, "first")));
      const logits = matmul(hidden, named(params, "second"));
      return numOutputs === 1 ? reshape(logits, ["batch"]) : logits;
    },
  };
  return { model, objective, optimizer: sgd(constantSchedule(0.1)), distillation: { temperature: 2 } };
}

describe("a step of two teachers at temperature 2", () => {
  const classes = int32([0, 2, 1, 2, 0]);
  const steps: readonly (readonly [string, Objective, number, NdArray])[] = [
    ...(
      [
        "softCrossEntropy",
        "klTeacherStudent",
        "klStudentTeacher",
        "symmetricKl",
        "jensenShannon",
        "centredLogitSquaredError",
      ] as const
    ).map(
      (distillLoss) =>
        [`categorical, ${distillLoss}`, categorical({ numClasses: 3, distillLoss }), 3, classes] as const,
    ),
    [
      "categorical, ignoring and smoothing",
      categorical({ numClasses: 3, ignoreIndex: 1, smoothing: { amount: 0.125 } }),
      3,
      classes,
    ],
    [
      "weighted binary, jensenShannon",
      weightedBinary({ positiveWeight: 2, distillLoss: "jensenShannon" }),
      1,
      float32([0, 1, 1, 0, 1]),
    ],
    [
      "weighted binary, smoothing",
      weightedBinary({ positiveWeight: 3, smoothing: { amount: 0.25, prior: [0.75, 0.25] } }),
      1,
      float32([0, 1, 1, 0, 1]),
    ],
    ["regression", regression(), 1, float32([0.5, -1, 2, 0.25, 3])],
    ["regression of standardised numbers", regression({ mean: 20, std: 4 }), 1, float32([25, 10, 24, 18.5, 21])],
    ["regression by Huber's error", regression({ loss: "huber", delta: 0.75 }), 1, float32([0.5, -1, 2, 0.25, 3])],
  ];
  for (const [name, objective, numOutputs, labels] of steps) {
    test(`${name}: gradients are central differences, the engine agrees, and a teacher that agrees diverges by 0`, async () => {
      const learner = learnerOf(objective, numOutputs);
      const graph = accumulateGraph(learner, 2);
      const drawn = (seed: number): NamedArrays =>
        mapValues(learner.model.params, ({ shape, init }, path) => init(fold(rootKey(seed), path), shape));
      const at = withPrefix(stateNames.params, drawn(1));
      const others = {
        ...withPrefix(stateNames.teacher(0), drawn(2)),
        ...withPrefix(stateNames.teacher(1), drawn(3)),
        ...withPrefix(
          stateNames.gradSum,
          mapValues(learner.model.params, ({ shape }) => zeros(shape)),
        ),
        [stateNames.lossSum]: scalar(0),
      };
      const fed = {
        "features.x": float32(normal(rootKey(4), NUM_EXAMPLES * 3), [NUM_EXAMPLES, 3]),
        labels,
        partShare: scalar(1),
        distillWeight: scalar(0.75),
        ...(objective.labelWeight && { labelShare: scalar(1) }),
      };
      const reference = interpret(graph, { ...fed, ...others, ...at });
      const grads = withPrefix(stateNames.params, underPrefix(stateNames.gradSum, reference.updates));
      const totalLoss = (moved: Readonly<Record<string, Values>>) => {
        const { labelLoss, distillLoss } = interpret(graph, { ...fed, ...others, ...moved }).outputs;
        return (labelLoss?.data[0] ?? Number.NaN) + 0.75 * (distillLoss?.data[0] ?? Number.NaN);
      };
      checkDifferences(totalLoss, at, grads);

      await engine.write({ ...at, ...others });
      assertAllClose(await (await engine.compile(graph)).run(fed), reference.outputs, tolerances.float32, name, 1);
      const updates = await engine.read(Object.keys(reference.updates));
      assertAllClose(updates, reference.updates, tolerances.float32, name, 1);

      const { divergence } = reference.outputs;
      assert.ok((divergence?.data[0] ?? Number.NaN) > 1e-3);
      const agreeing = {
        ...withPrefix(stateNames.teacher(0), drawn(1)),
        ...withPrefix(stateNames.teacher(1), drawn(1)),
      };
      const same = interpret(graph, { ...fed, ...others, ...at, ...agreeing }).outputs;
      assertClose(same.divergence as Values, number(0), 1e-9, "divergence", 1);
    });
  }
});
