/** The statistics of teachers in a step, against plain arithmetic; and a group whose teacher falls ill. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { sha256 } from "../../src/checkpoint/digest.js";
import { publishSnapshot, readPointer, readSnapshot } from "../../src/checkpoint/snapshot.js";
import { memoryStore } from "../../src/checkpoint/store.js";
import { sequential } from "../../src/data/stream.js";
import { input } from "../../src/graph/ops.js";
import type { TrainEvent } from "../../src/log/events.js";
import { forwardOnnx } from "../../src/nn/forward-onnx.js";
import { initWeights } from "../../src/nn/model.js";
import { categorical } from "../../src/nn/objectives.js";
import { onnxRuntimeEngine } from "../../src/node/ort/onnxruntime.js";
import type { NamedArrays } from "../../src/runtime/array.js";
import { filled, float32, int32 } from "../../src/runtime/array.js";
import { mapValues, withPrefix } from "../../src/runtime/named.js";
import { fold, normal, rootKey } from "../../src/runtime/random.js";
import { predictGraph, stateNames } from "../../src/train/graphs.js";
import { engineStudent } from "../../src/train/student.js";
import { statisticNames, teacherStatistics } from "../../src/train/teacher-statistics.js";
import { runTiny } from "../fixtures/group-run.js";
import { tinyLearner, tinyRows } from "../fixtures/tiny-run.js";
import { interpret } from "./interpreter.js";

const learner = tinyLearner();
const { model } = learner;
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

test("loss, variance and distance of each teacher, variance and chance of the student", async () => {
  const engine = onnxRuntimeEngine({ threads: 1 });
  const [batch] = sequential(tinyRows(64, 4), 64);
  assert.ok(batch);
  const labels = Array.from(batch.labels?.data as Float32Array);
  const all = [1, 2, 3].map((seed) => initWeights(model, rootKey(seed)));
  const predictor = await engine.compile(predictGraph(learner, stateNames.params));
  const predicted: number[][] = [];
  for (const params of all) {
    await engine.write(withPrefix(stateNames.params, params));
    const { labels: _, ...inputs } = batch;
    predicted.push(Array.from((await predictor.run(inputs)).probs?.data as Float32Array));
  }
  const student = engineStudent({ engine, learner });
  await student.init(rootKey(1));
  const teachers = all.slice(1).map((params, i) => ({ group: i + 1, step: 1, digest: `d${i}`, params }));
  const { statistics } = await student.learn([batch], teachers, 1);
  await engine.close();
  assert.ok(statistics);

  const variance = (probs: readonly number[]) => mean(probs.map((p) => (p - mean(probs)) ** 2));
  const lossOf = (probs: readonly number[]) =>
    -mean(labels.map((y, i) => Math.log(y === 1 ? (probs[i] ?? 0) : 1 - (probs[i] ?? 0))));
  const near = (actual: number, expected: number) =>
    assert.ok(Math.abs(actual - expected) <= 1e-5 * Math.max(1e-3, Math.abs(expected)), `${actual} is not ${expected}`);
  const [own = [], ...others] = predicted;
  near(statistics.student.variance, variance(own));
  near(statistics.student.priorLoss, lossOf(labels.map(() => mean(labels))) + Math.log(1 + 1 / 64) / 2);
  const entropy = (p: number) => -p * Math.log(p) - (1 - p) * Math.log(1 - p);
  for (const [slot, probs] of others.entries()) {
    near(statistics.teachers[slot]?.loss ?? Number.NaN, lossOf(probs));
    near(statistics.teachers[slot]?.expectedLoss ?? Number.NaN, mean(probs.map(entropy)));
    near(statistics.teachers[slot]?.variance ?? Number.NaN, variance(probs));
    near(statistics.teachers[slot]?.distance ?? Number.NaN, mean(probs.map((p, i) => Math.abs(p - (own[i] ?? 0)))));
  }
});

test("variance and distance are those of rows at equal distances where there are more than a million logits", () => {
  const numClasses = 49_152;
  // 21 rows of 49,152 are about a million.
  const all = Array.from({ length: 31 }, (_, i) => i);
  const some = Array.from({ length: 21 }, (_, i) => Math.floor((i * 31) / 21));
  const row = (seed: number, i: number) =>
    Array.from(normal(fold(rootKey(seed), some.includes(i) ? i : -1), numClasses));
  const told = (rows: readonly number[]) => {
    const shape = [rows.length, numClasses];
    const logits = (seed: number) =>
      float32(
        rows.flatMap((i) => row(seed, i)),
        shape,
      );
    const labels = input("labels", [rows.length], "int32");
    const outputs = teacherStatistics(
      categorical({ numClasses }),
      input("own", shape),
      [input("teacher", shape)],
      labels,
    );
    const feeds = { own: logits(1), teacher: logits(2), labels: int32(rows) };
    return mapValues(interpret({ outputs, updates: {} }, feeds).outputs, ({ data }) => data[0] ?? Number.NaN);
  };
  const [whole, few] = [told(all), told(some)];
  for (const name of [
    statisticNames.variance,
    statisticNames.teacher(0, "variance"),
    statisticNames.teacher(0, "distance"),
  ]) {
    assert.equal(whole[name], few[name], name);
  }
  assert.notEqual(whole[statisticNames.teacher(0, "loss")], few[statisticNames.teacher(0, "loss")]);
});

/** A group whose only teacher, group 1, has published these params. */
async function taughtBy(params: NamedArrays) {
  const store = memoryStore();
  await publishSnapshot(store, { group: 1, step: 5, incarnation: 1, model: await sha256(forwardOnnx(model)), params });
  const changes = {
    numGroups: 2,
    logInterval: 1,
    algorithm: { burnInSteps: 0, publishInterval: 5, exchangeInterval: 5 },
  };
  const { reason, events } = await runTiny({ store, changes, awaitTeacher: true });
  assert.equal(reason, "finished");
  const kinds = <Name extends TrainEvent["event"]>(name: Name) =>
    events.filter((event): event is Extract<TrainEvent, { event: Name }> => event.event === name);
  return {
    out: kinds("teacher-quarantined"),
    skipped: kinds("step-skipped"),
    steps: kinds("step"),
    restored: kinds("restored"),
  };
}

test("a teacher that predicts a constant teaches one step", async () => {
  const { out, steps, skipped } = await taughtBy(mapValues(model.params, ({ shape }) => filled(shape, 0)));
  assert.deepEqual([out.length, out[0]?.from, skipped.length], [1, 1, 0]);
  assert.match(out[0]?.reason ?? "", /constant/);
  assert.equal(steps.filter(({ teachers }) => teachers.length > 0).length, 1);
});

test("a teacher whose finite params give no numbers costs one skipped step and not the student's learning rate", async () => {
  // The last layer's weights are of either sign, so that infinities meet.
  const wild = mapValues(model.params, ({ shape }) => {
    const array = filled(shape, 1e25);
    const sign = (i: number) => (shape[1] === 1 && i % 2 === 1 ? -1 : 1);
    return { ...array, data: array.data.map((value, i) => sign(i) * value) };
  });
  const { out, steps, skipped, restored } = await taughtBy(wild);
  assert.match(out[0]?.reason ?? "", /not finite/);
  assert.deepEqual([skipped.length, restored.length], [1, 0]);
  assert.equal(steps.at(-1)?.step, 60);
});

test("a healthy teacher stays, and how far it is from the student is logged", async () => {
  const { out, steps } = await taughtBy(initWeights(model, rootKey(9)));
  assert.deepEqual(out, []);
  const distances = steps.flatMap(({ teacherDistance }) => (teacherDistance === null ? [] : [teacherDistance]));
  assert.ok(distances.length > 30 && distances.every((distance) => distance > 0 && distance < 1), String(distances));
});

describe("a group that is taught by a group whose snapshot", async () => {
  const run = {
    numGroups: 2,
    numSteps: 300,
    algorithm: { burnInSteps: 200, publishInterval: 20, exchangeInterval: 20 },
  };
  const own = memoryStore();
  await runTiny({ store: own, groupIndex: 1, changes: { ...run, seed: 2 } });
  const pointer = await readPointer(own, 1);
  assert.ok(pointer);
  const digest = await sha256(forwardOnnx(model));
  const trained = (await readSnapshot(own, pointer, digest)).params;

  /** Its weights, with the last layer changed: what was said of the teacher, and how often it taught. */
  async function taughtBy(change: (value: number, name: string) => number) {
    const params = mapValues(trained, (array, name) =>
      name.startsWith("layers.1.") ? { ...array, data: array.data.map((value) => change(value, name)) } : array,
    );
    const store = memoryStore();
    await publishSnapshot(store, { group: 1, step: 300, incarnation: 1, model: digest, params });
    const { reason, events } = await runTiny({ store, awaitTeacher: true, changes: { ...run, logInterval: 1 } });
    assert.equal(reason, "finished");
    return {
      reasons: events.flatMap((event) => (event.event === "teacher-quarantined" ? [event.reason] : [])),
      taught: events.filter((event) => event.event === "step" && event.teachers.length > 0).length,
    };
  }

  const spoilt: Readonly<Record<string, (value: number, name: string) => number>> = {
    "has its last layer negated": (value) => -value,
    "has its bias moved": (value, name) => (name.endsWith("bias") ? value + 4 : value),
  };
  for (const [what, change] of Object.entries(spoilt)) {
    test(`${what} leaves it out after some steps`, async () => {
      const { reasons, taught } = await taughtBy(change);
      assert.equal(reasons.length, 1);
      assert.match(reasons[0] ?? "", /no better than guessing/);
      assert.ok(taught >= 20 && taught <= 30, String(taught));
    });
  }

  test("is as it was trained keeps it", async () => {
    const { reasons, taught } = await taughtBy((value) => value);
    assert.deepEqual(reasons, []);
    assert.ok(taught >= 80, String(taught));
  });
});
