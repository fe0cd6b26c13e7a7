/** The ways in which codistillation goes wrong without an error: each is set up, and shown not to happen here. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { ShapeError } from "../../src/errors.js";
import { gradients } from "../../src/graph/grad.js";
import { type Graph, inputsOf, rootsOf } from "../../src/graph/graph.js";
import { add, input, log, mul, reduceMean, sub } from "../../src/graph/ops.js";
import { isOp, type Tensor, topologicalOrder } from "../../src/graph/tensor.js";
import { binary } from "../../src/nn/losses.js";
import { inputTensors, paramTensors } from "../../src/nn/model.js";
import { onnxRuntimeEngine } from "../../src/node/ort/onnxruntime.js";
import { sgd } from "../../src/optim/optimizers.js";
import { constantSchedule } from "../../src/optim/schedules.js";
import { float32, type NdArray, scalar } from "../../src/runtime/array.js";
import { mapValues, named, underPrefix, withPrefix } from "../../src/runtime/named.js";
import { rootKey } from "../../src/runtime/random.js";
import { accumulateGraph, stateNames } from "../../src/train/graphs.js";
import { engineStudent, type Student, type Teacher } from "../../src/train/student.js";
import { statisticNames } from "../../src/train/teacher-statistics.js";
import { assertAllClose, assertClose, relativeDifference } from "../fixtures/close.js";
import { flightsLike, randomBatch, randomParams, randomTeacher, zeroGradSum } from "../fixtures/flights-like.js";
import { interpret, type Numbers, type Values } from "./interpreter.js";

const engine = onnxRuntimeEngine({ threads: 1 });
after(() => engine.close());

const learner = flightsLike({ hidden: [6, 4], widths: 2, optimizer: sgd(constantSchedule(0.1)) });
const batch = randomBatch(12, 5);
const params = randomParams(learner, 1);

/** Everything that a graph of `numTeachers` random teachers reads. */
function feedsFor(numTeachers: number, distillWeight = 1): Record<string, NdArray> {
  const teachers = Array.from({ length: numTeachers }, (_, slot) => {
    return withPrefix(stateNames.teacher(slot), randomParams(learner, 10 + slot));
  });
  return Object.assign(
    { ...batch, ...withPrefix(stateNames.params, params), ...withPrefix(stateNames.gradSum, zeroGradSum(learner)) },
    { [stateNames.lossSum]: scalar(0), partShare: scalar(1), distillWeight: scalar(distillWeight) },
    ...teachers,
  );
}

/** Losses and the gradient of the whole loss, in double precision. */
function lossesAndGrads(numTeachers: number, feeds: Readonly<Record<string, Values>>) {
  const { outputs, updates } = interpret(accumulateGraph(learner, numTeachers), feeds);
  return {
    losses: mapValues(outputs, ({ data }) => data[0] ?? Number.NaN),
    grads: underPrefix(stateNames.gradSum, updates),
  };
}

/** The one tensor of a training graph that is held fixed: the mean prediction of the teachers. */
function targetsOf(graph: Graph): Tensor {
  const found = topologicalOrder(rootsOf(graph)).filter((tensor) => isOp(tensor, "stopGradient"));
  assert.equal(found.length, 1);
  return found[0] as Tensor;
}

const vector = (data: ArrayLike<number>): Values => ({ shape: [data.length], data });
const sigmoid = (z: number) => 1 / (1 + Math.exp(-z));

describe("teachers are detached", () => {
  const graph = accumulateGraph(learner, 2);
  const { labelLoss, distillLoss } = graph.outputs as { labelLoss: Tensor; distillLoss: Tensor };
  const total = add(labelLoss, distillLoss);

  test("a gradient by a param of a teacher is refused, although the loss changes with it", () => {
    const inputs = inputsOf(graph);
    for (const name of ["teachers.0.layers.0.weight", "teachers.1.embeddings.origin"]) {
      const teacherParam = inputs.get(name);
      assert.ok(teacherParam);
      assert.throws(() => gradients(total, [teacherParam]), ShapeError);
      const feeds = feedsFor(2);
      const moved = { ...feeds, [name]: mulBy(named(feeds, name), 1.5) };
      const lossOf = (at: Record<string, Values>) => lossesAndGrads(2, at).losses.distillLoss ?? Number.NaN;
      assert.ok(Math.abs(lossOf(moved) - lossOf(feeds)) > 1e-3);
    }
  });

  test("what the student's params are does not enter the targets", () => {
    const targets = { outputs: { targets: targetsOf(graph) }, updates: {} };
    const read = [...inputsOf(targets).keys()];
    assert.deepEqual(
      read.filter((name) => name.startsWith("params.") || name === "labels" || name === "distillWeight"),
      [],
    );
    assert.equal(read.filter((name) => name.startsWith("teachers.1.")).length, Object.keys(params).length);
  });

  test("a step changes the student and leaves every teacher as it was, to the bit", async () => {
    const student = await freshStudent();
    const teachers = [randomTeacher(learner, 2), randomTeacher(learner, 3)];
    const before = await student.params();
    await student.learn([batch], teachers, 1);
    await student.learn([batch, batch], teachers, 1);
    for (const [slot, teacher] of teachers.entries()) {
      const names = Object.keys(withPrefix(stateNames.teacher(slot), teacher.params));
      assert.deepEqual(underPrefix(stateNames.teacher(slot), await engine.read(names)), teacher.params);
    }
    assert.notDeepEqual(await student.params(), before);
  });
});

test("teachers are averaged in probabilities and not in logits", () => {
  // One teacher says yes and the other no, with different certainty.
  const teachers = [4, -1].map((bias, slot) => {
    const sure = { ...randomParams(learner, 10 + slot), "layers.2.bias": float32([bias]) };
    return withPrefix(stateNames.teacher(slot), sure);
  });
  const feeds: Record<string, Values> = Object.assign(feedsFor(2), ...teachers);
  const inputs = inputTensors(learner.model);
  const logitsOf = (slot: number) => learner.model.apply(paramTensors(learner.model, stateNames.teacher(slot)), inputs);
  const { first, second } = interpret(
    { outputs: { first: logitsOf(0), second: logitsOf(1) }, updates: {} },
    feeds,
  ).outputs;
  const pairs = Array.from(first?.data ?? [], (z, i) => [z, second?.data[i] ?? Number.NaN] as const);

  const graph = { outputs: { targets: targetsOf(accumulateGraph(learner, 2)) }, updates: {} };
  const { targets } = interpret(graph, feeds).outputs;
  const meanOfProbs = vector(pairs.map(([z0, z1]) => (sigmoid(z0) + sigmoid(z1)) / 2));
  const probOfMean = vector(pairs.map(([z0, z1]) => sigmoid((z0 + z1) / 2)));
  assertClose(targets as Values, meanOfProbs, 1e-12, "targets");
  assert.ok(relativeDifference(targets as Values, probOfMean) > 0.1);
});

describe("losses are means over the batch", () => {
  test("every example twice gives the same losses and the same gradient", () => {
    const twice = mapValues(batch, (array) => repeated(array, 2));
    for (const numTeachers of [0, 2]) {
      const feeds = feedsFor(numTeachers);
      const [once, doubled] = [lossesAndGrads(numTeachers, feeds), lossesAndGrads(numTeachers, { ...feeds, ...twice })];
      for (const [name, loss] of Object.entries(once.losses)) {
        // What guessing loses of other labels depends on how many labels it was taken from.
        if (name === statisticNames.priorLoss) continue;
        assert.ok(Math.abs(loss - (doubled.losses[name] ?? Number.NaN)) < 1e-12, name);
      }
      assertAllClose(doubled.grads, once.grads, 1e-12, "gradients");
    }
  });

  test("the loss of a batch is the mean of the losses of its examples", () => {
    const feeds = feedsFor(1);
    const alone = Array.from({ length: 12 }, (_, i) => mapValues(batch, (array) => example(array, i)));
    const losses = alone.map((one) => lossesAndGrads(1, { ...feeds, ...one }).losses.distillLoss ?? Number.NaN);
    const mean = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
    assert.ok(Math.abs(mean - (lossesAndGrads(1, feeds).losses.distillLoss ?? Number.NaN)) < 1e-12);
  });
});

test("the gradient of the distillation loss is that of KL(teacher || student), and not of the other direction", () => {
  const [logits, targets] = [input("logits", ["batch"]), input("targets", ["batch"])];
  const p = binary.probs(logits);
  const entropyTerms = (of: Tensor, by: Tensor) => add(mul(of, log(by)), mul(sub(1, of), log(sub(1, by))));
  const forward = reduceMean(sub(entropyTerms(targets, targets), entropyTerms(targets, p)));
  const reverse = reduceMean(sub(entropyTerms(p, p), entropyTerms(p, targets)));
  const byLogits = (loss: Tensor) => gradients(loss, [logits])[0] as Tensor;
  const graph: Graph = {
    outputs: {
      ours: byLogits(binary.distillLoss(logits, targets)),
      forward: byLogits(forward),
      reverse: byLogits(reverse),
    },
    updates: {},
  };
  const [z, t] = [
    [2, -1, 0.5, -3],
    [0.1, 0.9, 0.3, 0.6],
  ] as const;
  const { ours, forward: kl, reverse: other } = interpret(graph, { logits: vector(z), targets: vector(t) }).outputs;
  const expected = z.map((logit, i) => (sigmoid(logit) - (t[i] ?? 0)) / z.length);
  assertClose(ours as Values, vector(expected), 1e-12, "gradient");
  assertClose(ours as Values, kl as Values, 1e-10, "gradient of KL(teacher || student)");
  assert.ok(relativeDifference(ours as Values, other as Values) > 0.2);
});

test("the label loss is the same number with teachers, whoever they are and however they weigh", async () => {
  const labelLossOf = async (teachers: readonly Teacher[], weight: number) => {
    const student = await freshStudent();
    return (await student.learn([batch], teachers, weight)).labelLoss;
  };
  const alone = await labelLossOf([], 0);
  for (const teachers of [[2], [3], [2, 3]]) {
    for (const weight of [0, 1, 50]) {
      const some = teachers.map((seed) => randomTeacher(learner, seed));
      assert.equal(await labelLossOf(some, weight), alone);
    }
  }
});

test("n teachers that are the same pull as one of them does", async () => {
  const after = async (numTeachers: number) => {
    const student = await freshStudent();
    const teachers = Array.from({ length: numTeachers }, () => randomTeacher(learner, 2));
    const { distillLoss, divergence } = await student.learn([batch], teachers, 3);
    return { losses: vector([distillLoss ?? 0, divergence ?? 0]), params: await student.params() };
  };
  const one = await after(1);
  for (const numTeachers of [2, 3, 5]) {
    const many = await after(numTeachers);
    assertClose(many.losses, one.losses, 1e-6, `losses with ${numTeachers}`);
    assertAllClose(many.params, one.params, 1e-6, `params with ${numTeachers}`);
  }
});

test("phi + w psi has the gradient of the cross-entropy against the mixed label (y + w t) / (1 + w), times 1 + w", () => {
  for (const weight of [0, 0.5, 1, 4]) {
    const feeds = feedsFor(2, weight);
    const both = lossesAndGrads(2, feeds);
    const targets = targetsOf(accumulateGraph(learner, 2));
    const t = interpret({ outputs: { targets }, updates: {} }, feeds).outputs.targets as Numbers;
    const labels = (feeds.labels as NdArray).data;
    const mixed = Float64Array.from(labels, (y, i) => (y + weight * (t.data[i] ?? 0)) / (1 + weight));
    const alone = lossesAndGrads(0, { ...feeds, labels: vector(mixed) });
    const scaled = mapValues(alone.grads, ({ shape, data }) => ({ shape, data: data.map((g) => g * (1 + weight)) }));
    assertAllClose(both.grads, scaled, 1e-10, `gradients at weight ${weight}`, 0.01);
  }
});

describe("a teacher that is the student pulls nowhere", () => {
  test("the distillation loss is the entropy of its targets, and adds nothing to the gradient", () => {
    const feeds = { ...feedsFor(1, 1), ...withPrefix(stateNames.teacher(0), params) };
    const { losses, grads } = lossesAndGrads(1, feeds);
    assert.ok(Math.abs(losses.divergence ?? Number.NaN) < 1e-12);
    assertAllClose(grads, lossesAndGrads(0, feeds).grads, 1e-12, "gradients", 0.01);
  });

  test("a step with weight 1 gives the params of a step with weight 0", async () => {
    const after = async (weight: number) => {
      const student = await freshStudent();
      const teacher: Teacher = { group: 1, step: 0, digest: "the student itself", params: await student.params() };
      const { divergence } = await student.learn([batch], [teacher], weight);
      assert.ok(Math.abs(divergence ?? Number.NaN) < 1e-7);
      return student.params();
    };
    // The pull p - t is exactly 0, but it is added in parts to a gradient of about 0.1 whose last bit is 1e-8; a step
    // of 0.1 times that moves a param by 1e-9, and the sum with a param near 1 is rounded to 6e-8.
    assertAllClose(await after(1), await after(0), 1e-7, "params", 1);
  });
});

test("without stopGradient the same loss would pass a gradient to the teacher", () => {
  const [teacher, student] = [input("teacher", ["batch"]), input("student", ["batch"])];
  const [byTeacher] = gradients(binary.distillLoss(student, binary.probs(teacher)), [teacher]);
  const feeds = { teacher: vector([1, -2]), student: vector([0.5, 0.25]) };
  const { gradient } = interpret({ outputs: { gradient: byTeacher as Tensor }, updates: {} }, feeds).outputs;
  assert.ok(gradient?.data.every((value) => Math.abs(value) > 1e-3));
});

async function freshStudent(): Promise<Student> {
  const student = engineStudent({ engine, learner });
  await student.init(rootKey(4));
  return student;
}

function mulBy({ shape, data }: NdArray, factor: number): NdArray {
  return float32(
    Float32Array.from(data).map((value) => value * factor),
    shape,
  );
}

/** An array [batch] with its elements several times over. */
function repeated({ data }: NdArray, times: number): Values {
  return vector(Array.from({ length: data.length * times }, (_, i) => Number(data[i % data.length])));
}

/** An array [batch] cut to one of its elements. */
function example({ data }: NdArray, i: number): Values {
  return vector([Number(data[i])]);
}
