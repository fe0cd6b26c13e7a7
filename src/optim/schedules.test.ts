import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { readGolden, resultOf } from "../../test/golden/golden.js";
import { SCHEDULE_STEPS, schedules } from "../../test/golden/optim.js";
import {
  constantSchedule,
  cosineSchedule,
  exponentialSchedule,
  inverseSquareRootSchedule,
  linearSchedule,
  oneCycleSchedule,
  type Schedule,
  stepSchedule,
  withWarmUp,
} from "./schedules.js";

test("a constant schedule never changes", () => {
  const schedule = constantSchedule(0.25);
  assert.deepEqual([0, 1, 1e6].map(schedule), [0.25, 0.25, 0.25]);
});

test("a linear schedule goes from its first value to its last in a straight line and stays there", () => {
  assert.deepEqual([0, 1, 2, 3, 4, 5, 1e6].map(linearSchedule(8, 0, 4)), [8, 6, 4, 2, 0, 0, 0]);
  assert.deepEqual([0, 1, 2, 3].map(linearSchedule(0, 1, 2)), [0, 0.5, 1, 1]);
  assert.deepEqual([0, 7].map(linearSchedule(3, 3, 5)), [3, 3]);
});

describe("PyTorch's schedules give the same learning rates", () => {
  const golden = readGolden<readonly { readonly learningRate: readonly number[] }[]>("optim");
  for (const [name, schedule] of Object.entries(schedules)) {
    test(name, () => {
      const expected = resultOf(golden, name)[0]?.learningRate ?? [];
      assert.equal(expected.length, SCHEDULE_STEPS);
      for (const [step, rate] of expected.entries()) {
        const got = schedule(step);
        assert.ok(Math.abs(got - rate) < 1e-11, `step ${step}: ${got}, PyTorch has ${rate}`);
      }
    });
  }
});

test("what ends stays at its end", () => {
  const ends: readonly (readonly [Schedule, end: number, numSteps: number])[] = [
    [linearSchedule(1, 0.2, 10), 0.2, 10],
    [cosineSchedule(1, 0.3, 10), 0.3, 10],
    [stepSchedule(1, [4, 10], 0.5), 0.25, 10],
    [oneCycleSchedule({ peak: 2, numSteps: 11, peakAt: 4, to: 0.5 }), 0.5, 10],
    [withWarmUp(cosineSchedule(1, 0.3, 6), 4), 0.3, 10],
  ];
  for (const [schedule, end, numSteps] of ends) {
    assert.notEqual(schedule(numSteps - 1), end);
    for (const step of [numSteps, numSteps + 1, 1e9]) assert.equal(schedule(step), end);
  }
});

test("a cosine stays between its ends, falls all the way, and is half way down in the middle", () => {
  const schedule = cosineSchedule(3, 1, 50);
  assert.equal(schedule(0), 3);
  assert.ok(Math.abs(schedule(25) - 2) < 1e-12);
  for (let step = 1; step <= 50; step++) assert.ok(schedule(step) < schedule(step - 1));
});

test("an exponential schedule is multiplied by its factor in every so many steps", () => {
  const schedule = exponentialSchedule(8, 0.5, 10);
  assert.deepEqual([0, 10, 20, 30].map(schedule), [8, 4, 2, 1]);
  assert.ok(Math.abs(schedule(5) - 8 * Math.SQRT1_2) < 1e-12);
});

test("the inverse square root holds its value, and then falls as 1 / sqrt(t); rho of Adafactor is one of them", () => {
  const schedule = inverseSquareRootSchedule(6, 4);
  assert.deepEqual([0, 3, 15, 35].map(schedule), [6, 6, 3, 2]);
  const rho = inverseSquareRootSchedule(1e-2, 1e4);
  for (const t of [1, 100, 1e4, 10_001, 1e6]) {
    assert.ok(Math.abs(rho(t - 1) - Math.min(1e-2, 1 / Math.sqrt(t))) < 1e-15, `t = ${t}`);
  }
});

test("the one cycle begins at a 25th of its peak and ends at a ten-thousandth of that", () => {
  const schedule = oneCycleSchedule({ peak: 5, numSteps: 100, peakAt: 30 });
  assert.ok(Math.abs(schedule(0) - 0.2) < 1e-15);
  assert.equal(schedule(30), 5);
  assert.ok(Math.abs(schedule(99) - 2e-5) < 1e-15);
  const values = Array.from({ length: 100 }, (_, step) => schedule(step));
  assert.equal(Math.max(...values), 5);
});

test("a warm-up rises to where any schedule begins, and delays it", () => {
  const anySchedule = fc.constantFrom(
    constantSchedule(2),
    linearSchedule(2, 0, 30),
    cosineSchedule(2, 0.1, 30),
    stepSchedule(2, [5], 0.1),
    exponentialSchedule(2, 0.5, 3),
    inverseSquareRootSchedule(2, 5),
  );
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(anySchedule, fc.integer({ min: 0, max: 20 }), share, (schedule, numSteps, from) => {
      const warmed = withWarmUp(schedule, numSteps, from);
      for (let step = 0; step < 40; step++) {
        if (step >= numSteps) assert.equal(warmed(step), schedule(step - numSteps));
        else assert.ok(Math.abs(warmed(step) - 2 * (from + ((1 - from) * step) / numSteps)) < 1e-12);
      }
    }),
  );
});
