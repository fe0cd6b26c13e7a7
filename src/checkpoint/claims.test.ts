import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ConfigError } from "../errors.js";
import { claimFreeGroup, claimGroup, claimIncarnation, readStarts } from "./claims.js";
import { encodeJson } from "./json.js";
import { memoryStore, type Store } from "./store.js";

/** The number of a group's newest start, for a start that has the number `own`. */
const newest = async (store: Store, group: number, own = 0) => (await readStarts(store, group, own)).newest;

test("incarnations of a group count up, and those of another group are its own", async () => {
  const store = memoryStore();
  assert.equal(await newest(store, 3), 0);
  assert.deepEqual([await claimIncarnation(store, 3), await claimIncarnation(store, 3)], [1, 2]);
  assert.equal(await claimIncarnation(store, 30), 1);
  assert.equal(await claimIncarnation(store, 3), 3);
  assert.deepEqual([await newest(store, 3), await newest(store, 30)], [3, 1]);
});

test("two hundred claims at one instant get two hundred numbers", async () => {
  const store = memoryStore();
  const claims = await Promise.all(Array.from({ length: 200 }, () => claimIncarnation(store, 0)));
  assert.deepEqual(
    claims.sort((a, b) => a - b),
    Array.from({ length: 200 }, (_, i) => i + 1),
  );
});

describe("files that no start made", () => {
  const inFolder = (name: string) => `groups/0/incarnations/${name}`;
  const strays = [
    "9007199254740991.json",
    "9007199254740992.json",
    "99999999999999999999999999999999.json",
    "20261129.json",
    "999999.json",
    "000009.json",
    "0000002.json",
    "2.json",
    "000002.json.bak",
    "000000.json",
    "copy/000002.json",
  ].map(inFolder);

  test("stop nobody, use no numbers up, and are named", async () => {
    const store = memoryStore();
    assert.equal(await claimIncarnation(store, 0), 1);
    for (const name of strays) await store.put(name, encodeJson({ version: 1, incarnation: 9_007_199_254_740_991 }));
    assert.equal(await newest(store, 0, 1), 1);
    assert.deepEqual((await readStarts(store, 0, 1)).strays, [...strays].sort());
    assert.equal(await claimIncarnation(store, 0), 2);
    assert.equal(await newest(store, 0, 1), 2);
  });

  test("stop nobody where the next number is theirs, which is then left out", async () => {
    for (const content of [{}, { version: 1, incarnation: 1 }, { version: 2, incarnation: 2 }, "2", null]) {
      const store = memoryStore();
      await claimIncarnation(store, 0);
      await store.put(inFolder("000002.json"), encodeJson(content));
      assert.equal(await newest(store, 0, 1), 1, JSON.stringify(content));
      assert.deepEqual((await readStarts(store, 0, 1)).strays, [inFolder("000002.json")]);
      assert.equal(await claimIncarnation(store, 0), 3);
      assert.equal(await newest(store, 0, 1), 3);
    }
    const store = memoryStore();
    await claimIncarnation(store, 0);
    await store.put(inFolder("000002.json"), new Uint8Array(5000).fill(0x20));
    assert.equal(await newest(store, 0, 1), 1);
  });

  test("cannot make a group that goes on from its checkpoint begin at an older number", async () => {
    const store = memoryStore();
    assert.equal(await claimIncarnation(store, 0, 7), 8);
    assert.equal(await newest(store, 0, 7), 8);
  });
});

test("a group is claimed once, and joiners get the free ones in order", async () => {
  const store = memoryStore();
  assert.equal(await claimGroup(store, 1), true);
  assert.equal(await claimGroup(store, 1), false);
  assert.deepEqual([await claimFreeGroup(store, 3), await claimFreeGroup(store, 3)], [0, 2]);
  await assert.rejects(claimFreeGroup(store, 3), (error) => {
    assert.ok(error instanceof ConfigError);
    assert.match(error.message, /all 3 groups of this run are taken.*--group/);
    return true;
  });
});

test("a claimant gets its group again, and nobody else does", async () => {
  const store = memoryStore();
  assert.equal(await claimFreeGroup(store, 3, "one"), 0);
  assert.equal(await claimFreeGroup(store, 3, "two"), 1);
  assert.deepEqual([await claimFreeGroup(store, 3, "one"), await claimFreeGroup(store, 3, "two")], [0, 1]);
  await store.put("claims/2.json", encodeJson("what no start made"));
  await assert.rejects(claimFreeGroup(store, 3, "three"), ConfigError);
});
