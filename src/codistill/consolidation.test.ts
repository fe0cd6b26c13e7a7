import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { exchangeOn, model, paramsOf, publishAs } from "../../test/fixtures/exchange-fixture.js";
import { tinyLearner, tinyRows } from "../../test/fixtures/tiny-run.js";
import { plain } from "../baselines/plain.js";
import { recordingStore } from "../checkpoint/recordings.js";
import { memoryStore, type Store } from "../checkpoint/store.js";
import { batchStream, type Cursor } from "../data/stream.js";
import type { Engine } from "../engine/engine.js";
import { CheckpointError } from "../errors.js";
import type { ExchangeEvent, TeachersEvent } from "../log/events.js";
import { onnxRuntimeEngine } from "../node/ort/onnxruntime.js";
import { float32 } from "../runtime/array.js";
import { rootKey } from "../runtime/random.js";
import type { Step } from "../train/algorithm.js";
import { engineStudent, type Student } from "../train/student.js";
import { type CodistillOptions, codistill } from "./codistill.js";
import { type ConsolidationOptions, consolidating, type KeptTeacher } from "./consolidation.js";
import type { ExchangeOptions } from "./exchange.js";
import { replayExchange, traced } from "./replay.js";
import { savedTeachers, saveTeachers } from "./saved-teachers.js";

/** Group 0 of two, with its own snapshots and those of group 1. */
function consolidatingOn(
  store: Store,
  changes: Partial<ConsolidationOptions> = {},
  known: Partial<ExchangeOptions> = {},
) {
  const events: ExchangeEvent[] = [];
  const onEvent = (event: ExchangeEvent) => void events.push(event);
  const { exchange } = exchangeOn(store, { fetchesOwn: true, onEvent, ...known });
  const options = { group: 0, numGroups: 2, from: [0, 1], keepAt: [20, 30, 40], model, onEvent };
  return { exchange: consolidating(exchange, { ...options, ...changes }), events };
}

type Consolidating = ReturnType<typeof consolidatingOn>["exchange"];

/** What a step does before it is taken, when all has arrived. */
async function refreshed(exchange: Consolidating, step: number) {
  exchange.refresh(step);
  await exchange.idle();
  exchange.keep(step);
  return exchange.teachers(step).map(({ group, step: taught, reader }) => [group, taught, reader]);
}

const warnings = (events: readonly ExchangeEvent[]) =>
  events.flatMap((event) => (event.event === "warning" ? [event.message] : []));

describe("consolidation", () => {
  test("keeps the newest snapshots of all groups at its steps, and from the last one on they alone teach", async () => {
    const store = memoryStore();
    const { exchange, events } = consolidatingOn(store);
    for (const step of [10, 20, 30, 35]) {
      for (const group of [0, 1]) await publishAs(store, group, step + group, { params: paramsOf(step + 100 * group) });
      // Until then the others alone, as without it.
      assert.deepEqual(await refreshed(exchange, step), [[1, step + 1, undefined]]);
    }
    const all = [
      [0, 35, undefined],
      [0, 30, 2],
      [0, 20, 4],
      [1, 36, undefined],
      [1, 31, 3],
      [1, 21, 5],
    ];
    assert.deepEqual(await refreshed(exchange, 40), all);
    for (const group of [0, 1]) await publishAs(store, group, 50, { params: paramsOf(1000 + group) });
    assert.deepEqual(await refreshed(exchange, 60), all);
    assert.deepEqual(await refreshed(exchange, 100_000), all, "they never grow stale");
    const params = exchange.teachers(60).map((one) => Object.values(one.params)[0]?.data[0]);
    assert.deepEqual(params, [35, 30, 20, 135, 130, 120]);
    assert.deepEqual(warnings(events), []);
  });

  test("waits for nobody, and says of whom less is here", async () => {
    const store = memoryStore();
    const { exchange, events } = consolidatingOn(store);
    await publishAs(store, 0, 18);
    await refreshed(exchange, 20);
    await publishAs(store, 0, 28);
    await publishAs(store, 1, 29);
    await refreshed(exchange, 30);
    assert.deepEqual(await refreshed(exchange, 40), [
      [0, 28, undefined],
      [0, 18, 2],
      [1, 29, undefined],
    ]);
    assert.deepEqual(warnings(events), [
      "consolidation takes 3 snapshots of each group, and has of group 0 2 (of steps 18, 28), of group 1 1 (of step 29); the others had not arrived, or were the same. It learns from the 3 that are here",
    ]);
  });

  test("where nothing was kept, groups go on teaching one another", async () => {
    const store = memoryStore();
    const { exchange, events } = consolidatingOn(store);
    exchange.keep(40);
    assert.match(warnings(events)[0] ?? "", /^consolidation found no snapshots, so this group goes on learning/);
    await publishAs(store, 1, 50);
    assert.deepEqual(await refreshed(exchange, 60), [[1, 50, undefined]]);
  });

  test("a student that was set back keeps anew what it passes again", async () => {
    const store = memoryStore();
    const { exchange } = consolidatingOn(store, { keepAt: [20, 30] });
    await publishAs(store, 1, 19);
    await refreshed(exchange, 20);
    await publishAs(store, 1, 24);
    await refreshed(exchange, 20);
    assert.deepEqual(
      exchange.kept().map(({ step, keptAt }) => [step, keptAt]),
      [[24, 20]],
    );
  });

  test("a snapshot that is unhealthy is left out alone, and does not come back", async () => {
    const kept = [1, 2, 3].map((step): KeptTeacher => {
      return { group: 1, step, digest: `d${step}`, seenAtStep: step, keptAt: 40, params: paramsOf(step) };
    });
    const { exchange, events } = consolidatingOn(memoryStore(), { kept });
    const healthy = { loss: 0.5, expectedLoss: 0.5, variance: 1, distance: 0 };
    const statistics = {
      student: { variance: 1, priorLoss: 0.7 },
      teachers: [healthy, { ...healthy, loss: Number.NaN }, healthy],
    };
    const metrics = { labelLoss: 0.5, distillLoss: 1, divergence: 0, gradNorm: 1, learningRate: 1, skipped: null };
    exchange.observe(50, exchange.teachers(50), { ...metrics, statistics });
    for (const step of [51, 10_000])
      assert.deepEqual(
        exchange.teachers(step).map((one) => one.step),
        [3, 1],
        `at step ${step}`,
      );
    assert.deepEqual(
      events.map(({ event }) => event),
      ["teacher-quarantined"],
    );
  });

  test("what was kept of another model is refused", () => {
    const kept = [{ group: 1, step: 1, digest: "d", seenAtStep: 1, keptAt: 20, params: { w: float32([1]) } }];
    assert.throws(() => consolidatingOn(memoryStore(), { kept }), CheckpointError);
  });
});

const engines: Engine[] = [];
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.close();
});

/** A learner whose learning rate begins again at step 40 of 60. */
const learner = tinyLearner({
  numGroups: 2,
  optimizer: { kind: "adam", learningRate: 0.01, schedule: "linear" },
  algorithm: { burnInSteps: 5, publishInterval: 5, exchangeInterval: 5, consolidate: { from: 40, every: 10 } },
});

async function newStudent(): Promise<Student> {
  const engine = onnxRuntimeEngine({ threads: 1 });
  engines.push(engine);
  const student = engineStudent({ engine, learner });
  await student.init(rootKey(1));
  return student;
}

const rows = tinyRows(96, 1);
const newStream = (cursor?: Cursor) =>
  batchStream({
    rows,
    indices: Uint32Array.from({ length: 96 }, (_, row) => row),
    batchSize: 8,
    key: rootKey(1),
    ...(cursor && { cursor }),
  });

const intervals = { burnInSteps: 5, publishInterval: 5, exchangeInterval: 5, numSteps: 60 };

/** What the loop of a run is given from step 40 on. */
const consolidated = (weight: number): Pick<CodistillOptions, "distillWeight" | "mix"> => ({
  distillWeight: (step) => (step < 40 ? 1 : weight),
  mix: (step) => (step < 40 ? undefined : "convex"),
});

/** Run to a step; before each the other group publishes, and all is at rest, so that chance decides nothing. */
async function run(
  store: Store,
  options: CodistillOptions & { readonly exchange: Pick<Consolidating, "idle"> },
  to = 60,
) {
  const steps: Step[] = [];
  for await (const step of codistill(options)) {
    steps.push(step);
    await options.exchange.idle();
    if (step.step % 5 === 0) await publishAs(store, 1, step.step, { params: paramsOf(step.step / 100) });
    if (step.step === to) break;
  }
  return steps;
}

describe("a group that consolidates", () => {
  test("learns from six snapshots with another mix, and from the freshest one before", async () => {
    const store = memoryStore();
    const { exchange } = consolidatingOn(store);
    const student = await newStudent();
    const steps = await run(store, { student, stream: newStream(), exchange, ...intervals, ...consolidated(0.9) });
    const used = ({ teachers }: Step) => teachers.map(({ group, step }) => [group, step]);
    assert.deepEqual(used(steps[38] as Step), [[1, 30]]);
    assert.deepEqual(used(steps[40] as Step), used(steps[59] as Step));
    assert.deepEqual(
      used(steps[40] as Step).map(([group]) => group),
      [0, 0, 0, 1, 1, 1],
    );
    assert.equal(steps[40]?.distillWeight, 0.9);
    assert.ok((steps[42]?.learningRate ?? 0) > (steps[39]?.learningRate ?? 1));
  });

  test("with weight 0 takes plain steps, to the bit", async () => {
    const store = memoryStore();
    const { exchange } = consolidatingOn(store);
    const [student, other] = [await newStudent(), await newStudent()];
    const options = { ...intervals, ...consolidated(0), distillWeight: () => 0 };
    await run(store, { student, stream: newStream(), exchange, ...options });
    for await (const _ of plain({ student: other, stream: newStream(), numSteps: 60 })) void _;
    assert.equal(exchange.kept().length, 6);
    assert.deepEqual(await student.state(), await other.state());
  });

  test("goes on from its checkpoint before, between and after its steps, to the bit", async () => {
    const whole = await newStudent();
    const store = memoryStore();
    const { exchange } = consolidatingOn(store);
    await run(store, { student: whole, stream: newStream(), exchange, ...intervals, ...consolidated(0.9) });
    for (const at of [15, 33, 52]) {
      const [before, after] = [await newStudent(), await newStudent()];
      const other = memoryStore();
      const stream = newStream();
      const first = consolidatingOn(other).exchange;
      await run(other, { student: before, stream, exchange: first, ...intervals, ...consolidated(0.9) }, at);
      await after.restore(await before.state(), at);
      const { known, kept } = savedTeachers(saveTeachers(first.known(), first.kept()));
      const second = consolidatingOn(other, { kept }, { known, incarnation: 2 }).exchange;
      const rest = newStream(stream.cursor);
      await run(other, { student: after, stream: rest, exchange: second, ...intervals, ...consolidated(0.9) });
      assert.deepEqual(await after.state(), await whole.state(), `from step ${at}`);
    }
  });

  test("is replayed from its trace and its recorded snapshots, to the bit", async () => {
    const [store, files] = [memoryStore(), memoryStore()];
    const trace: TeachersEvent[] = [];
    const { exchange } = consolidatingOn(recordingStore(store, files));
    const watched = traced(exchange, 0, (event) => trace.push(event));
    const [student, again] = [await newStudent(), await newStudent()];
    await run(store, { student, stream: newStream(), exchange: watched, ...intervals, ...consolidated(0.9) });
    assert.equal(trace.at(-1)?.teachers.length, 6);
    const replayed = replayExchange({ trace, recorded: files, model });
    const options = { student: again, stream: newStream(), exchange: replayed, ...intervals, ...consolidated(0.9) };
    for await (const _ of codistill(options)) void _;
    assert.deepEqual(await again.state(), await student.state());
  });
});
