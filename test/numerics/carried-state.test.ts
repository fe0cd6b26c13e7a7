/** The state that a recurrent model carries from batch to batch: the student's own, and one for each of its teachers. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { decodeSafetensors, encodeSafetensors } from "../../src/checkpoint/safetensors.js";
import { CheckpointError } from "../../src/errors.js";
import { initWeights, weightSpecs } from "../../src/nn/model.js";
import { onnxRuntimeEngine } from "../../src/node/ort/onnxruntime.js";
import { adam } from "../../src/optim/optimizers.js";
import { constantSchedule } from "../../src/optim/schedules.js";
import { int32, type NamedArrays } from "../../src/runtime/array.js";
import { underPrefix } from "../../src/runtime/named.js";
import { fold, rootKey } from "../../src/runtime/random.js";
import type { Learner } from "../../src/train/graphs.js";
import { engineStudent, type Student, type Teacher } from "../../src/train/student.js";
import { languageModel, randomTokens } from "../fixtures/sequence-models.js";

const engines: ReturnType<typeof onnxRuntimeEngine>[] = [];
after(() => Promise.all(engines.map((engine) => engine.close())));

const sizes = { sequenceLength: 4, batchSize: 3, vocabulary: 7, width: 5, hidden: 4 };
const learnerOf = (rate: number, sequenceLength = sizes.sequenceLength): Learner => ({
  ...languageModel({ ...sizes, sequenceLength }),
  optimizer: adam(constantSchedule(rate)),
});
const learner = learnerOf(0.01);
const batch = (step: number) => randomTokens(sizes, (name) => fold(fold(rootKey(3), name), step));

function student(of: Learner = learner): Student {
  const engine = onnxRuntimeEngine({ threads: 1 });
  engines.push(engine);
  return engineStudent({ engine, learner: of });
}

const teacher = (group: number, seed = group): Teacher => ({
  group,
  step: 0,
  digest: `${seed}`,
  params: initWeights(learner.model, rootKey(100 + seed)),
});

/** Two batches as one of twice the times. */
function sideBySide(first: NamedArrays, second: NamedArrays): NamedArrays {
  const joined = (name: string, shape: readonly number[]) =>
    int32(Int32Array.from([...(first[name]?.data ?? []), ...(second[name]?.data ?? [])] as number[]), shape);
  const { sequenceLength, batchSize } = sizes;
  return {
    ids: joined("ids", [2 * sequenceLength, batchSize]),
    labels: joined("labels", [2 * sequenceLength * batchSize]),
  };
}

test("two batches teach and lose what one of twice the times does, for student and teachers", async () => {
  // A rate of 0, so that the params are the same in both batches.
  const [short, long] = [student(learnerOf(0)), student(learnerOf(0, 2 * sizes.sequenceLength))];
  const teachers = [teacher(1), teacher(2)];
  await short.init(rootKey(1));
  await long.init(rootKey(1));
  const parts = [await short.learn([batch(0)], teachers, 1), await short.learn([batch(1)], teachers, 1)];
  const whole = await long.learn([sideBySide(batch(0), batch(1))], teachers, 1);
  const mean = (of: (metrics: (typeof parts)[number]) => number) => (of(parts[0]!) + of(parts[1]!)) / 2;
  const close = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1e-6, `${a} and ${b}`);
  close(
    mean(({ labelLoss }) => labelLoss),
    whole.labelLoss,
  );
  close(
    mean(({ distillLoss }) => distillLoss ?? Number.NaN),
    whole.distillLoss ?? Number.NaN,
  );
  for (const slot of [0, 1]) {
    close(
      mean(({ statistics }) => statistics?.teachers[slot]?.loss ?? Number.NaN),
      whole.statistics?.teachers[slot]?.loss ?? Number.NaN,
    );
  }
  // It matters: a fresh state would lose otherwise.
  const fresh = student(learnerOf(0));
  await fresh.init(rootKey(1));
  assert.ok(Math.abs((await fresh.learn([batch(1)], [], 0)).labelLoss - (parts[1]?.labelLoss ?? 0)) > 1e-5);
});

test("what is published and shipped has no state", async () => {
  const one = student();
  await one.init(rootKey(1));
  await one.learn([batch(0)], [teacher(1)], 1);
  for (const weights of [await one.params(), await one.shipped()])
    assert.deepEqual(Object.keys(weights), Object.keys(weightSpecs(learner.model)));
});

describe("going on from a saved state", () => {
  /** Who teaches at each step: nobody, one, two, then in other places, and a fresher snapshot of one. */
  const plan = [[], [teacher(2)], [teacher(1), teacher(2)], [teacher(2)], [teacher(2, 7), teacher(3)], [teacher(3)]];

  for (const numParts of [1, 2]) {
    const batches = (step: number) => Array.from({ length: numParts }, (_, part) => batch(numParts * step + part));
    const run = async (one: Student, from: number, to: number) => {
      for (let step = from; step < to; step++) await one.learn(batches(step), plan[step] ?? [], 1);
    };
    test(`ends with the same bits wherever it was saved, ${numParts} sub-batches a step`, async () => {
      const uncut = student();
      await uncut.init(rootKey(1));
      await run(uncut, 0, plan.length);
      const expected = await uncut.state();
      assert.ok(Object.keys(expected).includes("teacherState.3.layers.1.cell"));
      for (let cut = 1; cut < plan.length; cut++) {
        const before = student();
        await before.init(rootKey(1));
        await run(before, 0, cut);
        const saved = decodeSafetensors(encodeSafetensors(await before.state())).tensors;
        const resumed = student();
        await resumed.restore(saved, cut);
        await run(resumed, cut, plan.length);
        assert.deepEqual(await resumed.state(), expected, `saved after step ${cut}`);
      }
    });
  }

  test("a teacher that did not teach in the step before begins with a fresh state, one that moves keeps its own", async () => {
    const one = student(learnerOf(0));
    await one.init(rootKey(1));
    await one.learn([batch(0)], [teacher(1), teacher(2)], 1);
    const { statistics: moved } = await one.learn([batch(1)], [teacher(2)], 1);
    const { statistics: back } = await one.learn([batch(1)], [teacher(1)], 1);
    const other = student(learnerOf(0));
    await other.init(rootKey(1));
    await other.learn([batch(0)], [teacher(2)], 1);
    assert.equal(
      (await other.learn([batch(1)], [teacher(2)], 1)).statistics?.teachers[0]?.loss,
      moved?.teachers[0]?.loss,
    );
    const fresh = student(learnerOf(0));
    await fresh.init(rootKey(1));
    assert.equal(
      (await fresh.learn([batch(1)], [teacher(1)], 1)).statistics?.teachers[0]?.loss,
      back?.teachers[0]?.loss,
    );
  });

  test("refuses the state of a teacher that does not fit", async () => {
    const one = student();
    await one.init(rootKey(1));
    await one.learn([batch(0)], [teacher(1)], 1);
    const state = await one.state();
    const { "teacherState.1.layers.0.cell": _, ...without } = state;
    await assert.rejects(student().restore(without, 1), CheckpointError);
    assert.equal(Object.keys(underPrefix("teacherState", state)).length, 4);
  });
});
