import assert from "node:assert/strict";
import { test } from "node:test";
import { runTiny, type TinyOutcome } from "../../test/fixtures/group-run.js";
import { readPointer, readSnapshot } from "../checkpoint/snapshot.js";
import { memoryStore, type Store } from "../checkpoint/store.js";
import { traceOf } from "../codistill/replay.js";
import { CheckpointError } from "../errors.js";

const changes = { numGroups: 1, numSteps: 40, algorithm: { burnInSteps: 10, publishInterval: 10 }, record: true };

/** A group that was trained somewhere and stopped at a step; gives what is left of it: the store. */
async function trainedElsewhere(stopAt: number, algorithm = changes.algorithm): Promise<Store> {
  const store = memoryStore();
  const { reason } = await runTiny({ changes: { ...changes, algorithm }, store, stopAt });
  assert.notEqual(reason instanceof Error, true);
  return store;
}

const beganAt = ({ events }: TinyOutcome) =>
  events.flatMap((event) => (event.event === "began-from-snapshot" ? [event] : []))[0];
const startOf = ({ events }: TinyOutcome) =>
  events.flatMap((event) => (event.event === "group-start" ? [[event.incarnation, event.step]] : []))[0];

test("a group that is started elsewhere begins from its newest snapshot in the store, and takes the steps that are left", async () => {
  const store = await trainedElsewhere(20);
  const pointer = await readPointer(store, 0);
  assert.equal(pointer?.step, 20);
  const second = await runTiny({ changes, store, isJoined: true });
  assert.equal(second.reason, "finished");
  assert.deepEqual(startOf(second), [2, 20]);
  assert.equal(beganAt(second)?.digest, pointer.sha256);
  assert.equal(second.checkpoint?.info.step, 40);

  // What it began with: stopped before its first step it saves the params of the snapshot.
  const stop = new AbortController();
  stop.abort();
  const again = await trainedElsewhere(20);
  const { checkpoint } = await runTiny({ changes, store: again, isJoined: true, stop });
  const model = checkpoint?.info.model ?? "";
  const { params } = await readSnapshot(again, pointer, model);
  for (const [name, array] of Object.entries(params))
    assert.deepEqual(checkpoint?.state[`params.${name}`], array, name);
});

test("a recorded group that began from a snapshot is replayed to the same bits", async () => {
  const store = await trainedElsewhere(20);
  const second = await runTiny({ changes, store, isJoined: true });
  const began = beganAt(second);
  assert.ok(began && second.checkpoint);
  const replay = { trace: traceOf(second.events), recorded: second.files, lastStep: 40, began };
  const repeated = await runTiny({ changes: { ...changes, record: false }, replay });
  assert.deepEqual(repeated.checkpoint?.state, second.checkpoint.state);
});

test("a group that had taken all its steps elsewhere is validated, so that it has something to ship", async () => {
  const store = await trainedElsewhere(40);
  const outcome = await runTiny({ changes, store, isJoined: true });
  assert.deepEqual([outcome.reason, startOf(outcome)], ["finished", [2, 40]]);
  assert.equal(outcome.checkpoint?.info.best?.step, 40);
});

test("without a snapshot it begins at step 0 and says so; a run of its own says nothing", async () => {
  const late = { ...changes.algorithm, burnInSteps: 30 };
  const store = await trainedElsewhere(10, late);
  const joined = await runTiny({ changes: { ...changes, algorithm: late }, store, isJoined: true });
  assert.deepEqual([startOf(joined), beganAt(joined)?.step, beganAt(joined)?.digest], [[2, 0], 0, null]);
  const own = await runTiny({ changes, store: await trainedElsewhere(20) });
  assert.deepEqual([startOf(own), beganAt(own)], [[2, 0], undefined]);
});

test("a snapshot that cannot be begun from is refused with the cure, and nothing is trained", async () => {
  for (const spoil of [
    async (store: Store) => store.remove((await readPointer(store, 0))?.name ?? ""),
    async (store: Store) => store.put("groups/0/latest.json", new TextEncoder().encode("{}")),
  ]) {
    const store = await trainedElsewhere(20);
    await spoil(store);
    const { reason, events } = await runTiny({ changes, store, isJoined: true });
    assert.ok(reason instanceof CheckpointError, String(reason));
    assert.match(reason.message, /must begin from its newest snapshot.*--resume.*remove groups\/0\/latest\.json/s);
    assert.equal(
      events.some(({ event }) => event === "step"),
      false,
    );
  }
});
