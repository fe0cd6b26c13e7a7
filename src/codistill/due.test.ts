import assert from "node:assert/strict";
import { test } from "node:test";
import { constantSchedule, linearSchedule } from "../optim/schedules.js";
import { dueAt } from "./due.js";

const upTo = (end: number, isDue: (step: number) => boolean) =>
  Array.from({ length: end + 1 }, (_, step) => step).filter(isDue);

test("a number and a constant schedule are due at the same steps, none before the start", () => {
  assert.deepEqual(upTo(60, dueAt(20, 15)), [20, 35, 50]);
  assert.deepEqual(upTo(60, dueAt(20, constantSchedule(15))), [20, 35, 50]);
});

test("an interval that grows from 10 to 40 over 60 steps, asked for in order and out of order", () => {
  // 10 at 0, 15 at 10, 23 (22.5) at 25, 34 at 48, then 40 for ever.
  const expected = [100, 110, 125, 148, 182, 222, 262];
  const growing = () => dueAt(100, linearSchedule(10, 40, 60));
  assert.deepEqual(upTo(270, growing()), expected);
  const isDue = growing();
  assert.ok(isDue(262));
  assert.deepEqual(upTo(270, isDue), expected);
});

test("an interval below one step counts as one", () => {
  assert.deepEqual(upTo(3, dueAt(0, constantSchedule(0.2))), [0, 1, 2, 3]);
});
