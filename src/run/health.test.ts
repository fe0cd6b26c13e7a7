import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { afterRestore, afterSave, afterStep, type Health, healthAt, mustRestore } from "./health.js";

const skip = (health: Health, times = 1) =>
  Array.from({ length: times }).reduce<Health>((h) => afterStep(h, true), health);

test("three skipped steps in a row, and no fewer, call for going back", () => {
  assert.ok(!mustRestore(skip(healthAt(0), 2)));
  assert.ok(mustRestore(skip(healthAt(0), 3)));
  assert.ok(!mustRestore(skip(afterStep(skip(healthAt(0), 2), false), 2)), "a good step in between");
  assert.ok(!mustRestore(afterRestore(skip(healthAt(0), 3)) ?? skip(healthAt(0), 3)), "counted anew");
});

test("a group gives up after three times, unless a checkpoint of a later step was saved meanwhile", () => {
  const goBack = (health: Health | null, times: number) =>
    Array.from({ length: times }).reduce<Health | null>((h) => h && afterRestore(h), health);
  const thrice = goBack(healthAt(100), 3);
  assert.ok(thrice);
  assert.equal(afterRestore(thrice), null);
  assert.equal(afterRestore(afterSave(thrice, 100)), null, "no later step");
  assert.ok(goBack(afterSave(thrice, 101), 3));
  assert.equal(goBack(afterSave(thrice, 101), 4), null);
});

test("whatever happens, a group goes back a bounded number of times", () => {
  const happening = fc.oneof(fc.constant("skip"), fc.constant("good"), fc.constant("trouble"), fc.nat(5));
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 200 }), (happenings) => {
      let health = healthAt(0);
      let restores = 0;
      for (const what of happenings) {
        if (typeof what === "number") health = afterSave(health, what);
        else if (what !== "trouble") health = afterStep(health, what === "skip");
        if (what !== "trouble" && !mustRestore(health)) continue;
        const next = afterRestore(health);
        if (!next) break;
        health = next;
        restores++;
      }
      // At most three for each of the steps 0 to 5 that a checkpoint can be of.
      assert.ok(restores <= 18);
    }),
  );
});
