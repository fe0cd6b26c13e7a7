import assert from "node:assert/strict";
import { test } from "node:test";
import { stepsToReach } from "./steps-to-reach.js";
import type { TrialOutcome } from "./trial.js";

const outcome = (seed: number, ...groups: readonly (readonly number[])[]) => ({
  seed,
  groups: groups.map((losses) => ({
    validation: losses.map((loss, i) => ({ step: 10 * (i + 1), loss })),
  })) as unknown as TrialOutcome["groups"],
});

test("the first step that is as good as the target of its seed ever is, by the mean of the groups", () => {
  const targets = [outcome(2, [3, 2, 2.5], [3, 4, 2.5]), outcome(1, [5, 4, 4.5])];
  const outcomes = [outcome(1, [6, 4.5, 4]), outcome(2, [2, 2, 2], [4, 3, 2]), outcome(1, [9, 8, 7]), outcome(3, [0])];
  assert.deepEqual(stepsToReach(outcomes, targets), [30, 20, null, null]);
  assert.deepEqual(stepsToReach(targets, targets), [30, 20]);
});
