/** Models with buffers: a step moves them, a skipped one does not, and they go wherever the params go. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { maxSnapshotBytes, publishSnapshot, readPointer, readSnapshot } from "../../src/checkpoint/snapshot.js";
import { memoryStore } from "../../src/checkpoint/store.js";
import { savedTeachers, saveTeachers } from "../../src/codistill/saved-teachers.js";
import { CheckpointError } from "../../src/errors.js";
import { toOnnx } from "../../src/graph/onnx.js";
import { constant, globalAveragePool, input, relu, reshape } from "../../src/graph/ops.js";
import { convolution, convolutionParams } from "../../src/nn/conv.js";
import { checkWeights } from "../../src/nn/fit.js";
import { linear, linearParams } from "../../src/nn/layers.js";
import { binary } from "../../src/nn/losses.js";
import { countParams, initWeights, type Model, weightSpecs } from "../../src/nn/model.js";
import { batchNormBuffers, batchNormModel, normParams } from "../../src/nn/norm.js";
import * as ort from "../../src/node/ort/library.js";
import { onnxRuntimeEngine } from "../../src/node/ort/onnxruntime.js";
import { adam } from "../../src/optim/optimizers.js";
import { constantSchedule } from "../../src/optim/schedules.js";
import { predictionGraph } from "../../src/run/export.js";
import { readSavedGroup, writeOwnCheckpoint } from "../../src/run/saved-group.js";
import { float32, type NamedArrays, type NdArray } from "../../src/runtime/array.js";
import { mapValues, named, underPrefix, withPrefix } from "../../src/runtime/named.js";
import { fold, normal, rootKey, uniform } from "../../src/runtime/random.js";
import { type Learner, predictGraph, stateNames, weightState } from "../../src/train/graphs.js";
import { engineStudent, type Teacher } from "../../src/train/student.js";
import { binaryTask } from "../../src/train/task.js";
import { assertAllClose } from "../fixtures/close.js";
import { interpret } from "./interpreter.js";

const engine = onnxRuntimeEngine({ threads: 1 });
after(() => engine.close());

/** Convolution, batch norm, ReLU, mean, one logit; behind an input that is no feature of a table. */
const model: Model = batchNormModel({
  params: {
    ...convolutionParams("conv", { inputs: 2, outputs: 3, kernel: [3, 3], hasBias: false }),
    ...normParams("norm", 3),
    ...linearParams("output", 3, 1),
  },
  buffers: batchNormBuffers("norm", 3),
  inputs: { "features.image": { shape: ["batch", 2, 4, 4], dtype: "float32" } },
  logits(weights, inputs, norm) {
    const x = relu(norm("norm", convolution(weights, "conv", named(inputs, "features.image"), { pads: 1 })));
    return reshape(linear(weights, "output", globalAveragePool(x)), ["batch"]);
  },
});
const learner: Learner = { model, objective: binary, optimizer: adam(constantSchedule(0.01)) };
const BUFFERS = ["norm.mean", "norm.variance"];

const student = (some: Learner = learner) => engineStudent({ engine: onnxEngine(), learner: some });
const engines: ReturnType<typeof onnxRuntimeEngine>[] = [];
after(() => Promise.all(engines.map((each) => each.close())));
function onnxEngine() {
  const fresh = onnxRuntimeEngine({ threads: 1 });
  engines.push(fresh);
  return fresh;
}

function batch(seed: number, numExamples = 6): NamedArrays {
  const image = normal(fold(rootKey(seed), "image"), numExamples * 32);
  return {
    "features.image": float32(
      image.map((value) => 1 + value),
      [numExamples, 2, 4, 4],
    ),
    labels: float32(uniform(fold(rootKey(seed), "labels"), numExamples).map((u) => Number(u < 0.5))),
  };
}

/** The mean and the unbiased variance of each channel before its norm. */
function statisticsOf(weights: NamedArrays, features: NamedArrays) {
  const graph = interpretable(weights);
  const { y } = interpret(graph, features).outputs;
  const channels = [0, 1, 2].map((c) => [...(y?.data ?? [])].filter((_, i) => Math.floor(i / 16) % 3 === c));
  const means = channels.map((values) => values.reduce((sum, value) => sum + value, 0) / values.length);
  const variances = channels.map(
    (values, c) => values.reduce((sum, value) => sum + (value - (means[c] ?? 0)) ** 2, 0) / (values.length - 1),
  );
  return { means, variances };
}

function interpretable(weights: NamedArrays) {
  const image = input("features.image", ["batch", 2, 4, 4]);
  const y = convolution(mapValues(weights, constant), "conv", image, { pads: 1 });
  return { outputs: { y }, updates: {} };
}

const values = (arrays: NamedArrays, name: string) => [...named(arrays, name).data];

test("a step moves running statistics by a tenth towards those of its batch", async () => {
  const one = student();
  await one.init(rootKey(1));
  const before = await one.params();
  assert.deepEqual(values(before, "norm.mean"), [0, 0, 0]);
  assert.deepEqual(values(before, "norm.variance"), [1, 1, 1]);
  await one.learn([batch(1)], [], 0);
  const afterwards = await one.params();
  const { means, variances } = statisticsOf(before, batch(1));
  const expected = {
    "norm.mean": { shape: [3], data: means.map((mean) => 0.1 * mean) },
    "norm.variance": { shape: [3], data: variances.map((variance) => 0.9 + 0.1 * variance) },
  };
  assertAllClose(pick(afterwards, BUFFERS), expected, 1e-5, "running statistics", 1);
  assert.notDeepEqual(values(afterwards, "conv.weight"), values(before, "conv.weight"));
});

test("each sub-batch moves them from where the step began, and their mean stays", async () => {
  const one = student();
  await one.init(rootKey(1));
  const before = await one.params();
  for (let step = 0; step < 2; step++) {
    const start = await one.params();
    await one.learn([batch(1), batch(2)], [], 0);
    const [first, second] = [statisticsOf(start, batch(1)), statisticsOf(start, batch(2))];
    const moved = values(start, "norm.mean").map(
      (mean, c) => 0.9 * mean + 0.05 * ((first.means[c] ?? 0) + (second.means[c] ?? 0)),
    );
    const expected = { "norm.mean": { shape: [3], data: moved } };
    assertAllClose(pick(await one.params(), ["norm.mean"]), expected, 1e-5, `means after step ${step}`, 1);
  }
  assert.notDeepEqual(values(await one.params(), "norm.mean"), values(before, "norm.mean"));
});

test("a step that is skipped leaves them, whole or in parts, and the next one goes on from there", async () => {
  const ill = { ...batch(1), "features.image": float32(new Float32Array(6 * 32).fill(Number.NaN), [6, 2, 4, 4]) };
  for (const skipped of [[ill], [batch(2), ill], [ill, batch(2)]]) {
    const [one, other] = [student(), student()];
    for (const each of [one, other]) {
      await each.init(rootKey(1));
      await each.learn([batch(3)], [], 0);
    }
    const before = await one.state();
    const metrics = await one.learn(skipped, [], 0);
    assert.notEqual(metrics.skipped, null);
    assert.deepEqual(await one.state(), before);
    const next = skipped.length === 1 ? [batch(4)] : [batch(4), batch(5)];
    await one.learn(next, [], 0);
    await other.restore(before, one.step - 1);
    await other.learn(next, [], 0);
    assert.deepEqual(await one.state(), await other.state());
  }
});

test("what predicts does so by running statistics: alone it is the same as in a batch", async () => {
  const one = student();
  await one.init(rootKey(1));
  for (let step = 0; step < 20; step++) await one.learn([batch(step)], [], 0);
  await engine.write(weightState(model, await one.params()));
  const program = await engine.compile(predictGraph(learner, stateNames.params));
  const whole = batch(99);
  const { probs } = await program.run(whole);
  const image = named(whole, "features.image").data as Float32Array;
  const single = await program.run({ "features.image": float32(image.slice(0, 32), [1, 2, 4, 4]) });
  assert.ok(Math.abs(Number(single.probs?.data[0]) - Number(probs?.data[0])) < 1e-6);
});

test("teachers predict by their own statistics", async () => {
  const teacherOf = (params: NamedArrays, digest: string): Teacher => ({ group: 1, step: 1, digest, params });
  const start = initWeights(model, rootKey(2));
  const other = { ...start, "norm.mean": float32([3, -3, 1]), "norm.variance": float32([9, 0.1, 4]) };
  const losses: (number | null)[] = [];
  for (const [i, params] of [start, other].entries()) {
    const one = student();
    await one.init(rootKey(1));
    losses.push((await one.learn([batch(1)], [teacherOf(params, `${i}`)], 1)).distillLoss);
    // Its own are moved by its own batch alone.
    const { means } = statisticsOf(initWeights(model, rootKey(1)), batch(1));
    const expected = { "norm.mean": { shape: [3], data: means.map((mean) => 0.1 * mean) } };
    assertAllClose(pick(await one.params(), ["norm.mean"]), expected, 1e-5, "means beside a teacher", 1);
  }
  assert.notEqual(losses[0], losses[1]);
});

test("an average of params ships with the running statistics as they are", async () => {
  const one = student({ ...learner, ema: { decay: 0.5 } });
  await one.init(rootKey(1));
  for (let step = 0; step < 3; step++) await one.learn([batch(step)], [], 0);
  const [shipped, params, state] = [await one.shipped(), await one.params(), await one.state()];
  assert.deepEqual(pick(shipped, BUFFERS), pick(params, BUFFERS));
  assert.notDeepEqual(values(shipped, "conv.weight"), values(params, "conv.weight"));
  assert.deepEqual(Object.keys(underPrefix(stateNames.ema, state)).sort(), Object.keys(model.params).sort());
});

test("a checkpoint, a snapshot and an export carry them", async () => {
  const one = student();
  await one.init(rootKey(1));
  await one.learn([batch(1)], [], 0);
  const [state, params] = [await one.state(), await one.params()];
  const store = memoryStore();
  const info = {
    group: 0,
    step: 1,
    incarnation: 1,
    model: "m",
    cursor: { epoch: 0, position: 0 },
    best: null,
    learningRateScale: 1,
    waiting: { loss: null, validations: 0 },
  };
  const teacher = { group: 1, step: 1, digest: "d", seenAtStep: 1, params };
  await writeOwnCheckpoint(store, { info, state, algorithm: saveTeachers([teacher]) });
  const checkpoint = await readSavedGroup(store);
  assert.ok(checkpoint);
  assert.deepEqual(checkpoint.state, state);
  assert.deepEqual(savedTeachers(checkpoint.algorithm).known, [teacher]);
  const resumed = student();
  await resumed.restore(checkpoint.state, 1);
  await Promise.all([one.learn([batch(2)], [], 0), resumed.learn([batch(2)], [], 0)]);
  assert.deepEqual(await resumed.state(), await one.state());

  await publishSnapshot(store, { group: 0, step: 1, incarnation: 1, model: "m", params });
  const pointer = await readPointer(store, 0);
  assert.ok(pointer);
  const snapshot = await readSnapshot(store, pointer, "m", undefined, maxSnapshotBytes(weightSpecs(model)));
  assert.deepEqual(snapshot.params, params);
  checkWeights("the snapshot", snapshot.params, model);
  const { "norm.mean": _, ...without } = snapshot.params;
  assert.throws(() => checkWeights("the snapshot", without, model), CheckpointError);

  const session = await ort.InferenceSession.create(
    toOnnx(predictionGraph({ ...learner, task: binaryTask() }, params)),
  );
  await engine.write(weightState(model, params));
  const { probs } = await (await engine.compile(predictGraph(learner, stateNames.params))).run(batch(7));
  const image = named(batch(7), "features.image");
  const served = await session.run({
    "features.image": new ort.Tensor("float32", image.data, image.shape),
  });
  const expected = { probability: probs as NdArray };
  const actual = { probability: { shape: [6], data: served.probability?.data as Float32Array } };
  assertAllClose(actual, expected, 1e-6, "export", 1);
  await session.release();
});

test("they are not trained, and counted apart", async () => {
  assert.equal(countParams(model), 3 * 2 * 9 + 3 + 3 + 3 + 1);
  const one = student();
  await one.init(rootKey(1));
  const names = Object.keys(await one.state());
  assert.deepEqual(names.filter((name) => BUFFERS.some((buffer) => name.endsWith(buffer))).sort(), [
    "buffers.norm.mean",
    "buffers.norm.variance",
  ]);
  await assert.rejects(
    one.restore(withPrefix(stateNames.params, pick(await one.params(), Object.keys(model.params))), 0),
    {
      message: /buffers\.norm\.mean|optState/,
    },
  );
});

function pick(arrays: NamedArrays, names: readonly string[]): NamedArrays {
  return Object.fromEntries(names.map((name) => [name, named(arrays, name)]));
}
