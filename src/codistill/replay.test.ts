import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { exchangeOn, model, paramsOf, publishAs } from "../../test/fixtures/exchange-fixture.js";
import { sha256 } from "../checkpoint/digest.js";
import { recordingStore } from "../checkpoint/recordings.js";
import { memoryStore } from "../checkpoint/store.js";
import { CheckpointError } from "../errors.js";
import type { TeachersEvent, TrainEvent } from "../log/events.js";
import type { Exchange } from "./exchange.js";
import { replayExchange, traced, traceOf } from "./replay.js";

const teachers = (step: number): TeachersEvent => ({
  event: "teachers",
  group: 0,
  step,
  teachers: [{ group: 1, step, digest: `d${step}`, seenAtStep: step }],
});
const checkpoint = (step: number): TrainEvent => ({ event: "checkpoint", group: 0, step, bytes: 1, seconds: 0 });
const start = (step: number): TrainEvent => ({
  event: "group-start",
  group: 0,
  pid: 1,
  incarnation: 1,
  step,
  numSteps: 100,
  trainRows: 1,
  numParams: 1,
  threads: 1,
});
const stepsOf = (events: readonly TrainEvent[]) => traceOf(events).map(({ step }) => step);

describe("the trace that a log tells", () => {
  test("leaves out what came after the checkpoint from which the group went on", () => {
    const events = [start(0), teachers(10), checkpoint(20), teachers(25), teachers(30), start(20), teachers(20)];
    assert.deepEqual(stepsOf(events), [10, 20]);
  });
  test("goes by the steps when the event of the checkpoint is missing", () => {
    assert.deepEqual(
      stepsOf([start(0), teachers(10), teachers(25), start(20), teachers(20), teachers(27)]),
      [10, 20, 27],
    );
  });
  test("begins again with a group that lost its checkpoints, and forgets their places", () => {
    const again = [start(0), teachers(10), checkpoint(20), start(0), teachers(12), start(20), teachers(21)];
    assert.deepEqual(stepsOf(again), [12, 21]);
  });
  test("keeps steps that go back where a student was restored", () => {
    assert.deepEqual(stepsOf([start(0), teachers(10), teachers(30), teachers(10), teachers(15)]), [10, 30, 10, 15]);
  });
});

/** Take a step: ask for its teachers, and show what it showed of them. */
async function take(exchange: Exchange, step: number): Promise<void> {
  exchange.observe?.(step, await exchange.teachers(step), metrics);
}
const metrics = {
  labelLoss: 1,
  distillLoss: null,
  divergence: null,
  gradNorm: 1,
  learningRate: 1,
  skipped: null,
  statistics: null,
};

/** A traced exchange that took a step without teachers and then got one, of step 5. */
async function withNewTeacher() {
  const store = memoryStore();
  const { exchange, refreshed } = exchangeOn(store);
  const told: TeachersEvent[] = [];
  const watched = traced(exchange, 0, (event) => told.push(event));
  await take(watched, 0);
  await publishAs(store, 1, 5);
  await refreshed(1);
  return { watched, told };
}

test("no entry for a step that was cancelled", async () => {
  const { watched, told } = await withNewTeacher();
  await watched.teachers(1);
  assert.deepEqual(
    told.map(({ step }) => step),
    [0],
  );
});

test("an entry for each change of the teachers, and one whenever the steps go back", async () => {
  const { watched, told } = await withNewTeacher();
  for (const step of [2, 3, 4, 3]) await take(watched, step);
  assert.deepEqual(
    told.map((event) => [event.step, event.teachers.map((teacher) => [teacher.group, teacher.step])]),
    [
      [0, []],
      [2, [[1, 5]]],
      [3, [[1, 5]]],
    ],
  );
});

describe("a replay", () => {
  async function recorded() {
    const [store, files] = [memoryStore(), memoryStore()];
    const { exchange, refreshed } = exchangeOn(recordingStore(store, files));
    const trace: TeachersEvent[] = [];
    const watched = traced(exchange, 0, (event) => trace.push(event));
    for (const step of [10, 20]) {
      await publishAs(store, 1, step);
      await refreshed(step);
      await take(watched, step);
    }
    return { trace, files };
  }

  test("gives the recorded params at the recorded steps, also when it goes on in the middle", async () => {
    const { trace, files } = await recorded();
    assert.equal((await files.list("recorded/")).length, 2);
    const replay = replayExchange({ trace, recorded: files, model });
    for (const [step, value] of [
      [9, null],
      [10, 10],
      [19, 10],
      [20, 20],
      [50, 20],
    ] as const) {
      const [teacher] = await replay.teachers(step);
      assert.deepEqual(teacher?.params, value === null ? undefined : paramsOf(value), `step ${step}`);
    }
    const late = replayExchange({ trace, recorded: files, model, fromStep: 15 });
    assert.deepEqual((await late.teachers(15))[0]?.params, paramsOf(10));
    assert.deepEqual((await late.teachers(20))[0]?.params, paramsOf(20));
  });

  test("refuses a recorded snapshot that is gone or damaged", async () => {
    const { trace, files } = await recorded();
    const [name = ""] = (await files.list("recorded/")).filter((each) =>
      each.includes(trace[0]?.teachers[0]?.digest ?? "-"),
    );
    await files.put(name, new Uint8Array(8));
    const damage = new RegExp(`is damaged: its SHA-256 is ${await sha256(new Uint8Array(8))}`);
    const isRefusal = (pattern: RegExp) => (error: unknown) =>
      error instanceof CheckpointError && pattern.test(error.message);
    const replay = () => Promise.resolve(replayExchange({ trace, recorded: files, model }).teachers(10));
    await assert.rejects(replay(), isRefusal(damage));
    await files.remove(name);
    await assert.rejects(replay(), isRefusal(/is gone/));
  });
});
