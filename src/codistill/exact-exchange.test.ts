import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { filledWith, model, paramsOf } from "../../test/fixtures/exchange-fixture.js";
import { claimIncarnation, watchStarts } from "../checkpoint/claims.js";
import { atStepFolder, snapshotsFolder } from "../checkpoint/layout.js";
import { memoryStore, type Store } from "../checkpoint/store.js";
import { TrainingError } from "../errors.js";
import type { ExchangeEvent } from "../log/events.js";
import { type ExactExchangeOptions, exactExchange } from "./exact-exchange.js";

async function exactOn(store: Store, group: number, changes: Partial<ExactExchangeOptions> = {}) {
  const events: ExchangeEvent[] = [];
  const incarnation = await claimIncarnation(store, group);
  const exchange = exactExchange({
    ...{ store, group, teachers: [1 - group], model, incarnation, burnInSteps: 20, interval: 5, staleness: 10 },
    ...{ starts: watchStarts(store, group, incarnation, { isClaimed: true, tell: () => {} }), checkpointInterval: 10 },
    onEvent: (event) => events.push(event),
    ...changes,
  });
  return { exchange, events };
}

/** Take steps as the loop does: ask for teachers from the burn-in on, then publish the step's number as the params. */
async function steps(
  { exchange }: Awaited<ReturnType<typeof exactOn>>,
  { from = 0, to, burnIn = 20, every = 5 }: { from?: number; to: number; burnIn?: number; every?: number },
): Promise<(readonly [step: number, taught: number | null])[]> {
  const seen: [number, number | null][] = [];
  for (let step = from; step < to; step++) {
    const [teacher] = step < burnIn ? [] : await exchange.teachers(step);
    if (step >= burnIn) seen.push([step, teacher?.step ?? null]);
    if (teacher) assert.equal(filledWith(teacher.params), teacher.step, "params of another step");
    if ((step + 1) % every === 0) exchange.publish(step + 1, paramsOf(step + 1));
  }
  await exchange.idle();
  return seen;
}

describe("teachers of an exact age", () => {
  test("are those of so many steps before, whoever is ahead", async () => {
    for (const staleness of [0, 5, 10, 30]) {
      const store = memoryStore();
      const [one, other] = [await exactOn(store, 0, { staleness }), await exactOn(store, 1, { staleness })];
      const [seen] = await Promise.all([steps(one, { to: 60 }), steps(other, { to: 60 })]);
      const expected = Array.from({ length: 40 }, (_, i) => {
        const wanted = 20 + Math.floor(i / 5) * 5 - staleness;
        return [20 + i, wanted < 1 ? null : wanted];
      });
      assert.deepEqual(seen, expected, `staleness ${staleness}`);
    }
  });

  test("are waited for, until a signal ends that or patience does", async () => {
    const store = memoryStore();
    const { exchange } = await exactOn(store, 0);
    const stop = new AbortController();
    const waiting = exchange.teachers(25, stop.signal);
    stop.abort(new Error("stopped"));
    await assert.rejects(waiting, /stopped/);
    const hasty = await exactOn(store, 0, { patienceSeconds: 0 });
    await assert.rejects(
      async () => hasty.exchange.teachers(25),
      (error) => error instanceof TrainingError && /waits for the params of group 1 after step 15/.test(error.message),
    );
  });

  test("are there again for a group that goes back to its checkpoint, and old ones are removed", async () => {
    const store = memoryStore();
    const [one, other] = [await exactOn(store, 0), await exactOn(store, 1)];
    const [whole] = await Promise.all([steps(one, { to: 200 }), steps(other, { to: 200 })]);
    for (const group of [0, 1]) {
      const kept = await store.list(atStepFolder(group));
      assert.ok(kept.length < 20, `${kept.length} of 40 snapshots are kept`);
      assert.equal((await store.list(snapshotsFolder(group))).length, kept.length);
    }
    const again = await steps(await exactOn(store, 0), { from: 190, to: 200 });
    assert.deepEqual(again, whole.slice(-10));
    const known = one.exchange.known();
    const resumed = await exactOn(memoryStore(), 0, { known });
    assert.deepEqual(
      (await resumed.exchange.teachers(197)).map(({ step }) => step),
      [185],
      "what a checkpoint has needs no store",
    );
  });

  test("a snapshot that cannot be written is an error of the group, not a wait without end", async () => {
    const store = memoryStore();
    const broken = { ...store, put: () => Promise.reject(new Error("the disk is full")) };
    const failing = await exactOn(broken, 0);
    failing.exchange.publish(5, paramsOf(5));
    await failing.exchange.idle();
    await assert.rejects(async () => failing.exchange.teachers(25), /the disk is full/);
    assert.equal(failing.events[0]?.event, "exchange-trouble");
  });
});
