import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { storeWith } from "../../test/fixtures/tiny-run.js";
import { CheckpointError, StoreError } from "../errors.js";
import { bytesOf, float32, type NamedArrays, zeros } from "../runtime/array.js";
import { sha256 } from "./digest.js";
import { decodeSafetensors, encodeSafetensors } from "./safetensors.js";
import {
  maxSnapshotBytes,
  type Pointer,
  publishSnapshot,
  readPointer,
  readSnapshot,
  removeOldSnapshots,
  type Snapshot,
} from "./snapshot.js";
import { memoryStore, type Store } from "./store.js";

const model = "a".repeat(64);
const params: NamedArrays = { "layers.0.weight": float32([1, 2, 3, 4, 5, 6], [2, 3]), "layers.0.bias": float32([7]) };
const snapshot: Snapshot = { group: 1, step: 50, incarnation: 2, model, params };
const utf8 = (text: string) => new TextEncoder().encode(text);

/** The bits of a record of float32 arrays: equal bits are equal numbers, with -0 and every NaN told apart. */
function bitsOf(arrays: NamedArrays): Record<string, [shape: readonly number[], bits: Uint8Array]> {
  return Object.fromEntries(Object.entries(arrays).map(([name, { shape, data }]) => [name, [shape, bytesOf(data)]]));
}

async function refused(reading: Promise<unknown>, ...patterns: readonly RegExp[]): Promise<void> {
  await assert.rejects(reading, (error) => {
    assert.ok(error instanceof CheckpointError, String(error));
    for (const pattern of patterns) assert.match(error.message, pattern);
    return true;
  });
}

describe("a published snapshot", () => {
  test("comes back to the bit: any float32, any shape", async () => {
    const arrays = fc.dictionary(
      fc.stringMatching(/^[a-z.]{1,12}$/),
      fc
        .uint8Array({ maxLength: 40 })
        .map((bytes) => float32(new Float32Array(bytes.slice(0, bytes.length - (bytes.length % 4)).buffer))),
      { maxKeys: 5 },
    );
    const numbers = fc.nat(999_999_999);
    await fc.assert(
      fc.asyncProperty(
        arrays,
        numbers,
        fc.nat(63),
        fc.integer({ min: 1, max: 99 }),
        async (params, step, group, run) => {
          const store = memoryStore();
          const published = await publishSnapshot(store, { group, step, incarnation: run, model, params });
          const pointer = await readPointer(store, group);
          assert.deepEqual(pointer, published);
          const read = await readSnapshot(store, published, model);
          assert.deepEqual(bitsOf(read.params), bitsOf(params));
          assert.deepEqual({ ...read, params: null }, { group, step, incarnation: run, model, params: null });
        },
      ),
      { numRuns: 50 },
    );
  });

  test("is named by its step in nine digits and the first eight hex digits of its SHA-256", async () => {
    const store = memoryStore();
    for (const step of [0, 50, 999_999_999]) {
      const { name, sha256: digest, bytes, version } = await publishSnapshot(store, { ...snapshot, step });
      const content = (await store.get(name)) ?? new Uint8Array();
      assert.equal(await sha256(content), digest);
      assert.equal(content.length, bytes);
      assert.equal(version, 1);
      const digits = { 0: "000000000", 50: "000000050", 999999999: "999999999" }[step];
      assert.equal(name, `groups/1/snapshots/${digits}-${digest.slice(0, 8)}.safetensors`);
    }
    assert.equal((await store.list("groups/1/")).length, 4);
  });

  test("says what it is in its own metadata", async () => {
    const store = memoryStore();
    const { name } = await publishSnapshot(store, snapshot);
    const { metadata, tensors } = decodeSafetensors((await store.get(name)) ?? new Uint8Array());
    assert.deepEqual(metadata, { format: "codistill.snapshot", version: "1", group: "1", step: "50", model });
    assert.deepEqual(tensors, params);
  });

  test("has the same name for the same params and step, and another one otherwise", async () => {
    const name = async (changes: Partial<Snapshot>) =>
      (await publishSnapshot(memoryStore(), { ...snapshot, ...changes })).name;
    const first = await name({});
    assert.equal(await name({ incarnation: 9 }), first);
    assert.equal(await name({ params: Object.fromEntries(Object.entries(params).reverse()) }), first);
    assert.notEqual(await name({ params: { ...params, "layers.0.bias": float32([8]) } }), first);
    assert.notEqual(await name({ model: "b".repeat(64) }), first);
  });

  test("is written before it is pointed to, and a failure in between leaves the old one", async () => {
    const puts: string[] = [];
    let isFull = false;
    const store = storeWith((inner) => ({
      async put(name, bytes) {
        puts.push(name);
        if (isFull && name.endsWith("latest.json")) throw new StoreError("full");
        await inner.put(name, bytes);
      },
    }));
    const before = await publishSnapshot(store, snapshot);
    assert.deepEqual(puts, [before.name, "groups/1/latest.json"]);
    isFull = true;
    await assert.rejects(publishSnapshot(store, { ...snapshot, step: 100 }), /full/);
    const pointer = (await readPointer(store, 1)) as Pointer;
    assert.deepEqual(pointer, before);
    assert.equal((await readSnapshot(store, pointer, model)).step, 50);
  });

  test("is none where a group has not published", async () => {
    const store = memoryStore();
    await publishSnapshot(store, snapshot);
    assert.equal(await readPointer(store, 0), null);
    assert.equal(await readPointer(store, 11), null);
  });

  test("passes the signal on to the store", async () => {
    const store = memoryStore();
    const pointer = await publishSnapshot(store, snapshot);
    const aborted = AbortSignal.abort(new Error("too late"));
    await assert.rejects(publishSnapshot(store, snapshot, aborted), /too late/);
    await assert.rejects(readPointer(store, 1, aborted), /too late/);
    await assert.rejects(readSnapshot(store, pointer, model, aborted), /too late/);
    await assert.rejects(removeOldSnapshots(store, 1, pointer.name, 1, aborted), /too late/);
  });
});

describe("what is refused", () => {
  test("a pointer that is none, is of another version, or leads elsewhere", async () => {
    const store = memoryStore();
    const good = await publishSnapshot(store, snapshot);
    const pointers: [unknown, ...RegExp[]][] = [
      [null, /groups\/1\/latest\.json is not a snapshot pointer/, /expected object/],
      [{ ...good, version: 2 }, /must be 1, got 2/, /version/],
      [{ ...good, version: undefined }, /must be 1, got undefined/],
      [{ ...good, version: { toString: 1 } }, /must be 1, got \{"toString":1\}/],
      [{ ...good, version: "9".repeat(1000) }, /must be 1, got 9{20}\n/],
      [{ ...good, name: `groups/1/snapshots/${"a".repeat(2000)}` }, /expected string to have <=1031 characters/],
      [{ ...good, step: -1 }, /step/],
      [{ ...good, step: 1.5 }, /step/],
      [{ ...good, group: "1" }, /expected number.*\n.*group/],
      [{ ...good, incarnation: 0 }, /incarnation/],
      [{ ...good, bytes: 0 }, /bytes/],
      [{ ...good, sha256: good.sha256.toUpperCase() }, /sha256/],
      [{ ...good, sha256: good.sha256.slice(1) }, /sha256/],
      [{ ...good, name: 5 }, /name/],
      [{ ...good, group: 2 }, /must point into groups\/1\/snapshots\//],
      [{ ...good, name: "run.json" }, /must point into groups\/1\/snapshots\/, got "run\.json"/],
      [{ ...good, name: "groups/1/latest.json" }, /must point into groups\/1\/snapshots\//],
    ];
    for (const [pointer, ...patterns] of pointers) {
      await store.put("groups/1/latest.json", utf8(JSON.stringify(pointer)));
      await refused(readPointer(store, 1), ...patterns);
    }
    for (const text of ["", "{", "not JSON", '"text"', "[]"]) {
      await store.put("groups/1/latest.json", utf8(text));
      await refused(readPointer(store, 1), /groups\/1\/latest\.json is not a snapshot pointer/);
    }
    const deep = `{"version":${"[".repeat(30_000)}${"]".repeat(30_000)}}`;
    await store.put("groups/1/latest.json", utf8(deep));
    await refused(readPointer(store, 1), /is not a snapshot pointer/);
  });

  test("a snapshot of another size, digest, format, version, model, group or step", async () => {
    const store = memoryStore();
    const good = await publishSnapshot(store, snapshot);
    const name = /groups\/1\/snapshots\/000000050-\w{8}\.safetensors is refused: /;
    const bytes = (await store.get(good.name)) ?? new Uint8Array();

    const more = { ...good, bytes: good.bytes + 1 };
    await refused(readSnapshot(store, more, model), name, new RegExp(`says ${more.bytes} bytes, got ${good.bytes}$`));
    await assert.rejects(
      readSnapshot(store, { ...good, bytes: 5 }, model),
      (error) => error instanceof StoreError && /must hold at most 5 bytes to be read, it holds/.test(error.message),
    );
    const other = "0".repeat(64);
    await refused(
      readSnapshot(store, { ...good, sha256: other }, model),
      name,
      new RegExp(`says SHA-256 ${other}, got ${good.sha256}`),
    );
    await refused(
      readSnapshot(store, good, "b".repeat(64)),
      name,
      /it is for another model \(aaaaaaaa, this one is bbbbbbbb\)/,
    );
    await refused(readSnapshot(store, { ...good, step: 51 }, model), name, /says step 51 of group 1, it holds step 50/);

    await store.put(good.name, bytes.with(bytes.length - 1, 1));
    await refused(readSnapshot(store, good, model), name, /SHA-256/);
    await store.remove(good.name);
    await refused(readSnapshot(store, good, model), name, /it is gone from the store/);

    const metadata = { format: "codistill.snapshot", version: "1", group: "1", step: "50", model };
    const files: [Uint8Array, ...RegExp[]][] = [
      [encodeSafetensors(params), /format/, /model/],
      [encodeSafetensors(params, { ...metadata, format: "codistill.params" }), /expected "codistill\.snapshot"/],
      [encodeSafetensors(params, { ...metadata, version: "2" }), /must be 1, got 2/],
      [encodeSafetensors(params, { ...metadata, version: "2".repeat(1000) }), /must be 1, got 2{20}\n/],
      ...["fifty", "", " 50", "50.0", "0x32", "5e1", "-0", "050"].map((step): [Uint8Array, RegExp] => [
        encodeSafetensors(params, { ...metadata, step }),
        /at step/,
      ]),
      [encodeSafetensors(params, { ...metadata, group: "2" }), /it holds step 50 of group 2/],
    ];
    for (const [file, ...patterns] of files) {
      await store.put(good.name, file);
      const pointer = { ...good, bytes: file.length, sha256: await sha256(file) };
      await refused(readSnapshot(store, pointer, model), name, ...patterns);
    }
  });
});

describe("what a snapshot may weigh", () => {
  test("is its data, and 4,096 bytes, 256 for each param, 20 for each axis, 6 for each letter of a name", () => {
    assert.equal(maxSnapshotBytes({}), 4096);
    assert.equal(maxSnapshotBytes({ ab: { shape: [3, 5] }, c: { shape: [] } }), 4096 + (60 + 268 + 40) + (4 + 262));
  });

  test("is never less than what is published, whatever the names and shapes", async () => {
    const shape = fc.array(fc.nat(3), { maxLength: 6 });
    const shapes = fc.dictionary(fc.string({ unit: "binary", maxLength: 20 }), shape, { noNullPrototype: true });
    await fc.assert(
      fc.asyncProperty(shapes, async (shapes) => {
        const arrays = Object.fromEntries(Object.entries(shapes).map(([name, axes]) => [name, zeros(axes)]));
        const expected = Object.fromEntries(Object.entries(shapes).map(([name, axes]) => [name, { shape: axes }]));
        const { bytes } = await publishSnapshot(memoryStore(), { ...snapshot, step: 999_999_999, params: arrays });
        assert.ok(bytes <= maxSnapshotBytes(expected));
      }),
      { numRuns: 100 },
    );
  });

  test("is refused before it is fetched", async () => {
    const asked: string[] = [];
    const store = storeWith((inner) => ({
      get(name, signal, maxBytes) {
        asked.push(name);
        return inner.get(name, signal, maxBytes);
      },
    }));
    const pointer = await publishSnapshot(store, snapshot);
    const read = (maxBytes: number) => readSnapshot(store, pointer, model, undefined, maxBytes);
    await refused(read(pointer.bytes - 1), /says \d+ bytes, and a snapshot of this model has at most \d+$/);
    assert.deepEqual(asked, []);
    assert.equal((await read(pointer.bytes)).step, snapshot.step);
  });
});

describe("old snapshots", () => {
  const steps = [1, 20, 300, 4000];
  const stepsLeft = async (store: Store) =>
    (await store.list("groups/1/snapshots/")).map((name) => Number(/(\d+)-/.exec(name)?.[1]));

  test("go, all but the newest, and no other name is touched", async () => {
    for (let keep = 1; keep <= 6; keep++) {
      const store = memoryStore();
      let latest = "";
      for (const step of steps) {
        latest = (await publishSnapshot(store, { ...snapshot, step })).name;
        for (const group of [0, 11]) await publishSnapshot(store, { ...snapshot, group, step });
      }
      await removeOldSnapshots(store, 1, latest, keep);
      assert.deepEqual(await stepsLeft(store), steps.slice(-keep));
      assert.equal((await store.list("groups/0/")).length, 5);
      assert.equal((await store.list("groups/11/")).length, 5);
      assert.ok(await readPointer(store, 1));
    }
  });

  test("are known by their names: what is somebody else's stays", async () => {
    const store = memoryStore();
    const others = ["notes.txt", "000000001.safetensors", "1-aaaaaaaa.safetensors", "000000001-AAAAAAAA.safetensors"];
    for (const name of others) await store.put(`groups/1/snapshots/${name}`, new Uint8Array());
    let latest = "";
    for (const step of steps) latest = (await publishSnapshot(store, { ...snapshot, step })).name;
    await removeOldSnapshots(store, 1, latest, 1);
    const left = (await store.list("groups/1/snapshots/")).map((name) => name.slice("groups/1/snapshots/".length));
    assert.deepEqual(left.filter((name) => others.includes(name)).sort(), [...others].sort());
    assert.equal(left.length, others.length + 1);
  });

  test("of later steps are from before a restart, and go first", async () => {
    const store = memoryStore();
    for (const step of steps) await publishSnapshot(store, { ...snapshot, step });
    const { name } = await publishSnapshot(store, { ...snapshot, step: 250, incarnation: 3 });
    await removeOldSnapshots(store, 1, name, 3);
    assert.deepEqual(await stepsLeft(store), [1, 20, 250]);
  });
});
