import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryStore } from "../checkpoint/store.js";
import { CheckpointError } from "../errors.js";
import { mlp } from "../nn/mlp.js";
import { initWeights } from "../nn/model.js";
import { rootKey } from "../runtime/random.js";
import { publishSnapshot, readSnapshot } from "./snapshots.js";

const numeric = { x: { mean: 0, std: 1 } };
const model = mlp({ categorical: {}, numeric, hidden: [4] });
const other = mlp({ categorical: {}, numeric, hidden: [5] });
const params = initWeights(model, rootKey(1));

test("what is published is read as a teacher, and the newest wins", async () => {
  const store = memoryStore();
  assert.equal(await readSnapshot(store, { group: 1, model }), null);
  await publishSnapshot(store, { group: 1, step: 7, model, params: initWeights(model, rootKey(2)) });
  const { digest, name, bytes } = await publishSnapshot(store, { group: 1, step: 9, model, params });
  assert.deepEqual(await readSnapshot(store, { group: 1, model }), { group: 1, step: 9, digest, params });
  assert.equal((await store.get(name))?.length, bytes);
});

test("weights of another model are neither published nor read", async () => {
  const store = memoryStore();
  await assert.rejects(publishSnapshot(store, { group: 0, step: 1, model: other, params }), CheckpointError);
  assert.deepEqual(await store.list(""), []);
  await publishSnapshot(store, { group: 0, step: 1, model, params });
  await assert.rejects(readSnapshot(store, { group: 0, model: other }), CheckpointError);
});

test("a snapshot that is not as it was written is refused", async () => {
  const store = memoryStore();
  const { name } = await publishSnapshot(store, { group: 0, step: 1, model, params });
  const bytes = (await store.get(name)) as Uint8Array;
  bytes[bytes.length - 1]! ^= 1;
  await store.put(name, bytes);
  await assert.rejects(readSnapshot(store, { group: 0, model }), /SHA-256/);
});
