import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { tinyConfig } from "../../test/fixtures/tiny-run.js";
import { ConfigError } from "../errors.js";
import { checkSameRun, differences } from "./config-diff.js";

test("equal records do not differ, and a name without a value is no name", () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => assert.deepEqual(differences(value, structuredClone(value)), [])));
  assert.deepEqual(differences({ a: 1, b: undefined }, { a: 1 }), []);
});

test("nested values, added and removed names are told by path", () => {
  const before = { a: { b: { c: 1, d: "x" }, gone: true }, e: null };
  const now = { a: { b: { c: 2, d: "x" } }, e: { f: 0 }, toString: "new" };
  assert.deepEqual(differences(before, now), [
    { path: "a.b.c", before: 1, now: 2 },
    { path: "a.gone", before: true, now: undefined },
    { path: "e", before: null, now: { f: 0 } },
    { path: "toString", before: undefined, now: "new" },
  ]);
});

test("a list is one value, in its order", () => {
  assert.deepEqual(differences({ hidden: [8, 4] }, { hidden: [8, 4] }), []);
  for (const now of [[8], [4, 8], [8, 4, 2], { 0: 8, 1: 4 }])
    assert.deepEqual(differences({ hidden: [8, 4] }, { hidden: now }), [{ path: "hidden", before: [8, 4], now }]);
});

test("the order of names is a difference, because features are in the order in which they are named", () => {
  const one = { data: { categorical: { a: "x", b: "y" } } };
  const other = { data: { categorical: { b: "y", a: "x" } } };
  assert.deepEqual(differences(one, other), [
    { path: "data.categorical (order)", before: ["a", "b"], now: ["b", "a"] },
  ]);
});

test("a run goes on with its configuration, whatever its restarts, threads and log interval", () => {
  const saved = tinyConfig();
  checkSameRun(saved, tinyConfig({ restarts: 9, threads: 3, logInterval: 7 }));
  checkSameRun(tinyConfig({ threads: 3 }), saved);
  const other = tinyConfig({ numSteps: saved.numSteps + 1, model: { ...saved.model, hidden: [5] }, restarts: 9 });
  assert.throws(
    () => checkSameRun(saved, other),
    (error) => {
      assert.ok(error instanceof ConfigError);
      const [, ...lines] = error.message.split("\n");
      assert.deepEqual(lines, [
        `  model.hidden: the run has ${JSON.stringify(saved.model.hidden)}, this configuration has [5]`,
        `  numSteps: the run has ${saved.numSteps}, this configuration has ${saved.numSteps + 1}`,
        "Leave the configuration and --set out to go on with the run's, or leave --resume out to start a new run.",
      ]);
      return true;
    },
  );
});
