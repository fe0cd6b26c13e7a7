/** Dropout of language models: in training alone, another one at each step, and the same for the same key. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { lstmLanguageModel } from "../../src/nn/lstm-language-model.js";
import { initWeights, type Model } from "../../src/nn/model.js";
import { categorical } from "../../src/nn/objectives.js";
import { transformerLanguageModel } from "../../src/nn/transformer-language-model.js";
import { onnxRuntimeEngine } from "../../src/node/ort/onnxruntime.js";
import { sgd } from "../../src/optim/optimizers.js";
import { constantSchedule } from "../../src/optim/schedules.js";
import type { NamedArrays } from "../../src/runtime/array.js";
import { rootKey } from "../../src/runtime/random.js";
import { engineStudent } from "../../src/train/student.js";
import { randomTokens } from "../fixtures/sequence-models.js";

const engines: ReturnType<typeof onnxRuntimeEngine>[] = [];
after(() => Promise.all(engines.map((engine) => engine.close())));

const sizes = { sequenceLength: 6, batchSize: 8, vocabulary: 11, width: 16, hidden: 16 };
const networks: Readonly<Record<string, (dropout: number) => Model>> = {
  lstm: (dropout) => lstmLanguageModel({ ...sizes, dropout }),
  transformer: (dropout) => transformerLanguageModel({ ...sizes, numHeads: 2, numLayers: 2, dropout }),
};

/** The label losses, and a teacher's own, of steps on one batch at a learning rate of 0. */
async function losses(model: Model, { seed = 1, numParts = 1, from = 0 } = {}) {
  const engine = onnxRuntimeEngine({ threads: 1 });
  engines.push(engine);
  const labels = { shape: [sizes.sequenceLength * sizes.batchSize], dtype: "int32" } as const;
  const objective = { ...categorical({ numClasses: sizes.vocabulary }), labels };
  const student = engineStudent({
    engine,
    learner: { model, objective, optimizer: sgd(constantSchedule(0)) },
    key: rootKey(seed),
    accumulate: numParts,
  });
  await student.init(rootKey(1));
  const fresh = await student.state();
  const { ids, labels: given } = randomTokens(sizes, (name) => rootKey(name.length));
  const shape = model.state ? [sizes.sequenceLength, sizes.batchSize] : [sizes.batchSize, sizes.sequenceLength];
  const batch = { ids: { ...ids, shape }, labels: given } as NamedArrays;
  const params = initWeights(model, rootKey(2));
  const found: { own: number; teacher: number }[] = [];
  for (let step = from; step < 3; step++) {
    // The same state each time, so that only what is dropped differs.
    await student.restore(fresh, step);
    const teacher = { group: 1, step, digest: "1", params };
    const { labelLoss, statistics } = await student.learn(Array(numParts).fill(batch), [teacher], 1);
    found.push({ own: labelLoss, teacher: statistics?.teachers[0]?.loss ?? Number.NaN });
  }
  return found;
}

for (const [name, modelOf] of Object.entries(networks)) {
  describe(name, () => {
    test("drops other values at each step, the same ones for a key, and none of a teacher's", async () => {
      const [without, dropped] = [await losses(modelOf(0)), await losses(modelOf(0.5))];
      assert.equal(new Set(without.map(({ own }) => own)).size, 1);
      assert.equal(new Set(dropped.map(({ own }) => own)).size, 3);
      assert.deepEqual(
        dropped.map(({ teacher }) => teacher),
        without.map(({ teacher }) => teacher),
      );
      assert.deepEqual(await losses(modelOf(0.5)), dropped);
      assert.notDeepEqual(await losses(modelOf(0.5), { seed: 2 }), dropped);
      assert.deepEqual(await losses(modelOf(0.5), { from: 2 }), dropped.slice(2));
    });

    test("drops other values of each sub-batch", async () => {
      const [first, second] = [await losses(modelOf(0.5)), await losses(modelOf(0.5), { numParts: 2 })];
      assert.notDeepEqual(
        second.map(({ own }) => own),
        first.map(({ own }) => own),
      );
    });
  });
}
