import assert from "node:assert/strict";
import { test } from "node:test";
import { constantSchedule, linearSchedule } from "./schedules.js";

test("a constant schedule never changes", () => {
  const schedule = constantSchedule(0.25);
  assert.deepEqual([0, 1, 1e6].map(schedule), [0.25, 0.25, 0.25]);
});

test("a linear schedule goes from its first value to its last in a straight line and stays there", () => {
  assert.deepEqual([0, 1, 2, 3, 4, 5, 1e6].map(linearSchedule(8, 0, 4)), [8, 6, 4, 2, 0, 0, 0]);
  assert.deepEqual([0, 1, 2, 3].map(linearSchedule(0, 1, 2)), [0, 0.5, 1, 1]);
  assert.deepEqual([0, 7].map(linearSchedule(3, 3, 5)), [3, 3]);
});
