import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { gate, storeWith, tinyLearner, tinyRows } from "../../test/fixtures/tiny-run.js";
import { decodeSafetensors } from "../checkpoint/safetensors.js";
import { memoryStore, type Store } from "../checkpoint/store.js";
import { batchStream } from "../data/stream.js";
import type { Engine } from "../engine/engine.js";
import { onnxRuntimeEngine } from "../node/ort/onnxruntime.js";
import type { NamedArrays } from "../runtime/array.js";
import { rootKey } from "../runtime/random.js";
import type { Step } from "../train/algorithm.js";
import { predictAll } from "../train/evaluate.js";
import { predictGraph, stateNames } from "../train/graphs.js";
import { meanAbsoluteDifference } from "../train/metrics.js";
import { engineStudent, type Student } from "../train/student.js";
import { type CodistillOptions, codistill } from "./codistill.js";
import { type ExchangeOptions, type StoreExchange, storeExchange } from "./exchange.js";

const learner = tinyLearner();
const { model } = learner;

const engines: Engine[] = [];
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.close();
});

/** A student with fresh params by seed. */
async function newStudent(seed: number): Promise<{ student: Student; engine: Engine }> {
  const engine = onnxRuntimeEngine({ threads: 1 });
  engines.push(engine);
  const student = engineStudent({ engine, learner });
  await student.init(rootKey(seed));
  return { student, engine };
}

/** A group's own batches, and how many were drawn. */
function newStream(seed: number) {
  const rows = tinyRows(96, seed);
  const stream = batchStream({
    rows,
    indices: Uint32Array.from({ length: 96 }, (_, row) => row),
    batchSize: 8,
    key: rootKey(seed),
  });
  let drawn = 0;
  return {
    next() {
      drawn++;
      return stream.next();
    },
    get drawn() {
      return drawn;
    },
  };
}

/** The exchange of a group through a store, with the other one of two as its teacher. */
function newExchange(store: Store, group: number, options: Partial<ExchangeOptions> = {}): StoreExchange {
  return storeExchange({ store, group, teachers: [1 - group], model, ...options });
}

/** An exchange whose calls are noted down in order. */
function recorded(exchange: StoreExchange): StoreExchange & { readonly calls: string[] } {
  const calls: string[] = [];
  return {
    ...exchange,
    calls,
    teachers(step) {
      calls.push(`teachers ${step}`);
      return exchange.teachers(step);
    },
    publish(step, params) {
      calls.push(`publish ${step}`);
      exchange.publish(step, params);
    },
    refresh(step) {
      calls.push(`refresh ${step}`);
      exchange.refresh(step);
    },
  };
}

/** Run to the end, the exchange at rest after each step, so that chance decides nothing. */
async function run(options: CodistillOptions & { readonly exchange: StoreExchange }): Promise<Step[]> {
  const steps: Step[] = [];
  for await (const step of codistill(options)) {
    steps.push(step);
    await options.exchange.idle();
  }
  return steps;
}

/** A store in which group 1 has published its params at a step. */
async function storeWithTeacher(seed: number): Promise<Store> {
  const store = memoryStore();
  const { student } = await newStudent(seed);
  const exchange = newExchange(store, 1);
  exchange.publish(1000, await student.params());
  await exchange.idle();
  return store;
}

describe("codistill", () => {
  test("burns in, then teaches, publishes and looks for teachers at exactly the due steps", async () => {
    const { student } = await newStudent(1);
    const exchange = recorded(newExchange(await storeWithTeacher(2), 0));
    const steps = await run({
      student,
      stream: newStream(1),
      exchange,
      numSteps: 16,
      burnInSteps: 6,
      publishInterval: 4,
      exchangeInterval: 3,
    });
    const asked = Array.from({ length: 10 }, (_, i) => `teachers ${6 + i}`);
    const at = (name: string) => exchange.calls.filter((call) => call.startsWith(name));
    assert.deepEqual(at("teachers"), asked);
    assert.deepEqual(at("publish"), ["publish 6", "publish 10", "publish 14"]);
    assert.deepEqual(at("refresh"), ["refresh 6", "refresh 9", "refresh 12", "refresh 15"]);
    assert.deepEqual(exchange.calls.slice(0, 3), ["publish 6", "refresh 6", "teachers 6"]);

    assert.deepEqual(
      steps.map(({ step }) => step),
      Array.from({ length: 16 }, (_, i) => i + 1),
    );
    for (const { step, distillWeight, teachers, distillLoss, divergence } of steps) {
      const isTaught = step > 6;
      assert.equal(distillWeight, isTaught ? 1 : 0);
      // The teacher was seen at step 6; a step's uses are counted from the params that it began with.
      assert.deepEqual(teachers, isTaught ? [{ group: 1, step: 1000, age: step - 1 - 6 }] : []);
      assert.equal(distillLoss === null, !isTaught);
      assert.equal(divergence === null, !isTaught);
      assert.ok(!isTaught || (divergence ?? -1) > 0, "a teacher with other params predicts otherwise");
    }
  });

  test("without burn-in it first publishes after a whole interval", async () => {
    const { student } = await newStudent(1);
    const exchange = recorded(newExchange(memoryStore(), 0));
    const options = { student, stream: newStream(1), exchange, publishInterval: 5, exchangeInterval: 4 };
    await run({ ...options, numSteps: 11 });
    const others = exchange.calls.filter((call) => !call.startsWith("teachers"));
    assert.deepEqual(others, ["refresh 4", "publish 5", "refresh 8", "publish 10"]);
  });

  test("stops at numSteps, goes on from the student's step, and does nothing after the end", async () => {
    const stream = newStream(1);
    const exchange = newExchange(memoryStore(), 0);
    const whole = await newStudent(1);
    const all = await run({ student: whole.student, stream, exchange, numSteps: 8 });
    assert.equal(stream.drawn, 8);
    assert.deepEqual(await run({ student: whole.student, stream, exchange, numSteps: 8 }), []);
    assert.equal(stream.drawn, 8);

    const parts = newStream(1);
    const { student } = await newStudent(1);
    const first = await run({ student, stream: parts, exchange, numSteps: 5 });
    const resumed = await newStudent(99);
    await resumed.student.restore(await student.state(), student.step);
    const second = await run({ student: resumed.student, stream: parts, exchange, numSteps: 8 });
    assert.deepEqual([...first, ...second], all);
    assert.deepEqual(await resumed.student.state(), await whole.student.state());
  });

  test("a caller may leave between steps", async () => {
    const { student } = await newStudent(1);
    const stream = newStream(1);
    for await (const { step } of codistill({
      student,
      stream,
      exchange: newExchange(memoryStore(), 0),
      numSteps: 50,
    })) {
      if (step === 3) break;
    }
    assert.equal(student.step, 3);
    assert.equal(stream.drawn, 3);
  });

  test("with weight 0 after burn-in no teacher is used, though there is one", async () => {
    const { student } = await newStudent(1);
    const exchange = recorded(newExchange(await storeWithTeacher(2), 0));
    const distillWeight = (step: number) => (step < 6 ? 0 : 0.25);
    const steps = await run({
      student,
      stream: newStream(1),
      exchange,
      numSteps: 9,
      exchangeInterval: 1,
      distillWeight,
    });
    assert.deepEqual(
      steps.map((step) => step.distillWeight),
      [0, 0, 0, 0, 0, 0, 0.25, 0.25, 0.25],
    );
    assert.deepEqual(
      steps.map(({ teachers }) => teachers.length),
      [0, 0, 0, 0, 0, 0, 1, 1, 1],
    );
    assert.deepEqual(
      exchange.calls.filter((call) => call.startsWith("teachers")),
      ["teachers 6", "teachers 7", "teachers 8"],
    );
  });

  test("burn-in for ever, weight 0 and an exchange without teachers are the plain loop, to the bit", async () => {
    const plain = await newStudent(1);
    const stream = newStream(1);
    for (let step = 0; step < 20; step++) await plain.student.learn([stream.next()], [], 0);
    const expected = await plain.student.state();

    const everyStep = { numSteps: 20, publishInterval: 1, exchangeInterval: 1 };
    const alone = { exchange: newExchange(memoryStore(), 0, { teachers: [] }) };
    const taught = { exchange: newExchange(await storeWithTeacher(2), 0) };
    type Variant = Partial<CodistillOptions> & { readonly exchange: StoreExchange };
    const variants: Readonly<Record<string, Variant>> = {
      "no teachers": alone,
      "burn-in for ever": { ...taught, burnInSteps: 20 },
      "weight 0": { ...taught, distillWeight: () => 0 },
    };
    for (const [name, variant] of Object.entries(variants)) {
      const { student } = await newStudent(1);
      await run({ student, stream: newStream(1), ...everyStep, ...variant });
      assert.deepEqual(await student.state(), expected, name);
    }
    const { student } = await newStudent(1);
    await run({ student, stream: newStream(1), ...everyStep, ...taught });
    assert.notDeepEqual(await student.state(), expected, "a teacher with weight makes a difference");
  });

  test("draws as many batches a step as are accumulated", async () => {
    const { student } = await newStudent(1);
    const stream = newStream(1);
    const exchange = newExchange(await storeWithTeacher(2), 0);
    const steps = await run({ student, stream, exchange, numSteps: 4, accumulate: 3, exchangeInterval: 2 });
    assert.equal(stream.drawn, 12);
    assert.equal(student.step, 4);
    assert.deepEqual(
      steps.map(({ distillLoss }) => distillLoss === null),
      [true, true, false, false],
    );
  });

  test("goes on while the store does not answer, and what it published is the student of that step", async () => {
    const { opened, open } = gate();
    const inner = memoryStore();
    const slow = storeWith(
      () => ({
        async get(name, signal) {
          await opened;
          return inner.get(name, signal);
        },
        async put(name, bytes, signal) {
          await opened;
          return inner.put(name, bytes, signal);
        },
      }),
      inner,
    );
    const { student } = await newStudent(1);
    const exchange = newExchange(slow, 0);
    const paramsAt: NamedArrays[] = [];
    const everyStep = { publishInterval: 1, exchangeInterval: 1 };
    for await (const _ of codistill({ student, stream: newStream(1), exchange, numSteps: 12, ...everyStep })) {
      paramsAt.push(await student.params());
    }
    assert.equal(student.step, 12);
    assert.deepEqual(await inner.list(""), []);
    open();
    await exchange.idle();
    const names = await inner.list("groups/0/snapshots/");
    const published = await Promise.all(
      names.map(async (name) => decodeSafetensors((await inner.get(name)) ?? new Uint8Array())),
    );
    // The first was being written, and of those that came meanwhile the newest waited.
    assert.deepEqual(
      published.map(({ metadata }) => metadata.step),
      ["1", "12"],
    );
    assert.deepEqual(published[0]?.tensors, paramsAt[0]);
    assert.deepEqual(published[1]?.tensors, paramsAt[11]);
  });

  test("two groups that teach each other come to agree more than two that do not", async () => {
    const probe = tinyRows(200, 77);
    const apart = await disagreement(0);
    const together = await disagreement(1);
    assert.ok(together < 0.6 * apart, `${together} with distillation, ${apart} without`);
    assert.deepEqual(await disagreement(1), together, "and it is the same each time");

    async function disagreement(weight: number): Promise<number> {
      const store = memoryStore();
      const groups = await Promise.all(
        [0, 1].map(async (group) => {
          const { student, engine } = await newStudent(group);
          const exchange = newExchange(store, group);
          const loop = codistill({
            student,
            stream: newStream(group),
            exchange,
            numSteps: 60,
            distillWeight: () => weight,
            publishInterval: 1,
            exchangeInterval: 1,
          });
          return { engine, exchange, loop };
        }),
      );
      for (let round = 0; round < 60; round++) {
        for (const { loop, exchange } of groups) {
          await loop.next();
          await exchange.idle();
        }
      }
      const [a, b] = await Promise.all(
        groups.map(async ({ engine }) =>
          predictAll(await engine.compile(predictGraph(learner, stateNames.params)), probe),
        ),
      );
      assert.ok(a && b);
      return meanAbsoluteDifference(a.probs, b.probs);
    }
  });
});
