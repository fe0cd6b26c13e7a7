import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { LoggedEvent, TrainEvent } from "../log/events.js";
import {
  advance,
  type GroupProgress,
  groupLines,
  groupLinesWithWorkers,
  noProgress,
  type RunProgress,
  withoutSaid,
} from "./progress.js";

const logged = (event: TrainEvent): LoggedEvent => ({ time: "2001-01-01T00:00:00.000Z", ...event });
const after = (...events: readonly TrainEvent[]) => events.map(logged).reduce(advance, noProgress);

const runStart: TrainEvent = {
  event: "run-start",
  name: "flights",
  folder: "runs/flights",
  numGroups: 2,
  numSteps: 3660,
  burnInSteps: 1830,
  ships: "group 0",
};
const groupStart = (group: number, step = 0): TrainEvent => ({
  event: "group-start",
  group,
  pid: 1,
  incarnation: step > 0 ? 2 : 1,
  step,
  numSteps: 3660,
  trainRows: 1000,
  numParams: 10,
  threads: 1,
});
const stepEvent = (group: number, step: number, changes: object = {}): TrainEvent => ({
  event: "step",
  group,
  step,
  labelLoss: 0.5,
  distillLoss: null,
  divergence: null,
  teacherDistance: null,
  distillWeight: 0,
  gradNorm: 1,
  learningRate: 0.1,
  stepsPerSecond: 100,
  teachers: [],
  ...changes,
});
const validation = (group: number, step: number, loss: number, best: boolean): TrainEvent => ({
  event: "validation",
  group,
  step,
  loss,
  auc: 0.7,
  best,
});
const groupEnd = (group: number, reason: "finished" | "stopped" | "failed", message?: string): TrainEvent => ({
  event: "group-end",
  group,
  step: 3660,
  reason,
  seconds: 36.6,
  ...(message !== undefined && { message }),
});
const taught = { distillLoss: 0.6, distillWeight: 1, teachers: [{ group: 1, step: 1800, age: 42 }] };

/** A run as it goes. */
const story: readonly TrainEvent[] = [
  runStart,
  { event: "stage", stage: "reading the data" },
  {
    event: "data-ready",
    rows: { train: 2_000_000, validation: 1000, test: 500 },
    epochs: 7.5,
    cached: false,
    seconds: 4.25,
  },
  groupStart(1),
  groupStart(0),
  stepEvent(0, 20),
  stepEvent(1, 20, { stepsPerSecond: 50 }),
  validation(0, 366, 0.6, true),
  { event: "exchange-trouble", group: 1, doing: "fetch", from: 0, message: "unreachable" },
  stepEvent(0, 2000, taught),
  validation(0, 732, 0.7, false),
  groupEnd(1, "failed", "the loss must stay finite"),
  stepEvent(0, 3660, taught),
  groupEnd(0, "finished"),
];

/** Freeze a value through and through, so that a change of it throws. */
function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null) for (const part of Object.values(value)) frozen(part);
  return Object.freeze(value);
}

const groupOf = (progress: RunProgress, index: number): GroupProgress => {
  const found = progress.groups.find(({ group }) => group === index);
  assert.ok(found);
  return found;
};

describe("advance", () => {
  test("is a pure function: it changes neither the state nor the event, and gives the same twice", () => {
    let progress = frozen(noProgress);
    for (const event of story.map(logged)) {
      const next = advance(progress, frozen(event));
      assert.deepEqual(advance(progress, event), next);
      progress = frozen(next);
    }
    assert.deepEqual(after(...story), progress);
    assert.deepEqual(noProgress, { notes: [], stage: null, burnInSteps: 0, groups: [] });
  });

  test("keeps the groups in order and what is known of each", () => {
    const progress = after(...story);
    assert.deepEqual(
      progress.groups.map(({ group, state }) => [group, state]),
      [
        [0, "finished"],
        [1, "failed"],
      ],
    );
    const { step, numSteps, labelLoss, distillLoss, teachers, validation } = groupOf(progress, 0);
    assert.deepEqual([step, numSteps, labelLoss, distillLoss], [3660, 3660, 0.5, 0.6]);
    assert.deepEqual(teachers, taught.teachers);
    assert.deepEqual(validation, { loss: 0.7, bestLoss: 0.6, bestStep: 366 });
    assert.equal(groupOf(progress, 1).step, 20);
  });

  test("notes what is worth a line, once, and in order", () => {
    assert.deepEqual(
      after(...story, ...story).notes.map((note) => note.split("\n")[0]),
      [
        "flights: 2 groups, 3,660 steps, burn-in 1,830",
        "data: 2,000,000 training, 1,000 validation, 500 test rows (ingested, 4.3 s); each group reads its part 7.5 times",
        "group 1 could not fetch from group 0 and goes on: unreachable",
        "group 1 failed: the loss must stay finite",
      ],
    );
    assert.match(after(runStart).notes[0] ?? "", /run folder runs\/flights\nships group 0, decided before the run$/);
    assert.match(after({ ...runStart, numGroups: 1 }).notes[0] ?? "", /^flights: 1 group, 3,660 steps\n/);
    assert.deepEqual(after(groupStart(0, 1500)).notes, ["group 0 goes on from step 1,500"]);
    assert.deepEqual(after(groupEnd(3, "failed")).notes, ["group 3 failed: no reason given"]);
    assert.deepEqual(after({ event: "exchange-trouble", group: 0, doing: "publish", message: "full" }).notes, [
      "group 0 could not publish and goes on: full",
    ]);
  });

  test("notes a first step, and warnings by whom they are of", () => {
    const { notes } = after(
      { event: "first-step", group: 1, step: 1, seconds: 2.34 },
      { event: "warning", message: "a file has changed" },
      { event: "warning", group: 1, step: 1200, message: "the loss has risen" },
    );
    assert.deepEqual(notes, [
      "group 1 took its first step 2.3 s after its start, compiling included",
      "warning: a file has changed",
      "warning: group 1 at step 1,200: the loss has risen",
    ]);
  });

  test("says what is going on before the groups have started", () => {
    assert.equal(noProgress.stage, null);
    assert.equal(after(...story.slice(0, 2)).stage, "reading the data");
    assert.equal(after(...story.slice(0, 3)).stage, "starting the groups");
    assert.equal(after(...story.slice(0, 4)).stage, null);
  });

  test("of a group that goes on keeps what it knew, and counts from the step it goes on from", () => {
    const progress = after(groupStart(0), stepEvent(0, 500, taught), groupEnd(0, "stopped"), groupStart(0, 400));
    const { step, state, distillLoss } = groupOf(progress, 0);
    assert.deepEqual([step, state, distillLoss], [400, "training", 0.6]);
  });

  test("smooths the speed", () => {
    const speed = (...speeds: number[]) =>
      groupOf(after(groupStart(0), ...speeds.map((s, i) => stepEvent(0, i, { stepsPerSecond: s }))), 0).stepsPerSecond;
    assert.equal(speed(100), 100);
    assert.ok(Math.abs(speed(100, 200) - 110) < 1e-9);
  });

  test("passes over events of kinds that it does not know", () => {
    const before = after(...story);
    const future = { time: "t", event: "from the future", group: 7, teachers: 5 } as unknown as LoggedEvent;
    assert.deepEqual(advance(before, future), before);
  });

  test("of a group that says something before its start knows it all the same", () => {
    const progress = after(stepEvent(2, 40));
    assert.deepEqual(groupOf(progress, 2).step, 40);
    assert.equal(groupLines(progress, 80).length, 1);
  });
});

describe("groupLines", () => {
  test("fit any width from 20 to 200, at any point of a run, and keep what matters most", () => {
    for (let events = 0; events <= story.length; events++) {
      const progress = after(...story.slice(0, events));
      for (let width = 20; width <= 200; width++) {
        const lines = groupLines(progress, width);
        assert.equal(lines.length, progress.groups.length);
        for (const [i, line] of lines.entries()) {
          assert.ok(line.length <= width, `${line.length} of ${width}: ${line}`);
          assert.match(line, new RegExp(`^group ${progress.groups[i]?.group} +[█░]+`));
          assert.doesNotMatch(line, /\n|undefined|null|NaN/);
        }
      }
    }
  });

  test("show steps, time left, the losses apart, the speed and the age of the teacher", () => {
    const [line = ""] = groupLines(after(runStart, groupStart(0), stepEvent(0, 2000, taught)), 200);
    assert.deepEqual(line.trimEnd().split(/ {2,}/), [
      "group 0",
      `${"█".repeat(11)}${"░".repeat(9)}`,
      "2,000/3,660",
      "ETA 0:17",
      "label 0.5000",
      "distill 0.6000",
      "100 steps/s",
      "teacher age 42",
    ]);
    const narrow = groupLines(after(runStart, groupStart(0), stepEvent(0, 2000, taught)), 90)[0] ?? "";
    assert.equal(narrow, "group 0 ████░░░░ 2,000/3,660 ETA 0:17 label 0.5000 distill 0.6000 100/s age 42");
  });

  test("show the oldest of several teachers, that there is none, and burn-in", () => {
    const ages = [3, 42, 7].map((age, i) => ({ group: i + 1, step: 1900, age }));
    const shown = (step: number, changes: object) =>
      groupLines(after(runStart, groupStart(0), stepEvent(0, step, changes)), 150)[0];
    assert.match(shown(2000, { ...taught, teachers: ages }) ?? "", /teacher age 42/);
    assert.match(shown(2000, {}) ?? "", /distill - .*no teacher/);
    assert.match(shown(1830, {}) ?? "", /burn-in/);
  });

  test("say nothing of teachers where a group is alone", () => {
    const alone = { ...runStart, numGroups: 1 };
    for (const step of [1830, 2000])
      assert.deepEqual(
        groupLines(after(alone, groupStart(0), stepEvent(0, step)), 200)[0]
          ?.trimEnd()
          .split(/ {2,}/)
          .slice(4),
        ["label 0.5000", "100 steps/s"],
      );
  });

  test("show how late gradients are, and who is slow, also in 80 columns", () => {
    const worker = (worker: number, compute: number) => ({
      worker,
      gradients: 9,
      meanStaleness: 1,
      compute,
      wait: 0.1,
    });
    const gradients = { meanStaleness: 1.04, maxStaleness: 7, workers: [worker(1, 1), worker(2, 1.1)] };
    const shown = (width: number, changes: object) =>
      groupLines(after(runStart, groupStart(0), stepEvent(0, 2000, { ...taught, gradients, ...changes })), width)[0] ??
      "";
    assert.equal(shown(80, {}), "group 0 ████░░░░ 2,000/3,660 ETA 0:17 label 0.5000 distill 0.6000 100/s late 1.0");
    assert.match(shown(160, {}), /steps\/s {2}2 workers, stale by 1\.0, at most 7 {2}teacher age 42/);
    const slow = stepEvent(0, 2000, { gradients: { ...gradients, workers: [worker(1, 1), worker(2, 1.5)] } });
    const [[, below] = []] = groupLinesWithWorkers(after(runStart, groupStart(0), slow), 79);
    assert.equal(below, "  ms of workers, compute+wait: 1 1,000+100, 2 1,500+100 slow");
  });

  test("show the last validation and the best one", () => {
    const [line = ""] = groupLines(
      after(groupStart(0), stepEvent(0, 20), validation(0, 366, 0.6, true), validation(0, 732, 0.7, false)),
      200,
    );
    assert.match(line, /validation 0\.7000 \(best 0\.6000 at 366\)$/);
  });

  test("have the workers of a group that trains below it", () => {
    const workers = [1, 2].map((i) => ({ compute: i / 1000, reduce: 0.001 }));
    const steps = [groupStart(0), stepEvent(0, 20, { workers }), groupStart(1), stepEvent(1, 20)];
    const shown = (...more: readonly TrainEvent[]) => groupLinesWithWorkers(after(...steps, ...more), 79);
    const first = (lines: string[][]) => lines.map(([line = ""]) => line.slice(0, 7));
    assert.deepEqual(first(shown()), ["group 0", "group 1"]);
    const [of0, of1] = shown();
    assert.deepEqual(of0?.slice(1), ["  ms of workers, compute+sums: 0 1.0+1.0, 1 2.0+1.0 slow; 33.3 % in sums"]);
    assert.equal(of1?.length, 1);
    assert.equal(shown(groupEnd(0, "finished"))[0]?.length, 1);
  });

  test("show no time left before a speed is known, nor after the end", () => {
    assert.match(groupLines(after(groupStart(0)), 80)[0] ?? "", /^group 0 ░{8} +0\/3,660 ETA -:--/);
    for (const reason of ["finished", "stopped", "failed"] as const) {
      const [line = ""] = groupLines(after(groupStart(0), stepEvent(0, 20), groupEnd(0, reason)), 120);
      assert.ok(line.includes(reason) && !line.includes("ETA"), line);
    }
  });
});

test("notes on the data that were said before are not said again", () => {
  const ready = logged({
    event: "data-ready",
    rows: { train: 8, validation: 1, test: 1, malformed: 2 },
    cached: false,
    seconds: 1,
    epochs: 3,
    notes: ["km: read as text", "zone: new"],
  } as TrainEvent);
  const said = new Set(["km: read as text"]);
  const shown = (event: LoggedEvent) => advance(noProgress, withoutSaid(event, said)).notes.join("\n");
  const first = shown(ready);
  assert.doesNotMatch(first, /km/);
  assert.match(first, /2 lines of the source are no rows and are left out\ndata: zone: new$/);
  assert.doesNotMatch(shown(ready), /zone|left out/, "as in the next fold of a cross-validation");
});
