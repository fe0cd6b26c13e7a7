import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { ConfigError } from "../../errors.js";
import { trainingSeconds } from "../../infer/plan.js";
import { elapsedSeconds, readWithin } from "./time-budget.js";

const refusal = (error: unknown) =>
  error instanceof ConfigError && /^--time-budget: 0:\d\d cannot be kept: .* Give more time/.test(error.message);

/** A budget that can be kept if reading the data takes no more than a moment from now on. */
function shortest(): number {
  for (let budget = 1; ; budget += 0.5) {
    try {
      trainingSeconds(budget, elapsedSeconds() + 0.2);
      return budget;
    } catch {}
  }
}

test("a budget that cannot be kept is refused before anything is read", async () => {
  const read = () => assert.fail("the data was read");
  await assert.rejects(readWithin(1, new AbortController().signal, read), refusal);
});

test("or while the data is read, which stops", async () => {
  let stopped: unknown = null;
  const read = async (signal: AbortSignal) => {
    await once(signal, "abort");
    stopped = signal.reason;
    throw new Error("interrupted");
  };
  await assert.rejects(readWithin(shortest(), new AbortController().signal, read), refusal);
  assert.ok(stopped instanceof ConfigError);
});

test("reading that is stopped otherwise, fails or ends in time does so", async () => {
  const stop = new AbortController();
  const stopping = async (signal: AbortSignal) => {
    stop.abort(new Error("Ctrl-C"));
    signal.throwIfAborted();
  };
  await assert.rejects(readWithin(3600, stop.signal, stopping), /Ctrl-C/);
  const { signal } = new AbortController();
  await assert.rejects(
    readWithin(3600, signal, () => Promise.reject(new Error("no file"))),
    /no file/,
  );
  assert.equal(await readWithin(3600, signal, async () => 7), 7);
  assert.equal(await readWithin(undefined, signal, async (own) => own === signal), true);
});
