/** Teachers with batch norm: in a step they predict as the model.onnx of their snapshot does, statistics included. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { sha256 } from "../../src/checkpoint/digest.js";
import { readPointer, readSnapshot } from "../../src/checkpoint/snapshot.js";
import { memoryStore, type Store } from "../../src/checkpoint/store.js";
import { codistill } from "../../src/codistill/codistill.js";
import { storeExchange } from "../../src/codistill/exchange.js";
import { forwardOnnx } from "../../src/nn/forward-onnx.js";
import { smallCnn } from "../../src/nn/small-cnn.js";
import * as ort from "../../src/node/ort/library.js";
import { onnxRuntimeEngine } from "../../src/node/ort/onnxruntime.js";
import { sgd } from "../../src/optim/optimizers.js";
import { constantSchedule } from "../../src/optim/schedules.js";
import { exportImages } from "../../src/run/export-images.js";
import type { RunLearner } from "../../src/run/learner.js";
import { int32, type NamedArrays } from "../../src/runtime/array.js";
import { named } from "../../src/runtime/named.js";
import { fold, rootKey, uniform } from "../../src/runtime/random.js";
import { engineStudent, type Student, type Teacher } from "../../src/train/student.js";
import { multiclassTask } from "../../src/train/task.js";

const SIZE = 8;
const NUM_CLASSES = 3;
const task = multiclassTask({ classes: ["a", "b", "c"] });
const model = smallCnn({
  imageSize: [SIZE, SIZE],
  channels: 1,
  numClasses: NUM_CLASSES,
  mean: [0.4],
  std: [0.3],
  widths: [4, 6],
});
const learner: RunLearner = { model, objective: task.objective, task, optimizer: sgd(constantSchedule(0.1)) };

const engines: ReturnType<typeof onnxRuntimeEngine>[] = [];
after(() => Promise.all(engines.map((engine) => engine.close())));
function newStudent(): Student {
  const engine = onnxRuntimeEngine({ threads: 1 });
  engines.push(engine);
  return engineStudent({ engine, learner });
}

/** Images whose pixels go up to a brightness, with labels of their own or all of one. */
function batch(seed: number, { numImages = 6, brightness = 256, label = -1 } = {}): NamedArrays {
  const data = Uint8Array.from(uniform(fold(rootKey(7), seed), numImages * SIZE * SIZE), (u) =>
    Math.floor(brightness * u),
  );
  const labels = Int32Array.from({ length: numImages }, (_, i) => (label < 0 ? (i + seed) % NUM_CLASSES : label));
  return { images: { dtype: "uint8", shape: [numImages, SIZE, SIZE, 1], data }, labels: int32(labels) };
}

/** The probabilities of a batch [batch, classes] by the exported model of some weights. */
async function served(weights: NamedArrays, { images }: NamedArrays): Promise<readonly (readonly number[])[]> {
  const { data, shape } = named({ images } as NamedArrays, "images");
  const session = await ort.InferenceSession.create(exportImages(learner, "crop", weights, {}));
  const { probabilities } = await session.run({ images: new ort.Tensor("uint8", data as Uint8Array, shape) });
  await session.release();
  const all = [...((probabilities?.data ?? []) as Float32Array)];
  return Array.from({ length: shape[0] ?? 0 }, (_, i) => all.slice(NUM_CLASSES * i, NUM_CLASSES * (i + 1)));
}

async function lossOf(weights: NamedArrays, images: NamedArrays): Promise<number> {
  const probs = await served(weights, images);
  const labels = [...named(images, "labels").data].map(Number);
  return labels.reduce((sum, label, i) => sum - Math.log(probs[i]?.[label] ?? Number.NaN), 0) / labels.length;
}

/** Weights and running statistics after some steps on images of a brightness. */
async function trained(seed: number, brightness: number): Promise<NamedArrays> {
  const one = newStudent();
  await one.init(rootKey(seed));
  for (let step = 0; step < 8; step++) await one.learn([batch(step, { brightness })], [], 0);
  return one.params();
}

const statistics = Object.keys(model.buffers ?? {});
/** Weights with the running statistics of others. */
const withStatisticsOf = (weights: NamedArrays, others: NamedArrays): NamedArrays => ({
  ...weights,
  ...Object.fromEntries(statistics.map((name) => [name, named(others, name)])),
});

test("each probability of a teacher in a step is that of the exported model of its snapshot, whatever else is in the batch", async () => {
  const params = await trained(1, 120);
  const teacher: Teacher = { group: 1, step: 8, digest: "t", params };
  const one = newStudent();
  await one.init(rootKey(2));
  const teacherLoss = async (images: NamedArrays) =>
    (await one.learn([images], [teacher], 1)).statistics?.teachers[0]?.loss ?? Number.NaN;
  // A step says the teacher's mean loss: on one image, for each label, that is each of its probabilities.
  for (const seed of [20, 21]) {
    const [probs = []] = await served(params, batch(seed, { numImages: 1 }));
    for (const [label, prob] of probs.entries()) {
      const loss = await teacherLoss(batch(seed, { numImages: 1, label }));
      assert.ok(Math.abs(Math.exp(-loss) - prob) < 1e-6, `label ${label}: ${Math.exp(-loss)} is not ${prob}`);
    }
  }
  // Among dark images, whose statistics are far from the running ones.
  const dark = batch(22, { numImages: 12, brightness: 20 });
  const expected = await lossOf(params, dark);
  assert.ok(Math.abs((await teacherLoss(dark)) - expected) < 1e-6);
});

/** A group of a run of two on images of its own brightness: the steps that it took with teachers. */
async function group(store: Store, index: number, brightness: number, numSteps: number) {
  const student = newStudent();
  await student.init(rootKey(index));
  const exchange = storeExchange({ store, group: index, teachers: [1 - index], model, onEvent: () => {} });
  exchange.refresh(0);
  await exchange.idle();
  const taught: { own: NamedArrays; images: NamedArrays; loss: number }[] = [];
  let own: NamedArrays = {};
  let images: NamedArrays = {};
  let drawn = 0;
  const stream = {
    async next() {
      own = await student.params();
      images = batch(100 * index + drawn++, { brightness });
      return images;
    },
  };
  for await (const { statistics } of codistill({ student, stream, exchange, numSteps, publishInterval: 4 })) {
    const loss = statistics?.teachers[0]?.loss;
    if (loss !== undefined) taught.push({ own, images, loss });
  }
  await exchange.idle();
  return taught;
}

test("a group's teacher predicts by the running statistics that its publisher has published", async () => {
  const store = memoryStore();
  assert.equal((await group(store, 1, 60, 12)).length, 0);
  const pointer = await readPointer(store, 1);
  assert.equal(pointer?.step, 12);
  const snapshot = await readSnapshot(store, pointer, await sha256(forwardOnnx(model)));
  const initial = await (async () => {
    const fresh = newStudent();
    await fresh.init(rootKey(1));
    return fresh.params();
  })();
  const taught = await group(store, 0, 256, 3);
  assert.equal(taught.length, 3);
  for (const { own, images, loss } of taught) {
    const expected = await lossOf(snapshot.params, images);
    assert.ok(Math.abs(loss - expected) < 1e-5, `${loss} is not ${expected}`);
    for (const [whose, others] of Object.entries({ "the student's": own, initial })) {
      const other = await lossOf(withStatisticsOf(snapshot.params, others), images);
      assert.ok(Math.abs(loss - other) > 1e-2, `${whose} statistics are as good: ${loss} and ${other}`);
    }
  }
});
