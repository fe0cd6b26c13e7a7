import assert from "node:assert/strict";
import { test } from "node:test";
import { nearest } from "./nearest.js";

test("the nearest name is one that a slip can have made, and of one letter none but itself in another case", () => {
  assert.equal(nearest("ctiy", ["date", "city"]), "city");
  assert.equal(nearest("learningrate", ["learningRate", "schedule"]), "learningRate");
  assert.equal(nearest("zone", ["price", "started"]), undefined);
  assert.equal(nearest("c", ["a", "b"]), undefined);
  assert.equal(nearest("c", ["a", "C"]), "C");
  assert.equal(nearest("c", ["cc"]), "cc");
  assert.equal(nearest("x".repeat(101), ["x".repeat(100)]), undefined);
});

test("where nothing is close, it is the only name with the same words side by side", () => {
  const known = ["numSteps", "numGroups", "globalBatchSize", "logInterval", "checkpointInterval"];
  for (const [name, meant] of [
    ["steps", "numSteps"],
    ["group", "numGroups"],
    ["batch_size", "globalBatchSize"],
    ["BatchSize", "globalBatchSize"],
    ["total numSteps of all", "numSteps"],
    // Both have it.
    ["interval", undefined],
    // Not a word of it, or none that tells it.
    ["teps", undefined],
    ["num", undefined],
    ["size batch", undefined],
  ] as const) {
    assert.equal(nearest(name, known), meant, name);
  }
  assert.equal(nearest("delay", ["arr_delay", "origin"]), "arr_delay");
  assert.equal(nearest("delay", ["arr_delay", "dep_delay"]), undefined);
});
