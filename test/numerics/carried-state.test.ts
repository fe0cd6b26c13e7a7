/** The state that a recurrent model carries from batch to batch: the student's own, and one for each of its teachers. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { decodeSafetensors, encodeSafetensors } from "../../src/checkpoint/safetensors.js";
import { CheckpointError } from "../../src/errors.js";
import { initWeights, weightSpecs } from "../../src/nn/model.js";
import { onnxRuntimeEngine } from "../../src/node/ort/onnxruntime.js";
import { adam } from "../../src/optim/optimizers.js";
import { constantSchedule } from "../../src/optim/schedules.js";
import { filled, int32, type NamedArrays } from "../../src/runtime/array.js";
import { mapValues, underPrefix } from "../../src/runtime/named.js";
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

function student(of: Learner = learner, accumulate = 1): Student {
  const engine = onnxRuntimeEngine({ threads: 1 });
  engines.push(engine);
  return engineStudent({ engine, learner: of, accumulate });
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

test("each batch of a step goes on with what it read before, as the rows of one large batch do", async () => {
  const wide = { ...sizes, batchSize: 2 * sizes.batchSize };
  const optimizer = adam(constantSchedule(0.01));
  const [large, two] = [student({ ...languageModel(wide), optimizer }), student(learner, 2)];
  await large.init(rootKey(1));
  await two.init(rootKey(1));
  for (let step = 0; step < 6; step++) {
    const whole = randomTokens(wide, (name) => fold(fold(rootKey(3), name), step));
    const halves = [0, 1].map((half) =>
      mapValues(whole, ({ shape, data }) => {
        const isOwn = (_: unknown, i: number) => Math.floor((i % wide.batchSize) / sizes.batchSize) === half;
        const [times, texts] = shape;
        const own = Int32Array.from((data as Int32Array).filter(isOwn));
        return int32(own, texts === undefined ? [own.length] : [times as number, texts / 2]);
      }),
    );
    const teachers = step < 2 ? [] : [teacher(1)];
    const [one, other] = [await large.learn([whole], teachers, 1), await two.learn(halves, teachers, 1)];
    for (const name of ["labelLoss", "distillLoss", "gradNorm"] as const)
      assert.ok(Math.abs((one[name] ?? 0) - (other[name] ?? 0)) < 1e-5, `${name} of step ${step}`);
  }
  const [ofLarge, ofTwo] = [await large.state(), await two.state()];
  assert.deepEqual(Object.keys(ofTwo), Object.keys(ofLarge));
  for (const [name, { shape, data }] of Object.entries(ofLarge)) {
    assert.deepEqual(ofTwo[name]?.shape, shape, name);
    for (const [i, value] of data.entries())
      assert.ok(Math.abs(Number(value) - Number(ofTwo[name]?.data[i])) < 1e-4, `${name}[${i}]`);
  }
});

test("a step that changes nothing leaves the states of its parts as they were", async () => {
  const one = student(learner, 2);
  await one.init(rootKey(1));
  await one.learn([batch(0), batch(1)], [teacher(1)], 1);
  const before = await one.state();
  const params = mapValues(teacher(1).params, ({ shape }) => filled(shape, Number.NaN));
  const { skipped } = await one.learn([batch(2), batch(3)], [{ ...teacher(1), digest: "broken", params }], 1);
  assert.match(skipped ?? "", /distillation loss NaN/);
  assert.deepEqual(await one.state(), before);
});

test("a step of more or fewer batches than there are states for is refused", async () => {
  const one = student(learner, 2);
  await one.init(rootKey(1));
  await assert.rejects(one.learn([batch(0)], [], 0), /\(accumulate\).*: 2, got 1/);
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
      const uncut = student(learner, numParts);
      await uncut.init(rootKey(1));
      await run(uncut, 0, plan.length);
      const expected = await uncut.state();
      assert.ok(Object.keys(expected).includes("teacherState.3.layers.1.cell"));
      for (let cut = 1; cut < plan.length; cut++) {
        const before = student(learner, numParts);
        await before.init(rootKey(1));
        await run(before, 0, cut);
        const saved = decodeSafetensors(encodeSafetensors(await before.state())).tensors;
        const resumed = student(learner, numParts);
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
    // As an earlier version saved it, which had one state for all batches of a step.
    await assert.rejects(
      student(learner, 2).restore(state, 1),
      /state\.layers\.0\.hidden must be float32\[6, 4\], got float32\[3, 4\].* accumulate above 1 .* begins anew/,
    );
    assert.equal(Object.keys(underPrefix("teacherState", state)).length, 4);
  });
});
