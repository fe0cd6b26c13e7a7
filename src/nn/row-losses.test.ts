/** Label and distillation losses: against PyTorch, and what the method says of their gradients. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { assertClose, relativeDifference } from "../../test/fixtures/close.js";
import { readGolden, resultOf } from "../../test/golden/golden.js";
import {
  LOGITS,
  NUM_CLASSES,
  type RowLossCase,
  type RowLossResult,
  rowLossCases,
} from "../../test/golden/row-losses.js";
import { checkGradients, tolerances } from "../../test/numerics/gradcheck.js";
import { interpret, type Numbers, type Values } from "../../test/numerics/interpreter.js";
import { ShapeError } from "../errors.js";
import { gradients } from "../graph/grad.js";
import { add, div, input, mul, reshape, softmax } from "../graph/ops.js";
import { isOp, type Tensor, topologicalOrder } from "../graph/tensor.js";
import { onnxRuntimeEngine } from "../node/ort/onnxruntime.js";
import { float32, int32, type NamedArrays } from "../runtime/array.js";
import {
  binaryForm,
  centredLogitSquaredError,
  distillLosses,
  klStudentTeacher,
  klTeacherStudent,
  leastValue,
  meanEntropy,
  softCrossEntropy,
} from "./distill-losses.js";
import {
  absoluteError,
  huberError,
  softmaxCrossEntropy,
  squaredError,
  weightedSigmoidCrossEntropy,
} from "./label-losses.js";
import { binary, withConfidencePenalty } from "./losses.js";
import { categorical } from "./objectives.js";

const engine = onnxRuntimeEngine({ threads: 1 });
after(() => engine.close());

const logits = input("logits", ["batch", NUM_CLASSES]);
const targets = input("targets", ["batch", NUM_CLASSES]);
const labels = input("labels", ["batch"], "int32");
const flatLogits = reshape(logits, [`batch*${NUM_CLASSES}`]);
const flatTargets = reshape(targets, [`batch*${NUM_CLASSES}`]);

function lossOf(rowCase: RowLossCase): Tensor {
  switch (rowCase.kind) {
    case "label":
      return softmaxCrossEntropy(logits, labels, rowCase.options);
    case "confidencePenalty":
      return withConfidencePenalty(categorical({ numClasses: NUM_CLASSES }), rowCase.weight).labelLoss(logits, labels);
    case "binaryConfidencePenalty":
      return withConfidencePenalty(binary, rowCase.weight).labelLoss(flatLogits, flatTargets);
    case "distill":
      return distillLosses[rowCase.name](logits, targets);
    case "binaryDistill":
      return binaryForm(distillLosses[rowCase.name])(flatLogits, flatTargets);
    case "positiveWeight":
      return weightedSigmoidCrossEntropy(flatLogits, flatTargets, rowCase.weight);
    case "squared":
      return squaredError(flatLogits, flatTargets);
    case "absolute":
      return absoluteError(flatLogits, flatTargets);
    case "huber":
      return huberError(flatLogits, flatTargets, rowCase.delta);
  }
}

const matrix = (data: readonly number[]) => float32(data, [data.length / NUM_CLASSES, NUM_CLASSES]);
const feedsOf = (rowCase: RowLossCase): NamedArrays => ({
  logits: matrix(LOGITS),
  ...("labels" in rowCase ? { labels: int32(rowCase.labels) } : { targets: matrix(rowCase.targets) }),
});
const gradientOf = (loss: Tensor, by: Tensor = logits) => gradients(loss, [by])[0] as Tensor;

describe("PyTorch gives the same losses and gradients", () => {
  const golden = readGolden<RowLossResult>("losses");
  for (const [name, rowCase] of Object.entries(rowLossCases)) {
    const loss = lossOf(rowCase);
    const graph = { outputs: { loss, gradient: gradientOf(loss) }, updates: {} };
    const check = (actual: Readonly<Record<string, Values>>, tolerance: number) => {
      const expected = resultOf(golden, name);
      assertClose(actual.loss as Values, { shape: [], data: [expected.loss] }, tolerance, "loss", 1);
      assertClose(actual.gradient as Values, { shape: [3, 4], data: expected.gradient }, tolerance, "gradient", 0.1);
    };
    test(`${name}, in the interpreter`, () => {
      check(interpret(graph, feedsOf(rowCase)).outputs, 1e-10);
      checkGradients(loss, [logits], feedsOf(rowCase));
    });
    test(`${name}, in the engine`, async () => {
      check(await (await engine.compile(graph)).run(feedsOf(rowCase)), tolerances.float32);
    });
  }
});

const T = [0.125, 0.5, 0.25, 0.125, 0.0625, 0.0625, 0.75, 0.125, 0.9375, 0.015625, 0.015625, 0.03125];
const OTHER = [0.5, 0.25, 0.125, 0.125, 0.25, 0.25, 0.25, 0.25, 0.0625, 0.0625, 0.125, 0.75];
const other = input("other", ["batch", NUM_CLASSES]);
const point: NamedArrays = { logits: matrix(LOGITS), targets: matrix(T), other: matrix(OTHER) };
const evaluate = (tensor: Tensor, feeds: Readonly<Record<string, Values>> = point) =>
  interpret({ outputs: { value: tensor }, updates: {} }, feeds).outputs.value as Numbers;
const cosine = (a: Numbers, b: Numbers) => {
  const dot = (x: Numbers, y: Numbers) => x.data.reduce((sum, value, i) => sum + value * (y.data[i] ?? 0), 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
};

describe("what the method says of distillation losses", () => {
  test("soft cross-entropy and KL(t || p) have one gradient, (p - t) / rows, and differ by the entropy of t", () => {
    const expected = evaluate(div(add(softmax(logits), mul(-1, targets)), 3));
    for (const loss of [softCrossEntropy, klTeacherStudent]) {
      assertClose(evaluate(gradientOf(loss(logits, targets))), expected, 1e-12, "gradient");
    }
    const difference = add(softCrossEntropy(logits, targets), mul(-1, klTeacherStudent(logits, targets)));
    assertClose(evaluate(difference), evaluate(meanEntropy(targets)), 1e-12, "difference");
    const reverse = evaluate(gradientOf(klStudentTeacher(logits, targets)));
    assert.ok(cosine(reverse, expected) < 0.99, "the other direction is another objective");
  });

  test("times T^2 the gradient keeps its size, and becomes that of centred logits as T grows", () => {
    const teacher = input("teacher", ["batch", NUM_CLASSES]);
    const feeds = { ...point, teacher: matrix(OTHER.map((value, i) => Math.round((8 * value - (i % 3)) * 64) / 64)) };
    const softened = (temperature: number) => {
      const loss = softCrossEntropy(div(logits, temperature), softmax(div(teacher, temperature)));
      return evaluate(gradientOf(mul(temperature ** 2, loss)), feeds);
    };
    const plain = evaluate(gradientOf(centredLogitSquaredError(logits, softmax(teacher))), feeds);
    assert.ok(relativeDifference(softened(256), plain) < 0.02);
    assert.ok(relativeDifference(softened(4), plain) > 4 * relativeDifference(softened(64), plain));
    assert.ok(cosine(softened(32), plain) > 0.999 && cosine(softened(1), plain) < 0.99);
    const norm = ({ data }: Numbers) => Math.hypot(...data);
    for (const temperature of [2, 4, 8]) {
      const ratio = norm(softened(temperature)) / norm(softened(1));
      assert.ok(ratio > 0.3 && ratio < 3, `without T^2 it would fall to ${ratio / temperature ** 2}`);
    }
  });

  test("the mean of the losses against two teachers pulls as their mean does, for KL(t || p) and centred logits' parts", () => {
    const mean = mul(0.5, add(targets, other));
    for (const loss of [softCrossEntropy, klTeacherStudent]) {
      const single = mul(0.5, add(loss(logits, targets), loss(logits, other)));
      assertClose(evaluate(gradientOf(single)), evaluate(gradientOf(loss(logits, mean))), 1e-12, "gradient");
    }
    const reverse = mul(0.5, add(klStudentTeacher(logits, targets), klStudentTeacher(logits, other)));
    const toMean = evaluate(gradientOf(klStudentTeacher(logits, mean)));
    assert.ok(relativeDifference(evaluate(gradientOf(reverse)), toMean) > 0.01, "the other direction does not");
  });

  test("phi + w psi is the cross-entropy against the mixed label, times 1 + w", () => {
    const feeds = { ...point, labels: int32([3, 1, 0]) };
    const hard = matrix([0, 0, 0, 1, 0, 1, 0, 0, 1, 0, 0, 0]);
    const weight = 0.5;
    const both = add(softmaxCrossEntropy(logits, labels), mul(weight, softCrossEntropy(logits, targets)));
    const mixed = div(add(other, mul(weight, targets)), 1 + weight);
    const one = mul(1 + weight, softCrossEntropy(logits, mixed));
    const withHard = { ...feeds, other: hard };
    assertClose(evaluate(gradientOf(both), withHard), evaluate(gradientOf(one), withHard), 1e-12, "gradient");
  });

  test("a teacher that is the student gives the least value and no gradient", () => {
    const own = softmax(input("teacher", ["batch", NUM_CLASSES]));
    const feeds = { ...point, teacher: matrix(LOGITS) };
    for (const [name, loss] of Object.entries(distillLosses)) {
      const value = loss(logits, own);
      const least = evaluate(leastValue(name as keyof typeof distillLosses, own), feeds);
      assertClose(evaluate(value, feeds), least, 1e-12, name, 1);
      assertClose(evaluate(gradientOf(value), feeds), evaluate(mul(0, logits), feeds), 1e-12, name, 1);
    }
  });

  test("targets of 0 and far logits give finite losses and gradients in float32", async () => {
    const feeds = {
      logits: matrix([80, -80, 0, 3, 1e4, -1e4, 0, 0, 1, 2, 3, 4]),
      targets: matrix([0, 1, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0]),
    };
    for (const [name, loss] of Object.entries(distillLosses)) {
      const value = loss(logits, targets);
      const program = await engine.compile({ outputs: { value, gradient: gradientOf(value) }, updates: {} });
      for (const { data } of Object.values(await program.run(feeds))) {
        assert.ok(Array.from(data, Number).every(Number.isFinite), name);
      }
    }
  });
});

describe("softmaxCrossEntropy", () => {
  test("of rows that do not count at all is 0, with gradient 0", () => {
    const loss = softmaxCrossEntropy(logits, labels, { ignoreIndex: -1 });
    const feeds = { logits: matrix(LOGITS), labels: int32([-1, -1, -1]) };
    assert.equal(evaluate(loss, feeds).data[0], 0);
    assert.ok(evaluate(gradientOf(loss), feeds).data.every((value) => Math.abs(value) === 0));
  });

  test("of far logits is finite", async () => {
    const loss = softmaxCrossEntropy(logits, labels);
    const program = await engine.compile({ outputs: { loss, gradient: gradientOf(loss) }, updates: {} });
    const feeds = { logits: matrix([1e4, -1e4, 0, 0]), labels: int32([1]) };
    const { loss: value, gradient } = await program.run(feeds);
    assert.equal(value?.data[0], 2e4);
    assert.deepEqual(Array.from(gradient?.data ?? [], Number), [1, -1, 0, 0]);
  });

  test("adds to one number of each row of the probabilities, and makes no one-hot tensor", () => {
    const order = topologicalOrder([gradientOf(softmaxCrossEntropy(logits, labels))]);
    assert.equal(order.filter((tensor) => isOp(tensor, "addAlong")).length, 1);
    assert.ok(!order.some((tensor) => isOp(tensor, "equal") || (isOp(tensor, "expand") && tensor.shape.length === 2)));
  });

  test("refuses options that do not fit", () => {
    const refuses = (options: Parameters<typeof softmaxCrossEntropy>[2], message: RegExp) =>
      assert.throws(
        () => softmaxCrossEntropy(logits, labels, options),
        (error) => error instanceof ShapeError && message.test(error.message),
      );
    refuses({ classWeights: [1, 2] }, /class weights must be one number >= 0 for each of 4 classes, got \[2\]: 1, 2/);
    refuses({ classWeights: [1, 2, -3, 1] }, /class weights must be .* got \[4\]: 1, 2, -3, 1/);
    refuses({ smoothing: { amount: 1 } }, /the smoothing must be at least 0 and below 1, got 1/);
    refuses({ smoothing: { amount: 0.1, prior: [0.5, 0.5, 0.5, 0.5] } }, /the prior must sum to 1, got 2/);
    assert.throws(() => huberError(logits, targets, 0), /huberError: delta must be positive and finite, got 0/);
    assert.throws(() => weightedSigmoidCrossEntropy(logits, targets, 0), /the weight must be positive, got 0/);
  });
});
