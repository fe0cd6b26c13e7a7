import assert from "node:assert/strict";
import { test } from "node:test";
import { watchSilence } from "./silence.js";

test("silence is counted by looks, and each sign of life begins anew", (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  let numCalls = 0;
  const watch = watchSilence(20, () => numCalls++);
  t.mock.timers.tick(19_000);
  watch.heard();
  t.mock.timers.tick(19_000);
  assert.equal(numCalls, 0);
  t.mock.timers.tick(1000);
  assert.equal(numCalls, 1);
  t.mock.timers.tick(100_000);
  assert.equal(numCalls, 1, "once");
});

test("a watch that has ended counts nothing", (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const watch = watchSilence(20, () => assert.fail("it has ended"));
  t.mock.timers.tick(19_000);
  watch.end();
  t.mock.timers.tick(19_000);
});
