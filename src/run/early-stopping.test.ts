import assert from "node:assert/strict";
import { test } from "node:test";
import { afterValidation, hasWaitedEnough, notWaiting } from "./early-stopping.js";

const after = (losses: readonly number[], minDelta = 0) =>
  losses.reduce((waiting, loss) => afterValidation(waiting, loss, minDelta), notWaiting);

test("the wait counts validations since the last improvement", () => {
  assert.deepEqual(after([0.5]), { loss: 0.5, validations: 0 });
  assert.deepEqual(after([0.5, 0.5, 0.6]), { loss: 0.5, validations: 2 });
  assert.deepEqual(after([0.5, 0.6, 0.4]), { loss: 0.4, validations: 0 });
});

test("small improvements count together, not each alone", () => {
  assert.deepEqual(after([0.5, 0.4375, 0.375], 0.125), { loss: 0.5, validations: 2 });
  assert.deepEqual(after([0.5, 0.4375, 0.25], 0.125), { loss: 0.25, validations: 0 });
});

test("the wait ends at the patience, and never without a rule", () => {
  const rule = { patience: 2, minDelta: 0 };
  assert.ok(!hasWaitedEnough(after([0.5, 0.6]), rule));
  assert.ok(hasWaitedEnough(after([0.5, 0.6, 0.6]), rule));
  assert.ok(!hasWaitedEnough(after([0.5, 0.6, 0.6]), undefined));
});
