import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryStore } from "../checkpoint/store.js";
import { ConfigError } from "../errors.js";
import { claimFreeGroup, claimGroup, claimIncarnation, newestIncarnation } from "./claim.js";

test("incarnations of a group count up, and those of another group are its own", async () => {
  const store = memoryStore();
  assert.equal(await newestIncarnation(store, 3), 0);
  assert.deepEqual([await claimIncarnation(store, 3), await claimIncarnation(store, 3)], [1, 2]);
  assert.equal(await claimIncarnation(store, 30), 1);
  assert.equal(await claimIncarnation(store, 3), 3);
  assert.deepEqual([await newestIncarnation(store, 3), await newestIncarnation(store, 30)], [3, 1]);
});

test("two hundred claims at one instant get two hundred numbers", async () => {
  const store = memoryStore();
  const claims = await Promise.all(Array.from({ length: 200 }, () => claimIncarnation(store, 0)));
  assert.deepEqual(
    claims.sort((a, b) => a - b),
    Array.from({ length: 200 }, (_, i) => i + 1),
  );
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
