/** The rule of batch statistics on a network of images: what teachers predict by, and what the parts of a step leave. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { initWeights, type Model } from "../../src/nn/model.js";
import { categorical } from "../../src/nn/objectives.js";
import { smallCnn } from "../../src/nn/small-cnn.js";
import { onnxRuntimeEngine } from "../../src/node/ort/onnxruntime.js";
import { sgd } from "../../src/optim/optimizers.js";
import { constantSchedule } from "../../src/optim/schedules.js";
import { int32, type NamedArrays } from "../../src/runtime/array.js";
import { mapValues, named } from "../../src/runtime/named.js";
import { fold, rootKey, uniform } from "../../src/runtime/random.js";
import { classLogLoss } from "../../src/train/class-metrics.js";
import { type Learner, predictGraph, stateNames, weightState } from "../../src/train/graphs.js";
import { engineStudent, type Teacher } from "../../src/train/student.js";
import { assertAllClose } from "../fixtures/close.js";

const SIZE = 8;
const model = smallCnn({
  imageSize: [SIZE, SIZE],
  channels: 1,
  numClasses: 3,
  mean: [0.4],
  std: [0.3],
  widths: [4, 6],
});
const objective = categorical({ numClasses: 3 });
const learnerOf = (own: Model): Learner => ({ model: own, objective, optimizer: sgd(constantSchedule(0.1)) });

const engines: ReturnType<typeof onnxRuntimeEngine>[] = [];
after(() => Promise.all(engines.map((engine) => engine.close())));
function student(own = model) {
  const engine = onnxRuntimeEngine({ threads: 1 });
  engines.push(engine);
  return { engine, ...engineStudent({ engine, learner: learnerOf(own) }) };
}

/** Images whose pixels go up to a brightness, and their labels. */
function batch(seed: number, brightness = 256, numImages = 6): NamedArrays {
  const key = fold(rootKey(7), seed);
  const data = Uint8Array.from(uniform(key, numImages * SIZE * SIZE), (u) => Math.floor(brightness * u));
  const labels = int32(Int32Array.from({ length: numImages }, (_, i) => (i + seed) % 3));
  return { images: { dtype: "uint8", shape: [numImages, SIZE, SIZE, 1], data }, labels };
}

/** Weights after some steps, whose running statistics are those of no batch. */
async function trained(): Promise<NamedArrays> {
  const one = student();
  await one.init(rootKey(1));
  for (let step = 0; step < 5; step++) await one.learn([batch(step, 100 + 30 * step)], [], 0);
  return one.params();
}

const teacherOf = (params: NamedArrays): Teacher => ({ group: 1, step: 5, digest: "own", params });

test("a teacher predicts by its own running statistics: equal to the student's evaluation, and to itself in evaluation", async () => {
  const weights = await trained();
  const { labels, images } = batch(9) as Readonly<Record<"labels" | "images", NamedArrays[string]>>;
  const one = student();
  await one.engine.write(weightState(model, weights));
  const program = await one.engine.compile(predictGraph(learnerOf(model), stateNames.params));
  const { probs } = await program.run({ images });
  const evaluated = classLogLoss(probs?.data as Float32Array, labels.data as Int32Array);
  await one.init(rootKey(2), weights);
  const { statistics, divergence, labelLoss } = await one.learn([{ images, labels }], [teacherOf(weights)], 1);
  assert.ok(Math.abs((statistics?.teachers[0]?.loss ?? Number.NaN) - evaluated) < 1e-6);
  // In training the student itself has the batch's statistics, so that it is not its own teacher.
  assert.ok(Math.abs(labelLoss - evaluated) > 1e-3, `${labelLoss} against ${evaluated}`);
  assert.ok((divergence ?? 0) > 1e-3);

  const { train: _, ...inEvaluation } = model;
  const other = student(inEvaluation);
  await other.init(rootKey(2), weights);
  const same = await other.learn([{ images, labels }], [teacherOf(weights)], 1);
  assert.ok(Math.abs(same.divergence ?? Number.NaN) < 1e-6, `${same.divergence}`);
  assert.ok(Math.abs(same.labelLoss - evaluated) < 1e-6);
});

test("of four parts of a step, one of dark images, running statistics become the mean of what each part makes of them", async () => {
  const weights = await trained();
  const parts = [batch(20), batch(21, 20), batch(22), batch(23)];
  const whole = student();
  await whole.init(rootKey(2), weights);
  await whole.learn(parts, [], 0);
  const apart: NamedArrays[] = [];
  for (const part of parts) {
    const one = student();
    await one.init(rootKey(2), weights);
    await one.learn([part], [], 0);
    apart.push(await one.params());
  }
  const expected = mapValues(model.buffers ?? {}, ({ shape }, name) => {
    const values = apart.map((params) => [...named(params, name).data]);
    return { shape, data: (values[0] ?? []).map((_, i) => values.reduce((sum, own) => sum + Number(own[i]) / 4, 0)) };
  });
  const params = await whole.params();
  const got = mapValues(model.buffers ?? {}, (_, name) => named(params, name));
  assertAllClose(got, expected, 1e-6, "running statistics", 1);
  const dark = [...named(apart[1] as NamedArrays, "blocks.0.norm.mean").data];
  const bright = [...named(apart[0] as NamedArrays, "blocks.0.norm.mean").data];
  assert.ok(
    dark.some((value, i) => Math.abs(Number(value) - Number(bright[i])) > 0.01),
    "the parts do not differ",
  );
  assert.notDeepEqual(params["blocks.0.conv.weight"], initWeights(model, rootKey(2))["blocks.0.conv.weight"]);
});
