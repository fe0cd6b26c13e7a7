import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryStore } from "../checkpoint/store.js";
import { claimIncarnation } from "./claim.js";

test("incarnations of a group count up, and those of another group are its own", async () => {
  const store = memoryStore();
  assert.deepEqual([await claimIncarnation(store, 3), await claimIncarnation(store, 3)], [1, 2]);
  assert.equal(await claimIncarnation(store, 30), 1);
  assert.equal(await claimIncarnation(store, 3), 3);
});

test("a thousand claims at one instant get a thousand numbers", async () => {
  const store = memoryStore();
  const claims = await Promise.all(Array.from({ length: 1000 }, () => claimIncarnation(store, 0)));
  assert.deepEqual(
    claims.sort((a, b) => a - b),
    Array.from({ length: 1000 }, (_, i) => i + 1),
  );
});
