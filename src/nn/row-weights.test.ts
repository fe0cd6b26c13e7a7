/** A row of weight k counts as k rows, in every loss of every objective. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { assertClose } from "../../test/fixtures/close.js";
import { interpret, type Numbers } from "../../test/numerics/interpreter.js";
import { gradients } from "../graph/grad.js";
import { input } from "../graph/ops.js";
import type { Shape, Tensor } from "../graph/tensor.js";
import { float32, int32, type NamedArrays } from "../runtime/array.js";
import { type DistillLossName, distillLosses } from "./distill-losses.js";
import { binary, type Objective } from "./losses.js";
import { categorical, regression, weightedBinary } from "./objectives.js";

const WEIGHTS = [2, 1, 0, 3];
/** The rows, each as often as its weight says. */
const REPEATED = WEIGHTS.flatMap((weight, row) => Array.from({ length: weight }, () => row));

interface WeightedCase {
  readonly objective: Objective;
  /** Whether the label loss is divided by the weights of the batch, and not by its number of rows. */
  readonly isRelative?: boolean;
}

const smoothing = { amount: 0.125, prior: [0.25, 0.5, 0.25] };
const classWeights = [0.5, 2, 1];
const cases: Readonly<Record<string, WeightedCase>> = {
  binary: { objective: binary },
  "smoothed binary": { objective: weightedBinary({ smoothing: { amount: 0.1 } }) },
  "positive weight": { objective: weightedBinary({ positiveWeight: 3 }), isRelative: true },
  classes: { objective: categorical({ numClasses: 3, smoothing }) },
  "class weights": { objective: categorical({ numClasses: 3, classWeights, smoothing }), isRelative: true },
  "a class that does not count": { objective: categorical({ numClasses: 3, ignoreIndex: 2 }), isRelative: true },
  ...Object.fromEntries(
    (Object.keys(distillLosses) as DistillLossName[]).flatMap((distillLoss) => [
      [distillLoss, { objective: categorical({ numClasses: 3, distillLoss }) }],
      [`${distillLoss} of two classes`, { objective: weightedBinary({ distillLoss }) }],
    ]),
  ),
  "squared errors": { objective: regression({ mean: 2, std: 3 }) },
  "absolute errors of logarithms": { objective: regression({ loss: "absolute", logUnit: 0.5 }) },
  "Huber's errors": { objective: regression({ loss: "huber", delta: 0.7 }) },
};

const LOGITS = [-1.5, 0.25, 0.75, 2, -3, 0.5, 1.25, -0.125, 4, -2.5, 0.375, 1];
const TARGETS = [0.125, 0.625, 0.25, 0.0625, 0.1875, 0.75, 0.5, 0.25, 0.25, 0.75, 0.125, 0.125];
const CLASSES = [2, 0, 1, 1];

describe("a weight of k is the row k times, but for the size of the batch", () => {
  for (const [name, { objective, isRelative = false }] of Object.entries(cases)) {
    const isOfClasses = objective.labels?.dtype === "int32";
    const shape: Shape = isOfClasses ? ["batch", 3] : ["batch"];
    const [logits, targets] = [input("logits", shape), input("targets", shape)];
    const labels = input("labels", ["batch"], isOfClasses ? "int32" : "float32");
    const weights = input("weights", ["batch"]);
    const lossesOf = (weighted?: Tensor): Readonly<Record<string, Tensor>> => {
      const labelLoss = objective.labelLoss(logits, labels, weighted);
      const distillLoss = objective.distillLoss(logits, targets, weighted);
      const [ofLabels, ofTargets] = [labelLoss, distillLoss].map((loss) => gradients(loss, [logits])[0] as Tensor);
      return {
        labelLoss,
        distillLoss,
        entropy: objective.entropy(targets, weighted),
        priorLoss: objective.priorLoss(labels, weighted),
        expectedLoss: objective.expectedLoss(logits, weighted),
        gradientOfLabels: ofLabels as Tensor,
        gradientOfTargets: ofTargets as Tensor,
      };
    };
    /** The values of some rows, by their indices. */
    const feedsOf = (rows: readonly number[]): NamedArrays => {
      const pick = (values: readonly number[], width: number) =>
        rows.flatMap((row) => values.slice(row * width, (row + 1) * width));
      const matrix = (values: readonly number[]) =>
        isOfClasses ? float32(pick(values, 3), [rows.length, 3]) : float32(pick(values, 1));
      return {
        logits: matrix(LOGITS),
        targets: matrix(TARGETS),
        labels: isOfClasses ? int32(pick(CLASSES, 1)) : float32(pick([1, 0, 0, 1], 1)),
        weights: float32(pick(WEIGHTS, 1)),
      };
    };
    const run = (losses: Readonly<Record<string, Tensor>>, rows: readonly number[]) =>
      interpret({ outputs: losses, updates: {} }, feedsOf(rows)).outputs as Readonly<Record<string, Numbers>>;

    test(name, () => {
      const [weighted, repeated] = [run(lossesOf(weights), [0, 1, 2, 3]), run(lossesOf(), REPEATED)];
      const growth = REPEATED.length / WEIGHTS.length;
      for (const loss of ["labelLoss", "distillLoss", "entropy", "priorLoss", "expectedLoss"]) {
        const isOfLabels = loss === "labelLoss" || loss === "priorLoss";
        const factor = isRelative && isOfLabels ? 1 : growth;
        const expected = (repeated[loss]?.data[0] ?? Number.NaN) * factor;
        assertClose(weighted[loss] as Numbers, { shape: [], data: [expected] }, 1e-9, loss, 1);
      }
      for (const gradient of ["gradientOfLabels", "gradientOfTargets"]) {
        const factor = isRelative && gradient === "gradientOfLabels" ? 1 : growth;
        const width = isOfClasses ? 3 : 1;
        const expected = new Float64Array(WEIGHTS.length * width);
        REPEATED.forEach((row, i) => {
          for (let k = 0; k < width; k++)
            expected[row * width + k]! += factor * (repeated[gradient]?.data[i * width + k] ?? Number.NaN);
        });
        const { shape: own = [] } = weighted[gradient] ?? {};
        assertClose(weighted[gradient] as Numbers, { shape: own, data: [...expected] }, 1e-9, gradient, 1);
      }
    });

    test(`${name}: weights of 1 change nothing, and of 0 throughout give 0 and no gradient`, () => {
      const ones = { ...feedsOf([0, 1, 2, 3]), weights: float32([1, 1, 1, 1]) };
      const [weighted, plain] = [lossesOf(weights), lossesOf()].map(
        (losses) => interpret({ outputs: losses, updates: {} }, ones).outputs as Readonly<Record<string, Numbers>>,
      );
      for (const [loss, value] of Object.entries(plain ?? {}))
        assertClose(weighted?.[loss] as Numbers, value, 1e-12, loss, 1);
      const none = { ...ones, weights: float32([0, 0, 0, 0]) };
      const { labelLoss, distillLoss, gradientOfLabels, gradientOfTargets } = interpret(
        { outputs: lossesOf(weights), updates: {} },
        none,
      ).outputs as Readonly<Record<string, Numbers>>;
      for (const found of [labelLoss, distillLoss, gradientOfLabels, gradientOfTargets])
        assert.ok(
          found?.data.every((value) => Math.abs(value) === 0),
          `${found?.data}`,
        );
    });
  }
});

test("the weighted loss is NumPy's", () => {
  const logits = input("logits", ["batch"]);
  const loss = binary.labelLoss(logits, input("labels", ["batch"]), input("weights", ["batch"]));
  const { value } = interpret(
    { outputs: { value: loss }, updates: {} },
    { logits: float32([-1.5, 0.25, 0.75, 2]), labels: float32([1, 0, 0, 1]), weights: float32([0.5, 1.25, 0, 2.25]) },
  ).outputs as Readonly<Record<string, Numbers>>;
  // z, y, w = map(np.array, ([-1.5, .25, .75, 2], [1, 0, 0, 1], [.5, 1.25, 0, 2.25]))
  // p = 1 / (1 + np.exp(-z)); np.mean(w * -(y * np.log(p) + (1 - y) * np.log(1 - p)))
  assert.ok(Math.abs((value?.data[0] ?? 0) - NUMPY) < 1e-12, `${value?.data}`);
});
const NUMPY = 0.5421797346716548;
