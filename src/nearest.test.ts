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
