/** Asynchronous SGD in a whole group: its checkpoints, its way back, and what is refused. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ownEvents, runTiny, tinyData } from "../../../test/fixtures/group-run.js";
import { refusalOf, tinyConfig, tinyRows } from "../../../test/fixtures/tiny-run.js";
import { memoryStore } from "../../checkpoint/store.js";
import { checkSameRun } from "../config-diff.js";

const async = { algorithm: { kind: "asyncSgd" } } as const;
const plain = { algorithm: { kind: "plain" } } as const;

test("a group with one worker is one that trains plainly, to the bit, also when it was stopped in between", async () => {
  const alone = await runTiny({ changes: plain });
  const whole = await runTiny({ changes: async });
  assert.equal(whole.reason, "finished");
  assert.deepEqual(whole.checkpoint?.state, alone.checkpoint?.state);
  const first = await runTiny({ changes: async, stopAt: 20 });
  const second = await runTiny({ changes: async, files: first.files });
  assert.deepEqual([first.reason, second.reason], ["stopped", "finished"]);
  assert.deepEqual(second.checkpoint?.state, alone.checkpoint?.state);
});

/** How many gradients had each staleness, as the log says at the end. */
function staleness(events: Awaited<ReturnType<typeof runTiny>>["events"]): readonly number[] {
  return events.flatMap((event) => (event.event === "staleness" ? [event.counts] : [])).at(-1) ?? [];
}

/** What the checkpoint has of the algorithm. */
function saved({ checkpoint }: Awaited<ReturnType<typeof runTiny>>) {
  return checkpoint?.algorithm.info as {
    readonly dealt: { readonly next: number; readonly again: readonly { readonly batch: number }[] };
    readonly inner: { readonly teachers: readonly { readonly group: number }[] };
  };
}

const total = (counts: readonly number[]) => counts.reduce((sum, one) => sum + one, 0);

test("a stopped group goes on with another number of workers: each batch is dealt once, each gradient counted", async () => {
  const changes = { ...async, workers: 3 };
  const first = await runTiny({ changes, stopAt: 20 });
  const { next, again } = saved(first).dealt;
  // Those of 20 steps, and those that the workers have.
  assert.equal(next, 20 + again.length);
  assert.ok(again.length > 0 && again.length <= 3);
  const second = await runTiny({ changes: { ...async, workers: 2 }, files: first.files });
  assert.equal(second.reason, "finished");
  assert.deepEqual([total(staleness(first.events)), total(staleness(second.events))], [20, 60]);
  const { dealt } = saved(second);
  assert.equal(dealt.next, 60 + dealt.again.length);
});

test("codistillation goes on top, and is resumed with its teachers", async () => {
  const store = memoryStore();
  const codistill = { burnInSteps: 10, publishInterval: 5, exchangeInterval: 5 };
  const changes = { algorithm: { kind: "asyncSgd", servers: 2, codistill }, numGroups: 2, workers: 2 } as const;
  const other = await runTiny({ changes, store, groupIndex: 1 });
  assert.equal(other.reason, "finished");
  const first = await runTiny({ changes, store, stopAt: 40, awaitTeacher: true });
  const taught = first.events.flatMap((event) => (event.event === "step" && event.distillLoss !== null ? [event] : []));
  assert.ok(taught.length > 0);
  assert.deepEqual(
    taught.map(({ teachers }) => teachers.map(({ group }) => group)),
    taught.map(() => [1]),
  );
  assert.deepEqual(
    saved(first).inner.teachers.map(({ group }) => group),
    [1],
  );
  const second = await runTiny({ changes, store, files: first.files });
  assert.equal(second.reason, "finished");
  const [step] = second.events.flatMap((event) => (event.event === "step" ? [event] : []));
  assert.equal(step?.teachers[0]?.group, 1, "it has its teacher from the first step on");
});

test("a group whose gradients are not finite skips them, goes back and gives up, as any group", async () => {
  const train = tinyRows(96, 1, 96);
  const { events, reason } = await runTiny({ changes: { ...async, workers: 2 }, data: { ...tinyData(), train } });
  assert.match(String(reason), /losses and gradients must stay finite, and 3 steps in a row were skipped/);
  const own = ownEvents(events);
  assert.equal(own.filter((event) => event.startsWith("restored 0 from 3")).length, 3);
  assert.equal(own.filter((event) => event.startsWith("step-skipped")).length, 12);
  assert.equal(total(staleness(events)), 0);
});

test("the log has what each worker brought", async () => {
  const { events } = await runTiny({ changes: { ...async, workers: 2 } });
  const gradients = events.flatMap((event) => (event.event === "step" && event.gradients ? [event.gradients] : []));
  assert.equal(
    gradients.flatMap(({ workers }) => workers).reduce((sum, one) => sum + one.gradients, 0),
    60,
  );
  for (const { workers, meanStaleness, maxStaleness } of gradients) {
    assert.ok(meanStaleness <= maxStaleness);
    for (const { compute, wait } of workers) assert.ok(compute > 0 && wait > 0);
  }
});

describe("what cannot be is refused with the cure", () => {
  const asyncWith = (options: object) => ({ algorithm: { kind: "asyncSgd", ...options } });
  const adam = { kind: "adam", learningRate: 0.01 };
  for (const [name, changes, expected] of [
    ["no servers", asyncWith({ servers: 0 }), /algorithm\.servers: must be >= 1, got 0/],
    ["a bound below 0", asyncWith({ maxStaleness: -1 }), /algorithm\.maxStaleness: must be >= 0, got -1/],
    ["another rate", asyncWith({ staleLearningRate: "inverze" }), /staleLearningRate.*did you mean "inverse"/],
    ["a name that is none", asyncWith({ server: 2 }), /algorithm\.server: unknown name; did you mean "servers"/],
    [
      "more workers at first than there are",
      { ...asyncWith({ rampUp: { from: 3, steps: "10%" } }), workers: 2 },
      /algorithm\.rampUp\.from: must be at most workers \(2\), got 3/,
    ],
    [
      "a norm that no server has",
      { ...asyncWith({ servers: 2 }), optimizer: { ...adam, clip: { norm: 1 } } },
      /algorithm\.servers: must be 1 with optimizer\.clip\.norm/,
    ],
    [
      "sparse params",
      { ...async, optimizer: { ...adam, sparseParams: ["embeddings.*"] } },
      /optimizer\.sparseParams: must be left out with algorithm "asyncSgd"/,
    ],
    ["a recording", { ...async, record: true }, /record: must be false with algorithm "asyncSgd"/],
    ["another device", { ...async, device: "webgpu" }, /device: must be "cpu" with algorithm "asyncSgd"/],
    [
      "an LSTM",
      {
        ...async,
        data: { kind: "text", source: "books/*.txt" },
        model: { kind: "lstm", hidden: 8 },
        task: undefined,
      },
      /algorithm\.kind: must not be "asyncSgd" with an LSTM/,
    ],
    [
      "codistillation that is wrong",
      { ...asyncWith({ codistill: { burnInSteps: 1000 } }), numGroups: 2 },
      /algorithm\.codistill\.burnInSteps: must be at most numSteps \(60\), got 1000/,
    ],
  ] as const) {
    test(name, () => assert.match(refusalOf(changes), expected));
  }
});

test("a gradient has all rows of globalBatchSize, so any number of workers will do, also another one when it is resumed", () => {
  const config = tinyConfig({ ...async, globalBatchSize: 8, workers: 3 });
  assert.equal(config.workers, 3);
  checkSameRun(config, tinyConfig({ ...async, globalBatchSize: 8, workers: 5 }));
  assert.throws(
    () => checkSameRun(config, tinyConfig({ ...async, globalBatchSize: 8, workers: 3, accumulate: 2 })),
    /accumulate/,
  );
});
