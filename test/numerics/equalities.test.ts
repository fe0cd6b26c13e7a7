/** Runs that must be equal: to the bit where the arithmetic is the same, within rounding where it is not. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { weightedBinary } from "../../src/nn/objectives.js";
import { onnxRuntimeEngine } from "../../src/node/ort/onnxruntime.js";
import { adagrad, adam, sgd } from "../../src/optim/optimizers.js";
import { constantSchedule, linearSchedule } from "../../src/optim/schedules.js";
import type { GradientTransformation } from "../../src/optim/transformations.js";
import { filled, float32, type NamedArrays, type NdArray } from "../../src/runtime/array.js";
import { mapValues } from "../../src/runtime/named.js";
import { rootKey } from "../../src/runtime/random.js";
import { engineStudent, type StepMetrics, type Student, type Teacher } from "../../src/train/student.js";
import { assertAllClose } from "../fixtures/close.js";
import { flightsLike, randomBatch, randomTeacher } from "../fixtures/flights-like.js";

const NUM_STEPS = 50;
const BATCH = 64;

const engines = Array.from({ length: 2 }, () => onnxRuntimeEngine({ threads: 1 }));
after(() => Promise.all(engines.map((engine) => engine.close())));

/** A student on an engine of its own, so that nothing is shared by accident. */
async function freshStudent(which: 0 | 1, optimizer: GradientTransformation): Promise<Student> {
  const engine = engines[which] as (typeof engines)[number];
  const student = engineStudent({ engine, learner: flightsLike({ optimizer }) });
  await student.init(rootKey(3));
  return student;
}

const learner = flightsLike();
const optimizers: Readonly<Record<string, () => GradientTransformation>> = {
  adam: () => adam(linearSchedule(2e-3, 0, NUM_STEPS)),
  sgd: () => sgd(constantSchedule(0.1)),
};

/** Which step on one batch alone, not on sub-batches. */
const touching: Readonly<Record<string, () => GradientTransformation>> = {
  "adagrad by touched rows": () => adagrad(constantSchedule(0.05), { sparseParams: ["embeddings.*"] }),
  "adam by touched rows": () => adam(linearSchedule(2e-3, 0, NUM_STEPS), { sparseParams: ["embeddings.*"] }),
};

/** Steps `from` to `to`, each on its own batch, cut into `numParts`. */
async function train(
  student: Student,
  [from, to]: readonly [number, number],
  {
    teachers = [],
    weight = 0,
    numParts = 1,
  }: { teachers?: readonly Teacher[]; weight?: number; numParts?: number } = {},
): Promise<StepMetrics[]> {
  const metrics: StepMetrics[] = [];
  for (let step = from; step < to; step++) {
    metrics.push(await student.learn(inParts(randomBatch(BATCH, step), numParts), teachers, weight));
  }
  return metrics;
}

function inParts(batch: NamedArrays, numParts: number): NamedArrays[] {
  const size = BATCH / numParts;
  const part = (array: NdArray, i: number): NdArray => {
    return { ...array, shape: [size], data: array.data.slice(i * size, (i + 1) * size) } as NdArray;
  };
  return Array.from({ length: numParts }, (_, i) => mapValues(batch, (array) => part(array, i)));
}

function sortedByLabel(batch: NamedArrays): NamedArrays {
  const labels = batch.labels?.data as Float32Array;
  const order = [...labels.keys()].sort((a, b) => (labels[b] as number) - (labels[a] as number));
  return mapValues(
    batch,
    (array) => ({ ...array, data: array.data.map((_, i) => array.data[order[i] as number] as never) }) as NdArray,
  );
}

describe("a distillation weight of 0 is plain training, to the bit", () => {
  for (const [name, optimizer] of Object.entries({ ...optimizers, ...touching })) {
    for (const numTeachers of [1, 2]) {
      test(`${name}, ${numTeachers} teachers, ${NUM_STEPS} steps`, async () => {
        const plain = await freshStudent(0, optimizer());
        const taught = await freshStudent(1, optimizer());
        const teachers = Array.from({ length: numTeachers }, (_, i) => randomTeacher(learner, 8 + i));
        const losses = await train(plain, [0, NUM_STEPS]);
        const withTeachers = await train(taught, [0, NUM_STEPS], { teachers, weight: 0 });
        assert.deepEqual(await taught.state(), await plain.state());
        for (const [i, { labelLoss, gradNorm }] of losses.entries()) {
          assert.equal(withTeachers[i]?.labelLoss, labelLoss);
          assert.equal(withTeachers[i]?.gradNorm, gradNorm);
        }
      });
    }
  }

  test("and a weight of 1 is not", async () => {
    const plain = await freshStudent(0, sgd(constantSchedule(0.1)));
    const taught = await freshStudent(1, sgd(constantSchedule(0.1)));
    await train(plain, [0, 1]);
    await train(taught, [0, 1], { teachers: [randomTeacher(learner, 8)], weight: 1 });
    assert.notDeepEqual(await taught.state(), await plain.state());
  });
});

describe("sub-batches that are added up equal the whole batch", () => {
  for (const numParts of [2, 4]) {
    for (const numTeachers of [0, 1]) {
      const teachers = Array.from({ length: numTeachers }, (_, i) => randomTeacher(learner, 8 + i));
      test(`${numParts} parts, ${numTeachers} teachers, sgd: params and losses over ${NUM_STEPS} steps`, async () => {
        const whole = await freshStudent(0, sgd(constantSchedule(0.1)));
        const parts = await freshStudent(1, sgd(constantSchedule(0.1)));
        const expected = await train(whole, [0, NUM_STEPS], { teachers, weight: 1 });
        const actual = await train(parts, [0, NUM_STEPS], { teachers, weight: 1, numParts });
        // Sums of 64 in another order: rounding of 6e-8 a step, in params of about 1.
        assertAllClose(await parts.state(), await whole.state(), 1e-5, "state", 1);
        for (const [i, step] of expected.entries()) assertSameMetrics(actual[i], step, 1e-5);
      });

      test(`${numParts} parts, ${numTeachers} teachers, adam: the first step`, async () => {
        const whole = await freshStudent(0, adam(constantSchedule(2e-3)));
        const parts = await freshStudent(1, adam(constantSchedule(2e-3)));
        const [expected] = await train(whole, [0, 1], { teachers, weight: 1 });
        const [actual] = await train(parts, [0, 1], { teachers, weight: 1, numParts });
        // The first step of Adam has the sign of the gradient, so rounding shows only where that is nearly 0.
        assertAllClose(await parts.state(), await whole.state(), 1e-6, "state", 1);
        assertSameMetrics(actual, expected as StepMetrics, 1e-6);
      });
    }
  }

  for (const numTeachers of [0, 1]) {
    test(`4 parts, ${numTeachers} teachers, labels that weigh differently and are shared out unevenly`, async () => {
      const objective = weightedBinary({ positiveWeight: 7 });
      const teachers = Array.from({ length: numTeachers }, (_, i) => randomTeacher(learner, 8 + i));
      const [whole, parts] = await Promise.all(
        ([0, 1] as const).map(async (which) => {
          const engine = engines[which] as (typeof engines)[number];
          const own = { ...flightsLike({ optimizer: sgd(constantSchedule(0.1)) }), objective };
          const student = engineStudent({ engine, learner: own });
          await student.init(rootKey(3));
          return student;
        }),
      );
      if (!whole || !parts) throw new Error("two students");
      for (let step = 0; step < NUM_STEPS; step++) {
        // Positive labels first, so that the first parts weigh most.
        const batch = sortedByLabel(randomBatch(BATCH, step));
        const expected = await whole.learn([batch], teachers, 1);
        assertSameMetrics(await parts.learn(inParts(batch, 4), teachers, 1), expected, 1e-5);
      }
      assertAllClose(await parts.state(), await whole.state(), 1e-5, "state", 1);
    });
  }

  test("steps in parts and at once may alternate", async () => {
    const whole = await freshStudent(0, sgd(constantSchedule(0.1)));
    const mixed = await freshStudent(1, sgd(constantSchedule(0.1)));
    await train(whole, [0, 6]);
    for (let step = 0; step < 6; step++) await train(mixed, [step, step + 1], { numParts: [1, 2, 4][step % 3] ?? 1 });
    assertAllClose(await mixed.state(), await whole.state(), 1e-6, "state", 1);
  });
});

describe("a state that was saved and restored continues to the bit", () => {
  for (const [name, optimizer] of Object.entries({ ...optimizers, ...touching })) {
    test(`${name}, in another student on another engine`, async () => {
      const teachers = [randomTeacher(learner, 8)];
      const through = await freshStudent(0, optimizer());
      await train(through, [0, 20], { teachers, weight: 1 });
      const saved = await through.state();
      const copy = structuredClone(saved);
      const expected = await train(through, [20, 40], { teachers, weight: 1 });

      assert.deepEqual(saved, copy, "a saved state must not change with the student");
      const resumed = await freshStudent(1, optimizer());
      await resumed.restore(saved, 20);
      assert.equal(resumed.step, 20);
      assert.deepEqual(await train(resumed, [20, 40], { teachers, weight: 1 }), expected);
      assert.deepEqual(await resumed.state(), await through.state());
      assert.equal(resumed.step, 40);
    });
  }

  test("in the same student, going back", async () => {
    const student = await freshStudent(0, adam(constantSchedule(2e-3)));
    await train(student, [0, 5], { numParts: 2 });
    const saved = await student.state();
    const first = await train(student, [5, 10], { numParts: 2 });
    const after = await student.state();
    await student.restore(saved, 5);
    assert.deepEqual(await train(student, [5, 10], { numParts: 2 }), first);
    assert.deepEqual(await student.state(), after);
  });
});

test(`touched rows are those of whole tables, with a teacher and a moving average, ${NUM_STEPS} steps`, async () => {
  const students = [
    adagrad(constantSchedule(0.05), { sparseParams: ["embeddings.*"] }),
    adagrad(constantSchedule(0.05)),
  ];
  const [touched, whole] = await Promise.all(
    students.map(async (optimizer, which) => {
      const engine = engines[which] as (typeof engines)[number];
      const student = engineStudent({ engine, learner: { ...flightsLike({ optimizer }), ema: { decay: 0.9 } } });
      await student.init(rootKey(3));
      return {
        student,
        metrics: await train(student, [0, NUM_STEPS], { teachers: [randomTeacher(learner, 8)], weight: 1 }),
      };
    }),
  );
  assert.ok(touched && whole);
  assertAllClose(await touched.student.state(), await whole.student.state(), 1e-5, "state", 1);
  for (const [i, step] of whole.metrics.entries()) assertSameMetrics(touched.metrics[i], step, 1e-5);
});

test("a sum of gradients that is not finite does not outlive its step", async () => {
  const student = await freshStudent(0, sgd(constantSchedule(0.1)));
  const saved = await student.state();
  const expected = await train(student, [0, 1], { numParts: 2 });
  const after = await student.state();
  const spoilt = mapValues(randomBatch(BATCH, 0), (array, name) =>
    name === "labels" ? filled(array.shape, Number.NaN) : array,
  );
  await student.learn(inParts(spoilt, 2), [], 0);
  await student.restore(saved, 0);
  assert.deepEqual(await train(student, [0, 1], { numParts: 2 }), expected);
  assert.deepEqual(await student.state(), after);
});

describe("a step whose numbers are not finite changes nothing, to the bit, and the next ones go on", () => {
  const poisons: readonly [label: number, reason: RegExp][] = [
    [Number.NaN, /^label loss NaN, gradient norm NaN$/],
    [Number.POSITIVE_INFINITY, /^label loss -?Infinity, gradient norm (NaN|Infinity)$/],
    // The loss is finite, and so are the gradients; the sum of their squares is not.
    [1e25, /^gradient norm Infinity$/],
  ];
  for (const [name, optimizer] of Object.entries({ ...optimizers, ...touching })) {
    for (const [label, reason] of poisons) {
      const labels = (randomBatch(BATCH, 0).labels as NdArray).data.slice() as Float32Array;
      labels[5] = label;
      const batch = { ...randomBatch(BATCH, 0), labels: float32(labels) };
      for (const numParts of touching[name] ? [1] : [1, 4]) {
        for (const numTeachers of [0, 1]) {
          test(`${name}, a label of ${label}, ${numParts} parts, ${numTeachers} teachers`, async () => {
            const teachers = Array.from({ length: numTeachers }, (_, i) => randomTeacher(learner, 8 + i));
            const student = await freshStudent(0, optimizer());
            await train(student, [0, 5], { teachers, weight: 1, numParts });
            const before = await student.state();
            const { skipped } = await student.learn(inParts(batch, numParts), teachers, 1);
            assert.match(skipped ?? "taken", reason);
            assert.deepEqual(await student.state(), before);
            assert.equal(student.step, 6, "schedules go on");

            const untouched = await freshStudent(1, optimizer());
            await untouched.restore(before, 6);
            const expected = await train(untouched, [6, 9], { teachers, weight: 1, numParts });
            assert.deepEqual(await train(student, [6, 9], { teachers, weight: 1, numParts }), expected);
            assert.deepEqual(await student.state(), await untouched.state());
            assert.ok(expected.every((metrics) => metrics.skipped === null));
          });
        }
      }
    }
  }

  test("a teacher that is not finite, though it weighs nothing", async () => {
    const student = await freshStudent(0, adam(constantSchedule(2e-3)));
    await train(student, [0, 5]);
    const before = await student.state();
    const { params, ...teacher } = randomTeacher(learner, 8);
    const broken = mapValues(params, ({ shape }) => filled(shape, Number.NaN));
    const { skipped } = await student.learn([randomBatch(BATCH, 5)], [{ ...teacher, params: broken }], 0);
    assert.match(skipped ?? "taken", /^distillation loss NaN, gradient norm NaN$/);
    assert.deepEqual(await student.state(), before);
  });
});

describe("a moving average of the params", () => {
  const averaging = { ...flightsLike(), ema: { decay: 0.9 } };
  async function fresh(which: 0 | 1): Promise<Student> {
    const student = engineStudent({ engine: engines[which] as (typeof engines)[number], learner: averaging });
    await student.init(rootKey(3));
    return student;
  }

  for (const numParts of [1, 2]) {
    test(`begins as the params, follows them, and changes nothing in them; ${numParts} parts`, async () => {
      const [student, plain] = [await fresh(0), await freshStudent(1, flightsLike().optimizer)];
      assert.deepEqual(await student.shipped(), await student.params());
      let expected = mapValues(await student.params(), ({ data }) => Float64Array.from(data));
      for (let step = 0; step < 20; step++) {
        await train(student, [step, step + 1], { numParts });
        await train(plain, [step, step + 1], { numParts });
        const params = await student.params();
        expected = mapValues(expected, (mean, name) =>
          mean.map((value, i) => 0.9 * value + 0.1 * Number(params[name]?.data[i])),
        );
      }
      assert.deepEqual(await student.params(), await plain.params());
      const means = mapValues(await student.shipped(), ({ shape, data }) => ({ shape, data }));
      const wanted = mapValues(expected, (data, name) => ({ shape: means[name]?.shape ?? [], data }));
      // 20 sums, each rounded to 6e-8, of params of about 1.
      assertAllClose(means, wanted, 1e-6, "average", 1);
      assert.notDeepEqual(await student.shipped(), await student.params());
    });
  }

  test("stays as it is in a skipped step, and resumes to the bit", async () => {
    const student = await fresh(0);
    await train(student, [0, 10]);
    const before = await student.state();
    assert.equal(
      Object.keys(before).filter((name) => name.startsWith("ema.")).length,
      Object.keys(averaging.model.params).length,
    );
    const { skipped } = await student.learn([{ ...randomBatch(BATCH, 0), labels: filled([BATCH], Number.NaN) }], [], 0);
    assert.ok(skipped);
    assert.deepEqual(await student.state(), before);
    const resumed = await fresh(1);
    await resumed.restore(before, 11);
    assert.deepEqual(await train(resumed, [11, 20]), await train(student, [11, 20]));
    assert.deepEqual(await resumed.state(), await student.state());
  });
});

test("a learning rate is scaled from the state on with which the scale was restored", async () => {
  const scaled = await freshStudent(0, sgd(linearSchedule(0.2, 0, 10)));
  const plain = await freshStudent(1, sgd(linearSchedule(0.1, 0, 10)));
  await scaled.restore(await plain.state(), 0, 0.5);
  assert.equal(scaled.learningRateScale, 0.5);
  assert.deepEqual(await train(scaled, [0, 5]), await train(plain, [0, 5]));
  assert.deepEqual(await scaled.state(), await plain.state());
  await scaled.restore(await plain.state(), 0);
  assert.equal(scaled.learningRateScale, 1);
});

function assertSameMetrics(actual: StepMetrics | undefined, expected: StepMetrics, tolerance: number): void {
  for (const name of ["labelLoss", "distillLoss", "divergence"] as const) {
    const [a, e] = [actual?.[name], expected[name]];
    if (e === null) assert.equal(a, null);
    else assert.ok(Math.abs(Number(a) - e) <= tolerance, `${name} is ${a}, expected ${e}`);
  }
  assert.ok(Math.abs(Number(actual?.gradNorm) - expected.gradNorm) <= tolerance * Math.max(1, expected.gradNorm));
}
