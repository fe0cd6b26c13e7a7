import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Step } from "../train/algorithm.js";
import { stepMeter } from "./meter.js";

const step = (step: number, changes: Partial<Step> = {}): Step => ({
  step,
  labelLoss: step,
  distillLoss: null,
  divergence: null,
  gradNorm: 10 * step,
  learningRate: 0.1 / step,
  distillWeight: 0,
  skipped: null,
  statistics: null,
  teachers: [],
  ...changes,
});

/** A clock in seconds that moves when it is told to. */
function clock(t: TestContext): { seconds: number } {
  const time = { seconds: 100 };
  t.mock.method(performance, "now", () => time.seconds * 1000);
  return time;
}

test("a step event has the means of the losses, and the rest of the last step", (t) => {
  const time = clock(t);
  const meter = stepMeter(3, 0);
  const teachers = [{ group: 1, step: 50, age: 4 }];
  meter.add(step(1));
  meter.add(step(2));
  meter.add(step(6, { distillWeight: 0.5, teachers }));
  time.seconds += 2;
  assert.deepEqual(meter.take(), {
    event: "step",
    group: 3,
    step: 6,
    labelLoss: 3,
    distillLoss: null,
    divergence: null,
    teacherDistance: null,
    distillWeight: 0.5,
    gradNorm: 60,
    learningRate: 0.1 / 6,
    stepsPerSecond: 3,
    teachers,
  });
});

test("of asynchronous SGD it has what each worker brought", (t) => {
  clock(t).seconds += 1;
  const meter = stepMeter(0, 0);
  const brought = (worker: number, staleness: number) => ({ worker, staleness, compute: worker, wait: staleness / 2 });
  meter.add(step(1, { gradient: brought(2, 0) }));
  meter.add(step(2, { gradient: brought(1, 1) }));
  meter.add(step(3, { gradient: brought(2, 5) }));
  assert.deepEqual(meter.take().gradients, {
    meanStaleness: 2,
    maxStaleness: 5,
    workers: [
      { worker: 1, gradients: 1, meanStaleness: 1, compute: 1, wait: 0.5 },
      { worker: 2, gradients: 2, meanStaleness: 2.5, compute: 2, wait: 1.25 },
    ],
  });
});

test("the losses to teachers are means over the steps that had one", (t) => {
  clock(t).seconds += 1;
  const meter = stepMeter(0, 0);
  meter.add(step(1));
  meter.add(step(2, { distillLoss: 0.5, divergence: 0.25 }));
  meter.add(step(3, { distillLoss: 1, divergence: 0.75 }));
  const event = meter.take();
  assert.ok(event.event === "step");
  assert.deepEqual([event.labelLoss, event.distillLoss, event.divergence], [2, 0.75, 0.5]);
});

test("each event counts from the one before, and the first of a resumed run from its first step", (t) => {
  const time = clock(t);
  const meter = stepMeter(0, 500);
  meter.add(step(510));
  time.seconds += 5;
  const first = meter.take();
  meter.add(step(511));
  meter.add(step(512));
  time.seconds += 0.5;
  const second = meter.take();
  assert.ok(first.event === "step" && second.event === "step");
  assert.deepEqual([first.stepsPerSecond, first.labelLoss], [2, 510]);
  assert.deepEqual([second.stepsPerSecond, second.labelLoss], [4, 511.5]);
});

test("there is no event without a step", () => {
  const meter = stepMeter(0, 0);
  assert.throws(() => meter.take(), /internal: no step was added/);
  meter.add(step(1));
  meter.take();
  assert.throws(() => meter.take(), /internal/);
});

test("the distance of the teachers is the mean over them and over the steps that had any", () => {
  const meter = stepMeter(0, 0);
  const statisticsOf = (...distances: number[]) => ({
    teachers: distances.map((distance) => ({ loss: 1, expectedLoss: 1, variance: 1, distance })),
    student: { variance: 1, priorLoss: 1 },
  });
  meter.add(step(1));
  meter.add(step(2, { statistics: statisticsOf(0.25, 0.75) }));
  meter.add(step(3, { statistics: statisticsOf(1) }));
  const event = meter.take();
  assert.ok(event.event === "step");
  assert.equal(event.teacherDistance, 0.75);
});
