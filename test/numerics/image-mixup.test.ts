/** Mixed images in whole steps: the loss of both labels by their shares, in one part or in two, with teachers of the same mixtures. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { imageStream } from "../../src/data/images/image-stream.js";
import { imagesInMemory } from "../../src/data/images/images.js";
import { withConfidencePenalty } from "../../src/nn/losses.js";
import { mixedObjective } from "../../src/nn/mixed-labels.js";
import { categorical } from "../../src/nn/objectives.js";
import { smallCnn } from "../../src/nn/small-cnn.js";
import { onnxRuntimeEngine } from "../../src/node/ort/onnxruntime.js";
import { sgd } from "../../src/optim/optimizers.js";
import { constantSchedule } from "../../src/optim/schedules.js";
import { resolveConfig } from "../../src/run/config.js";
import type { NamedArrays } from "../../src/runtime/array.js";
import { mapValues, named } from "../../src/runtime/named.js";
import { rootKey, uniform } from "../../src/runtime/random.js";
import { type Learner, predictGraph, stateNames, weightState } from "../../src/train/graphs.js";
import { engineStudent } from "../../src/train/student.js";
import { assertAllClose } from "../fixtures/close.js";

const SIZE = 8;
const NUM_CLASSES = 3;
const trained = smallCnn({
  imageSize: [SIZE, SIZE],
  channels: 1,
  numClasses: NUM_CLASSES,
  mean: [0.4],
  std: [0.3],
  widths: [4, 6],
});
// In training too by running statistics, so that what an image comes to does not depend on the others of its part.
const { train: _, ...model } = trained;
const classWeights = [1, 2, 0.5];
const [amount, penalty] = [0.1, 0.2];
const one = categorical({ numClasses: NUM_CLASSES, classWeights, smoothing: { amount } });
const learner: Learner = {
  model,
  objective: mixedObjective(one),
  optimizer: sgd(constantSchedule(0.1)),
  hasRowWeights: true,
  distillation: { gramWeight: 0.5 },
};
const penalised: Learner = { ...learner, objective: mixedObjective(withConfidencePenalty(one, penalty)) };

const engines: ReturnType<typeof onnxRuntimeEngine>[] = [];
after(() => Promise.all(engines.map((engine) => engine.close())));
function student(learner: Learner) {
  const engine = onnxRuntimeEngine({ threads: 1 });
  engines.push(engine);
  return { engine, ...engineStudent({ engine, learner }) };
}

const NUM_IMAGES = 8;
const pixels = Uint8Array.from(uniform(rootKey(1), NUM_IMAGES * SIZE * SIZE), (u) => Math.floor(256 * u));
const images = imagesInMemory(
  { height: SIZE, width: SIZE, channels: 1 },
  pixels,
  Int32Array.from({ length: NUM_IMAGES }, (_, i) => i % NUM_CLASSES),
);
const options = {
  images,
  indices: Uint32Array.from({ length: NUM_IMAGES }, (_, i) => i),
  batchSize: NUM_IMAGES,
  mixup: 0.6,
  key: rootKey(2),
};
const batch = imageStream(options).next();

async function weights(): Promise<NamedArrays> {
  const some = student(learner);
  await some.init(rootKey(3));
  for (let step = 0; step < 3; step++) await some.learn([batch], [], 0);
  return some.params();
}

test("the label loss is that of both labels by their shares, and a teacher of the same weights agrees with the student", async () => {
  const params = await weights();
  const own = student(penalised);
  await own.engine.write(weightState(model, params));
  const program = await own.engine.compile(predictGraph(learner, stateNames.params));
  const { probs } = await program.run({ images: named(batch, "images") });
  const p = (row: number, k: number) => Number(probs?.data[NUM_CLASSES * row + k]);
  const [labels, shares] = [named(batch, "labels").data, named(batch, "weights").data].map((all) =>
    [...all].map(Number),
  );
  let [sum, total, entropy] = [0, 0, 0];
  for (let row = 0; row < NUM_IMAGES; row++) {
    for (const k of [0, 1, 2]) entropy -= p(row, k) * Math.log(p(row, k));
    const ofPrior = classWeights.reduce((all, w, k) => all - (w / NUM_CLASSES) * Math.log(p(row, k)), 0);
    for (const j of [2 * row, 2 * row + 1]) {
      const [label, share] = [labels?.[j] as number, (shares?.[j] as number) / 2];
      const w = classWeights[label] as number;
      sum += share * ((1 - amount) * w * -Math.log(p(row, label)) + amount * ofPrior);
      total += share * w;
    }
  }
  const expected = sum / total - (penalty * entropy) / NUM_IMAGES;
  await own.init(rootKey(4), params);
  const { labelLoss, divergence } = await own.learn([batch], [{ group: 1, step: 3, digest: "own", params }], 1);
  assert.ok(Math.abs(labelLoss - expected) < 1e-5, `${labelLoss} and ${expected}`);
  assert.ok(Math.abs(divergence ?? Number.NaN) < 1e-6, `${divergence}`);
});

test("mixup needs two images in a batch", () => {
  const config = {
    name: "mixed",
    data: { kind: "images", source: "photos", augment: { mixup: 0.2 } },
    model: { kind: "cnn" },
    optimizer: { kind: "sgd", learningRate: 0.1 },
    numSteps: 4,
    globalBatchSize: 4,
  };
  resolveConfig({ ...config, accumulate: 2 });
  assert.throws(
    () => resolveConfig({ ...config, accumulate: 4 }),
    /data\.augment\.mixup: mixes images of a batch, which needs two at least, and globalBatchSize \/ accumulate is 1; raise it/,
  );
});

test("two parts of a batch come to the step of the whole, whatever their labels weigh", async () => {
  const params = await weights();
  const parts = [0, 1].map((index) => imageStream({ ...options, part: { index, count: 2 } }).next());
  const losses: number[] = [];
  const after: NamedArrays[] = [];
  for (const given of [[batch], parts]) {
    const own = student(learner);
    await own.init(rootKey(5), params);
    const { labelLoss } = await own.learn(given, [], 0);
    losses.push(labelLoss);
    after.push(await own.params());
  }
  assert.ok(Math.abs((losses[0] as number) - (losses[1] as number)) < 1e-6, `${losses}`);
  const [whole, split] = after.map((all) => mapValues(model.params, (_, name) => named(all, name)));
  assertAllClose(split ?? {}, whole ?? {}, 1e-6, "params", 1);
});
