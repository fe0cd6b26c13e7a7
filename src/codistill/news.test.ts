/** What counts as progress of a teacher, and how old a teacher gets that makes none. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { exchangeOn, modelDigest, paramsOf, shortly } from "../../test/fixtures/exchange-fixture.js";
import { publishSnapshot } from "../checkpoint/snapshot.js";
import { memoryStore, type Store } from "../checkpoint/store.js";

const publish = (store: Store, step: number, { incarnation = 1, value = step } = {}) =>
  publishSnapshot(store, { group: 1, step, incarnation, model: modelDigest, params: paramsOf(value) });

/** A store, and the age of the teacher after a look at each of the given steps; "none" where it is too old. */
function watched(maxStaleness = 100) {
  const store = memoryStore();
  const { refreshed, events } = exchangeOn(store, { maxStaleness });
  const look = async (step: number) => {
    const [teacher] = await refreshed(step);
    return teacher ? `${teacher.step}, ${step - teacher.seenAtStep} old` : "none";
  };
  return { store, look, events };
}

describe("a teacher's age", () => {
  test("goes on while its pointer goes to and fro between old snapshots, and that is told once", async () => {
    const { store, look, events } = watched();
    const looks: string[] = [];
    for (let step = 0; step <= 200; step += 20) {
      await publish(store, step % 40 === 0 ? 10 : 20);
      looks.push(await look(step));
    }
    assert.deepEqual(looks.slice(0, 3), ["10, 0 old", "20, 0 old", "20, 20 old"]);
    assert.deepEqual(looks.slice(6), ["20, 100 old", "none", "none", "none", "none"]);
    const told = events.flatMap((event) => (event.event === "exchange-trouble" ? [event.message] : []));
    assert.match(
      told[0] ?? "",
      /must go on, and its pointer went back to step 10 of its start 1 \(it was seen before\)/,
    );
  });

  test("goes on while old snapshots are given as of later starts", async () => {
    const { store, look } = watched();
    for (let step = 0; step <= 120; step += 20) {
      const value = step % 40 === 0 ? 10 : 20;
      await publish(store, value, { incarnation: 1 + step / 20 });
      if (step === 120) assert.equal(await look(step), "20, 100 old");
      else await look(step);
    }
    await publish(store, 10, { incarnation: 9 });
    assert.equal(await look(140), "none");
  });

  test("begins anew with each step further, and with an earlier one of a later start", async () => {
    const { store, look, events } = watched();
    await publish(store, 50);
    assert.equal(await look(0), "50, 0 old");
    await publish(store, 60);
    assert.equal(await look(20), "60, 0 old");
    await publish(store, 40, { incarnation: 2, value: 41 });
    assert.equal(await look(40), "40, 0 old");
    assert.deepEqual(shortly(events), ["fetched 1@50", "fetched 1@60", "fetched 1@40"]);
  });

  test("begins anew when a group that was set back is further, or what was seen of it is too old", async () => {
    const { store, look } = watched();
    await publish(store, 1000);
    assert.equal(await look(0), "1000, 0 old");
    await publish(store, 400, { value: 401 });
    assert.equal(await look(80), "1000, 80 old");
    assert.equal(await look(101), "400, 0 old");
    await publish(store, 420);
    assert.equal(await look(103), "420, 0 old");
  });

  test("is that of a true snapshot again after one of a step and a start far away", async () => {
    const { store, look } = watched();
    await publish(store, 1e12, { incarnation: 999_999 });
    assert.equal(await look(0), "1000000000000, 0 old");
    await publish(store, 30);
    assert.equal(await look(100), "1000000000000, 100 old");
    assert.equal(await look(101), "30, 0 old");
  });
});

test("numbers beyond their range, and names that are none of a snapshot, are refused", async () => {
  const { store, look, events } = watched();
  const pointer = await publish(store, 10);
  const wrong = [
    { step: 2 ** 53 },
    { step: 1e13 },
    { incarnation: 1_000_000 },
    { incarnation: 2 ** 53 - 1 },
    { group: 2 ** 40 },
    { name: "groups/1/snapshots/a.safetensors" },
    { name: "groups/1/snapshots/deep/000000010-00000000.safetensors" },
  ];
  for (const change of wrong) {
    await store.put("groups/1/latest.json", new TextEncoder().encode(JSON.stringify({ ...pointer, ...change })));
    assert.equal(await look(1), "none", JSON.stringify(change));
  }
  assert.ok(events.every(({ event }) => event === "exchange-trouble"));
  await publish(store, 11);
  assert.equal(await look(2), "11, 0 old");
});
