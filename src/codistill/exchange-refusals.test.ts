/** Whatever lies in the store, a group keeps the teacher it has, says why, and goes on. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { exchangeOn, modelDigest, paramsOf, publishAs, shortly } from "../../test/fixtures/exchange-fixture.js";
import { sha256 } from "../checkpoint/digest.js";
import { encodeSafetensors } from "../checkpoint/safetensors.js";
import type { Pointer } from "../checkpoint/snapshot.js";
import { memoryStore, type Store } from "../checkpoint/store.js";
import { float32, int32, type NamedArrays } from "../runtime/array.js";

const utf8 = (text: string) => new TextEncoder().encode(text);
const pointTo = (store: Store, pointer: object) =>
  store.put("groups/1/latest.json", utf8(JSON.stringify({ version: 1, incarnation: 1, ...pointer })));

/** Group 1's snapshot of step 20, and then something done to its bytes. */
async function spoiled(store: Store, spoil: (bytes: Uint8Array) => Uint8Array | null): Promise<void> {
  const { name } = await publishAs(store, 1, 20);
  const bytes = spoil((await store.get(name)) as Uint8Array);
  if (bytes) await store.put(name, bytes);
  else await store.remove(name);
}

/** A whole and truly pointed to file with some metadata changed. */
async function foreign(store: Store, changes: Readonly<Record<string, string>>, pointed: Partial<Pointer> = {}) {
  const metadata = { format: "codistill.snapshot", version: "1", group: "1", step: "20", model: modelDigest };
  const bytes = encodeSafetensors(paramsOf(20), { ...metadata, ...changes });
  const digest = await sha256(bytes);
  const name = "groups/1/snapshots/000000020-00000000.safetensors";
  await store.put(name, bytes);
  await pointTo(store, { name, group: 1, step: 20, bytes: bytes.length, sha256: digest, ...pointed });
}

/** The snapshot of step 20 with some params replaced. */
function withParams(store: Store, changes: Readonly<Record<string, NamedArrays[string] | undefined>>) {
  const entries = Object.entries({ ...paramsOf(20), ...changes });
  const params = Object.fromEntries(entries.flatMap(([name, array]) => (array ? [[name, array]] : [])));
  return publishAs(store, 1, 20, { params });
}

/** What may go wrong with group 1's next snapshot, and what is said about it. */
const faults: Readonly<Record<string, [break_: (store: Store) => Promise<unknown>, says: RegExp]>> = {
  "a snapshot that was torn": [
    (store) => spoiled(store, (bytes) => bytes.subarray(0, bytes.length / 2)),
    /000000020-\w{8}\.safetensors is refused: its pointer says \d+ bytes, got \d+$/,
  ],
  "a snapshot that grew": [
    (store) => spoiled(store, (bytes) => Uint8Array.of(...bytes, 0)),
    /000000020-\w{8}\.safetensors must hold at most 772 bytes to be read, it holds 773\./,
  ],
  "an altered bit": [
    (store) => spoiled(store, (bytes) => bytes.with(bytes.length - 1, (bytes.at(-1) ?? 0) ^ 1)),
    /its pointer says SHA-256 [0-9a-f]{64}, got [0-9a-f]{64}$/,
  ],
  "a pointer to more bytes than the model has": [
    async (store) => pointTo(store, { ...(await publishAs(store, 1, 20)), bytes: 2 ** 40 }),
    /is refused: its pointer says 1099511627776 bytes, and a snapshot of this model has at most \d+$/,
  ],
  "a pointer of 65 KiB": [
    (store) => store.put("groups/1/latest.json", new Uint8Array(65 << 10).fill(0x20)),
    /latest\.json must hold at most 65536 bytes to be read, it holds 66560\./,
  ],
  "a snapshot that is gone": [(store) => spoiled(store, () => null), /is refused: it is gone from the store$/],
  "another model": [
    (store) => publishAs(store, 1, 20, { model: "0123456789abcdef" }),
    /it is for another model \(01234567, this one is [0-9a-f]{8}\)/,
  ],
  "a file of another kind": [
    (store) => foreign(store, { format: "codistill.checkpoint" }),
    /expected "codistill\.snapshot"/,
  ],
  "a snapshot of a newer version": [(store) => foreign(store, { version: "2" }), /must be 1, got 2\n.*version/],
  "a pointer to what is not safetensors": [
    async (store) => {
      const bytes = utf8("<html>404</html>");
      const name = "groups/1/snapshots/000000020-aaaaaaaa.safetensors";
      await store.put(name, bytes);
      await pointTo(store, { name, group: 1, step: 20, bytes: bytes.length, sha256: await sha256(bytes) });
    },
    /safetensors: /,
  ],
  "a pointer that says a later step than its snapshot": [
    (store) => foreign(store, {}, { step: 1_000_000 }),
    /its pointer says step 1000000 of group 1, it holds step 20 of group 1/,
  ],
  "another group's snapshot": [
    (store) => foreign(store, { group: "2" }),
    /its pointer says step 20 of group 1, it holds step 20 of group 2/,
  ],
  "a param of the wrong shape": [
    (store) => withParams(store, { "layers.0.bias": float32([20, 20]) }),
    /does not fit the model: layers\.0\.bias must be float32\[8\], got float32\[2\]/,
  ],
  "a param of the wrong dtype": [
    (store) => withParams(store, { "layers.0.bias": int32(new Int32Array(8)) }),
    /layers\.0\.bias must be float32\[8\], got int32\[8\]/,
  ],
  "a missing param": [
    (store) => withParams(store, { "layers.0.bias": undefined }),
    /layers\.0\.bias must be float32\[8\], got nothing/,
  ],
  "a foreign param": [
    (store) => withParams(store, { "layers.7.bias": float32([1]) }),
    /layers\.7\.bias is not part of the model/,
  ],
  NaN: [
    (store) => withParams(store, { "layers.0.bias": float32([1, 2, Number.NaN, 4, 5, 6, 7, 8]) }),
    /layers\.0\.bias holds values that are not finite/,
  ],
  "an infinity": [
    (store) => withParams(store, { "layers.0.bias": float32([1, 2, 3, 4, 5, 6, 7, Number.NEGATIVE_INFINITY]) }),
    /layers\.0\.bias holds values that are not finite/,
  ],
  "a pointer that was torn": [
    async (store) => {
      await publishAs(store, 1, 20);
      const bytes = (await store.get("groups/1/latest.json")) as Uint8Array;
      await store.put("groups/1/latest.json", bytes.subarray(0, bytes.length - 5));
    },
    /groups\/1\/latest\.json is not a snapshot pointer/,
  ],
  "an empty pointer": [(store) => store.put("groups/1/latest.json", utf8("")), /is not a snapshot pointer/],
  "a pointer of a newer version": [
    async (store) => pointTo(store, { ...(await publishAs(store, 1, 20)), version: 2 }),
    /groups\/1\/latest\.json is not a snapshot pointer: .*must be 1, got 2\n.*version/,
  ],
  "a pointer of another group": [
    async (store) => pointTo(store, { ...(await publishAs(store, 2, 20)) }),
    /latest\.json must point into groups\/1\/snapshots\/, got "groups\/2\/snapshots\//,
  ],
  "a pointer into another group's folder": [
    async (store) => pointTo(store, { ...(await publishAs(store, 2, 20)), group: 1 }),
    /must point into groups\/1\/snapshots\/, got "groups\/2\/snapshots\//,
  ],
  "a pointer into a folder whose name begins alike": [
    async (store) => pointTo(store, { ...(await publishAs(store, 11, 20)), group: 1 }),
    /must point into groups\/1\/snapshots\/, got "groups\/11\/snapshots\//,
  ],
  "a pointer that climbs out of the folder": [
    async (store) => {
      const { name, ...pointer } = await publishAs(store, 2, 20);
      await pointTo(store, { ...pointer, group: 1, name: name.replace("groups/2", "groups/1/snapshots/../../2") });
    },
    /must point into groups\/1\/snapshots\/, got "groups\/1\/snapshots\/\.\.\//,
  ],
  "a pointer without its digest": [
    async (store) => pointTo(store, { ...(await publishAs(store, 1, 20)), sha256: undefined }),
    /is not a snapshot pointer.*sha256/s,
  ],
};

describe("an exchange refuses, and keeps the teacher it has", () => {
  for (const [name, [break_, says]] of Object.entries(faults)) {
    test(name, async () => {
      const store = memoryStore();
      const { exchange, refreshed, events } = exchangeOn(store);
      await publishAs(store, 1, 10);
      const before = await refreshed(5);
      assert.deepEqual(shortly(events.splice(0)), ["fetched 1@10"]);

      await break_(store);
      assert.deepEqual(await refreshed(6), before);
      const [trouble, ...more] = events.splice(0);
      assert.deepEqual(more, []);
      assert.ok(trouble?.event === "exchange-trouble");
      assert.deepEqual(
        { ...trouble, message: "" },
        { event: trouble.event, group: 0, doing: "fetch", from: 1, message: "" },
      );
      assert.match(trouble.message, says);
      assert.equal(exchange.teachers(6)[0], before[0]);

      await publishAs(store, 1, 30);
      assert.equal((await refreshed(7))[0]?.step, 30);
      assert.deepEqual(shortly(events), ["fetched 1@30"]);
    });
  }
});
