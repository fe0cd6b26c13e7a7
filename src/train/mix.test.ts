/** How psi joins phi in a single step, and states of several snapshots of one group. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { flightsLike, randomBatch, randomParams } from "../../test/fixtures/flights-like.js";
import { languageModel, randomTokens } from "../../test/fixtures/sequence-models.js";
import type { Engine } from "../engine/engine.js";
import { onnxRuntimeEngine } from "../node/ort/onnxruntime.js";
import { sgd } from "../optim/optimizers.js";
import { constantSchedule } from "../optim/schedules.js";
import { underPrefix } from "../runtime/named.js";
import { fold, rootKey } from "../runtime/random.js";
import type { Learner } from "./graphs.js";
import { engineStudent, type Teacher } from "./student.js";

const engines: Engine[] = [];
after(() => Promise.all(engines.map((own) => own.close())));

async function studentOf(learner: Learner, accumulate = 1) {
  const engine = onnxRuntimeEngine({ threads: 1 });
  engines.push(engine);
  const student = engineStudent({ engine, learner, accumulate });
  await student.init(rootKey(1));
  return student;
}

test("a step with another mix is that of a learner with this mix, to the bit, at once and in parts", async () => {
  const learner = flightsLike({ optimizer: sgd(constantSchedule(0.1)) });
  const teacher: Teacher = { group: 1, step: 0, digest: "a", params: randomParams(learner, 2) };
  const batches = [randomBatch(8, 1), randomBatch(8, 2)];
  for (const numParts of [1, 2]) {
    const [own, asked, sum] = await Promise.all([
      studentOf({ ...learner, distillation: { mix: "convex" } }),
      studentOf(learner),
      studentOf(learner),
    ]);
    const parts = batches.slice(0, numParts);
    await own.learn(parts, [teacher], 0.9);
    await asked.learn(parts, [teacher], 0.9, undefined, "convex");
    await sum.learn(parts, [teacher], 0.9);
    assert.deepEqual(await asked.state(), await own.state());
    assert.notDeepEqual(await asked.state(), await sum.state());
    // And the next one is as the learner says.
    for (const student of [asked, own]) await student.learn(parts, [teacher], 0.9, undefined, "sum");
    assert.deepEqual(await asked.state(), await own.state());
  }
});

test("several snapshots of one group carry states of their own, which are saved and gone on from", async () => {
  const sizes = { sequenceLength: 3, vocabulary: 7, width: 4, hidden: 5, batchSize: 2 };
  const learner: Learner = { ...languageModel(sizes), optimizer: sgd(constantSchedule(0.1)) };
  const snapshot = (seed: number, reader?: number): Teacher => ({
    ...{ group: 0, step: seed, digest: String(seed), params: randomParams(learner, seed) },
    ...(reader !== undefined && { reader }),
  });
  const teachers = [snapshot(2), snapshot(3, 2), snapshot(4, 4)];
  for (const numParts of [1, 2]) {
    const batches = (step: number) =>
      Array.from({ length: numParts }, (_, i) =>
        randomTokens(sizes, (name) => fold(fold(rootKey(7), name), 10 * step + i)),
      );
    const [one, other] = [await studentOf(learner, numParts), await studentOf(learner, numParts)];
    for (let step = 0; step < 2; step++) await one.learn(batches(step), teachers, 1);
    const state = await one.state();
    const ofReader = (reader: number) => underPrefix(`teacherState.${reader}`, state);
    for (const reader of [0, 2, 4]) assert.equal(Object.keys(ofReader(reader)).length, 4);
    assert.notDeepEqual(ofReader(0), ofReader(2));
    await other.restore(state, 2);
    const [a, b] = [await one.learn(batches(2), teachers, 1), await other.learn(batches(2), teachers, 1)];
    assert.deepEqual(b, a);
    assert.deepEqual(await other.state(), await one.state());
  }
});
