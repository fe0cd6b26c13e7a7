import assert from "node:assert/strict";
import { test } from "node:test";
import { firstAt, lowest, lowestBy, stepsToTarget } from "./curves.js";

const curve = [
  { step: 10, loss: 5 },
  { step: 20, loss: 3 },
  { step: 40, loss: 3.5 },
  { step: 60, loss: 1.5 },
];

test("a target is reached on the line between two validations", () => {
  assert.equal(stepsToTarget(curve, 4), 15);
  assert.equal(stepsToTarget(curve, 3), 20);
  // The first time, although the loss is above the target again later on.
  assert.equal(stepsToTarget(curve, 3.2), 19);
  assert.equal(stepsToTarget(curve, 2), 55);
  assert.equal(stepsToTarget(curve, 6), 10);
  assert.equal(stepsToTarget(curve, 1), null);
  assert.equal(stepsToTarget([], 1), null);
});

test("a validation that is no number does not bend the line", () => {
  const broken = [
    { step: 10, loss: Number.NaN },
    { step: 20, loss: 2 },
  ];
  assert.equal(stepsToTarget(broken, 3), 20);
  assert.equal(lowest(broken), 2);
});

test("the validated step and the lowest loss", () => {
  assert.deepEqual([firstAt(curve, 4), firstAt(curve, 3), firstAt(curve, 1)], [20, 20, null]);
  assert.deepEqual([lowest(curve), lowestBy(curve, 59), lowestBy(curve, 10), lowestBy(curve, 9)], [1.5, 3, 5, null]);
});
