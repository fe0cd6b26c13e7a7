import assert from "node:assert/strict";
import { test } from "node:test";
import { withinSeconds } from "./time-limit.js";

const tooLong = () => new Error("too long");

test("work has its result and its errors, and is stopped in the middle of a pattern that tries for ever", () => {
  assert.equal(
    withinSeconds(60, () => 2 + 3, tooLong),
    5,
  );
  assert.equal(
    withinSeconds(60.0041, () => "of any number of seconds", tooLong),
    "of any number of seconds",
  );
  assert.throws(() => withinSeconds(60, () => assert.fail("its own"), tooLong), /its own/);
  const endless = () => /^(a+)+$/u.test(`${"a".repeat(60)}b`);
  assert.throws(() => withinSeconds(0.05, endless, tooLong), /too long/);
  assert.equal(
    withinSeconds(60, () => "after", tooLong),
    "after",
  );
});
