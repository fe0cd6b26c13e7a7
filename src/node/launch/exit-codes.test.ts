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

test("once all is saved, a notice of a batch system is no failure, and a user who leaves is told so by the code", (t) => {
  t.after(() => {
    process.exitCode = undefined;
  });
  for (const [name, code] of [
    ["SIGTERM", 0],
    ["SIGUSR1", 0],
    ["SIGUSR2", 0],
    ["SIGINT", stoppedBy("SIGINT")],
    ["SIGHUP", stoppedBy("SIGHUP")],
  ] as const) {
    const stop = stopOnSignals();
    assert.equal(stop.by(), null);
    process.emit(name, name);
    assert.deepEqual([stop.by(), process.exitCode], [name, stoppedBy(name)], "nothing is saved yet");
    stop.hasSaved();
    assert.equal(process.exitCode, code, name);
    stop.free();
  }
});

test("a second signal of those that end a process ends it at once, with its own code", (t) => {
  t.after(() => {
    process.exitCode = undefined;
  });
  const exits: unknown[] = [];
  t.mock.method(process, "exit", (code: number) => exits.push(code));
  const stop = stopOnSignals();
  process.emit("SIGUSR1", "SIGUSR1");
  process.emit("SIGTERM", "SIGTERM");
  assert.deepEqual(exits, [], "a batch system sends one after the other");
  process.emit("SIGTERM", "SIGTERM");
  process.emit("SIGINT", "SIGINT");
  assert.deepEqual(exits, [stoppedBy("SIGTERM"), stoppedBy("SIGINT")]);
  stop.free();
});
