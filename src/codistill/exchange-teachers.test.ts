/** Which of the snapshots that have arrived teach, and for how long. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { exchangeOn, modelDigest, paramsOf, publishAs } from "../../test/fixtures/exchange-fixture.js";
import { gate, storeWith } from "../../test/fixtures/tiny-run.js";
import { type CheckpointInfo, readCheckpoint, sectionOf, writeCheckpoint } from "../checkpoint/checkpoint.js";
import { memoryStore } from "../checkpoint/store.js";
import { CheckpointError } from "../errors.js";
import { float32, type NamedArrays } from "../runtime/array.js";
import type { SeenTeacher } from "./exchange.js";
import { savedTeachers, saveTeachers } from "./saved-teachers.js";

const info: CheckpointInfo = { group: 0, step: 100, incarnation: 1, model: modelDigest };
const stepsOf = (teachers: readonly SeenTeacher[]) => teachers.map(({ group, step }) => `${group}@${step}`);

describe("teachers", () => {
  test("count once their own step is past burn-in", async () => {
    const store = memoryStore();
    const { refreshed } = exchangeOn(store, { burnInSteps: 20 });
    await publishAs(store, 1, 19);
    assert.deepEqual(await refreshed(30), []);
    await publishAs(store, 1, 20);
    assert.deepEqual(stepsOf(await refreshed(31)), ["1@20"]);
  });

  test("count for maxStaleness steps from when they were first seen, whatever their own step", async () => {
    const store = memoryStore();
    const { exchange, refreshed } = exchangeOn(store, { maxStaleness: 5 });
    await publishAs(store, 1, 1_000_000);
    assert.equal((await refreshed(10))[0]?.seenAtStep, 10);
    assert.equal((await refreshed(14))[0]?.seenAtStep, 10);
    assert.equal(exchange.teachers(15).length, 1);
    assert.equal(exchange.teachers(16).length, 0);
    assert.deepEqual(stepsOf(exchange.known()), ["1@1000000"], "it is still known");
    assert.deepEqual(await refreshed(17), [], "seeing the same snapshot again does not make it fresh");
    await publishAs(store, 1, 3);
    assert.deepEqual(stepsOf(await refreshed(18)), ["1@3"]);
    assert.equal(exchange.teachers(23).length, 1);
    assert.equal(exchange.teachers(24).length, 0);
  });

  test("what arrives late counts as seen at the latest step that was asked for", async () => {
    const { opened, open } = gate();
    const inner = memoryStore();
    await publishAs(inner, 1, 10);
    const store = storeWith(
      () => ({
        async get(name, signal) {
          await opened;
          return inner.get(name, signal);
        },
      }),
      inner,
    );
    const { exchange } = exchangeOn(store);
    exchange.refresh(10);
    assert.deepEqual(exchange.teachers(13), []);
    open();
    await exchange.idle();
    assert.equal(exchange.teachers(14)[0]?.seenAtStep, 13);
  });

  test("come in group order, whichever arrived first", async () => {
    const store = memoryStore();
    const { refreshed } = exchangeOn(store, { group: 2, teachers: [0, 1, 3] });
    await publishAs(store, 3, 30);
    assert.deepEqual(stepsOf(await refreshed(1)), ["3@30"]);
    await publishAs(store, 0, 5);
    assert.deepEqual(stepsOf(await refreshed(2)), ["0@5", "3@30"]);
    await publishAs(store, 1, 10);
    await publishAs(store, 2, 99);
    assert.deepEqual(stepsOf(await refreshed(3)), ["0@5", "1@10", "3@30"]);
  });

  test("that were handed out are not changed by what arrives later", async () => {
    const store = memoryStore();
    const { exchange, refreshed } = exchangeOn(store);
    await publishAs(store, 1, 10);
    const first = await refreshed(1);
    const kept = structuredClone(first);
    await publishAs(store, 1, 20);
    assert.deepEqual(stepsOf(await refreshed(2)), ["1@20"]);
    assert.deepEqual(first, kept);
    // And spoiling what was handed out does not reach the store.
    (Object.values(first[0]?.params ?? {})[0]?.data as Float32Array)[0] = 99;
    assert.deepEqual(exchange.teachers(2)[0]?.params, paramsOf(20));
  });

  test("to begin with are those of a resumed run: kept as they are, and not fetched again", async () => {
    const store = memoryStore();
    const { sha256: digest } = await publishAs(store, 1, 10);
    const params: NamedArrays = paramsOf(10);
    const known: SeenTeacher[] = [{ group: 1, step: 10, digest, params, seenAtStep: 100 }];
    const { exchange, refreshed, events } = exchangeOn(store, { known, maxStaleness: 50 });
    assert.deepEqual(exchange.teachers(120), known);
    assert.equal((await refreshed(150))[0]?.seenAtStep, 100);
    assert.deepEqual(await refreshed(151), []);
    assert.deepEqual(events, []);
    await publishAs(store, 1, 20);
    assert.deepEqual(stepsOf(await refreshed(152)), ["1@20"]);
    assert.deepEqual(stepsOf(known), ["1@10"], "the caller's list is not changed");
  });

  test("to begin with are copied out of the checkpoint, which may be forgotten", async () => {
    const store = memoryStore();
    const params = paramsOf(10);
    const known: SeenTeacher[] = [{ group: 1, step: 10, digest: "d", params, seenAtStep: 100 }];
    await writeCheckpoint(store, "checkpoint", { info, sections: { algorithm: saveTeachers(known) } });
    const checkpoint = await readCheckpoint(store, "checkpoint");
    assert.ok(checkpoint);
    const { exchange } = exchangeOn(store, { known: savedTeachers(sectionOf(checkpoint, "algorithm")).known });
    assert.deepEqual(exchange.known(), known);
    for (const [name, array] of Object.entries(exchange.known()[0]?.params ?? {})) {
      const { buffer, byteLength } = array.data;
      assert.equal(buffer.byteLength, byteLength, `${name} keeps memory that is not its own`);
    }
  });

  test("to begin with are of this model, or the resumed run is refused", () => {
    const of = (params: NamedArrays) => ({ known: [{ group: 1, step: 1, digest: "d", params, seenAtStep: 1 }] });
    const refused = (error: unknown) => error instanceof CheckpointError && /layers\.0\.bias/.test(error.message);
    for (const bias of [float32([1]), float32(new Float32Array(8).fill(Number.NaN))]) {
      const params = { ...paramsOf(1), "layers.0.bias": bias };
      assert.throws(() => exchangeOn(memoryStore(), of(params)), refused);
    }
  });
});
