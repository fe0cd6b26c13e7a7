import assert from "node:assert/strict";
import { test } from "node:test";
import { groupFiles } from "../../src/run/saved-group.js";
import { runTiny } from "../fixtures/group-run.js";
import { storeWith } from "../fixtures/tiny-run.js";

test("a store that never answers a reading stops nobody: all steps are taken, and the log tells", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const store = storeWith((inner) => ({
    get: (name, signal) => (name.endsWith("/latest.json") ? new Promise(() => {}) : inner.get(name, signal)),
  }));
  let ticking: ReturnType<typeof setInterval> | undefined;
  let numCheckpoints = 0;
  const files = storeWith((inner) => ({
    async put(name, bytes, signal) {
      await inner.put(name, bytes, signal);
      // The last of three checkpoints: all steps have been taken, and not one second has gone by for the exchange.
      if (name === groupFiles.checkpoint && ++numCheckpoints === 3) {
        ticking = setInterval(() => t.mock.timers.tick(60_000), 1);
      }
    },
  }));
  t.after(() => clearInterval(ticking));
  const { reason, events } = await runTiny({ changes: { numGroups: 2 }, store, files });
  assert.equal(reason, "finished");
  const names = events.map(({ event }) => event);
  assert.ok(names.lastIndexOf("step") < names.indexOf("exchange-trouble"), names.join(" "));
  const troubles = events.filter((event) => event.event === "exchange-trouble");
  assert.deepEqual(
    troubles.map(({ doing, message }) => [doing, message]),
    [["fetch", "the store has not answered for 60 s; tried again at the next interval"]],
  );
});
