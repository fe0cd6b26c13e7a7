import assert from "node:assert/strict";
import { test } from "node:test";
import { stopOnSignals, stoppedBy } from "./exit-codes.js";

test("signals stop and say the exit code, and do what they do by themselves once that is over", (t) => {
  t.after(() => {
    process.exitCode = undefined;
  });
  const names = ["SIGHUP", "SIGINT", "SIGTERM", "SIGUSR1", "SIGUSR2"] as const;
  const listeners = () => names.map((name) => process.listenerCount(name));
  const before = listeners();
  const { signal, free } = stopOnSignals();
  assert.deepEqual(
    listeners(),
    before.map((count) => count + 1),
  );
  // Of batch systems: none of them ends the process at once, however many come.
  process.emit("SIGUSR2", "SIGUSR2");
  process.emit("SIGUSR1", "SIGUSR1");
  assert.equal(signal.aborted, true);
  assert.equal(process.exitCode, stoppedBy("SIGUSR1"));
  free();
  assert.deepEqual(listeners(), before);
});
