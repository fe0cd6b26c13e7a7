/** Whatever a store holds, reading a snapshot gives what the file says, or a refusal. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { encodeSafetensors } from "../../src/checkpoint/safetensors.js";
import {
  maxSnapshotBytes,
  type Pointer,
  publishSnapshot,
  readPointer,
  readSnapshot,
} from "../../src/checkpoint/snapshot.js";
import { memoryStore, type Store } from "../../src/checkpoint/store.js";
import { CheckpointError } from "../../src/errors.js";
import { checkWeights } from "../../src/nn/fit.js";
import { float32, type NamedArrays, zeros } from "../../src/runtime/array.js";
import { isFull } from "../fixtures/full.js";
import { storeWith } from "../fixtures/tiny-run.js";
import { type Damage, damages, fileOf, partsOf } from "./damage.js";
import type { Draw } from "./draw.js";
import { editJson } from "./edit-json.js";
import { assertHolds } from "./oracle.js";
import { tally } from "./tally.js";

const digest = "a".repeat(64);
const shapes: Readonly<Record<string, readonly number[]>> = { "l.weight": [2, 2], "l.bias": [2], s: [] };
const model = {
  params: Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, { shape, init: () => zeros(shape) }]),
  ),
};
const maxBytes = maxSnapshotBytes(model.params);
const POINTER = "groups/1/latest.json";

const paramsOf = (value: number): NamedArrays =>
  Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, float32(zeros(shape).data.fill(value), shape)]),
  );

/** What a fetch does: follow the pointer, read, check against the model. Never more than two looks at the store. */
async function fetch(store: Store): Promise<void> {
  let numGets = 0;
  const values = new Map<string, Uint8Array>();
  const counted = storeWith(
    (inner) => ({
      async get(name, signal, limit) {
        assert.ok(++numGets <= 2, "a read takes two looks at the store");
        const bytes = await inner.get(name, signal, limit);
        if (bytes) values.set(name, bytes.slice());
        return bytes;
      },
    }),
    store,
  );
  const pointer = await readPointer(counted, 1);
  assert.ok(pointer, "the pointer is there");
  const said = JSON.parse(new TextDecoder().decode(values.get(POINTER)));
  for (const [name, value] of Object.entries(pointer))
    assert.ok(Object.is(value, said[name]), `${name} of the pointer`);
  const { params, ...snapshot } = await readSnapshot(counted, pointer, digest, undefined, maxBytes);
  const file = values.get(pointer.name) ?? new Uint8Array();
  assert.equal(createHash("sha256").update(file).digest("hex"), said.sha256);
  const metadata = assertHolds(file, params);
  const { group, step, incarnation } = said;
  assert.deepEqual(snapshot, { group, step, incarnation, model: metadata.model });
  assert.deepEqual(
    [metadata.format, metadata.version, metadata.group, metadata.step],
    ["codistill.snapshot", "1", String(group), String(step)],
  );
  checkWeights("the snapshot", params, model);
  for (const [name, shape] of Object.entries(shapes)) {
    const array = params[name] as NamedArrays[string];
    assert.deepEqual(array.shape, shape);
    assert.ok([...array.data].every(Number.isFinite), name);
  }
  assert.equal(Object.keys(params).length, Object.keys(shapes).length);
}

const counts = { format: "codistill.snapshot", version: "1", group: "1", model: digest };
const published = await Promise.all(
  [20, 30].map(async (step) => {
    const store = memoryStore();
    const pointer = await publishSnapshot(store, {
      group: 1,
      step,
      incarnation: 1,
      model: digest,
      params: paramsOf(step),
    });
    return { pointer, file: (await store.get(pointer.name)) ?? new Uint8Array() };
  }),
);
const files = published.map(({ file }) => file);
const pointer = published[0]?.pointer as Pointer;

/** A store with a file, and a pointer to it that is right about bytes and digest or as it was for the first file. */
async function storeOf(file: Uint8Array, isMadeRight: boolean, text?: string): Promise<Store> {
  const store = memoryStore();
  const sha256 = createHash("sha256").update(file).digest("hex");
  const right = isMadeRight ? { ...pointer, bytes: file.length, sha256 } : pointer;
  await store.put(pointer.name, file);
  await store.put(POINTER, new TextEncoder().encode(text ?? JSON.stringify(right)));
  return store;
}

/** A file whose metadata is edited but still an object of what JSON allows. */
const editedMetadata: Damage = (files, draw) => {
  const { header, data } = partsOf(draw.pick(files));
  const { __metadata__: metadata, ...tensors } = header;
  return fileOf(`{"__metadata__":${editJson(metadata, draw)},${JSON.stringify(tensors).slice(1)}`, data);
};

const versions = ["2", "0", "-1", "1.0", "01", "", " 1", "9007199254740993", "v1", "1e0"];
const otherModel = (_: unknown, draw: Draw) =>
  encodeSafetensors(paramsOf(20), {
    ...counts,
    step: "20",
    model: draw.pick(["b", "0", "f"]).repeat(1 + draw.int(64)),
  });
const otherArchitecture = (_: unknown, draw: Draw) => {
  const { "l.bias": bias, ...rest } = paramsOf(20);
  const shape = draw.pick(
    [[3], [1], [2, 1], [1, 2], [], [0], [2, 2], [1 + draw.int(500)]].filter((s) => s.join() !== "2"),
  );
  const name = draw.pick(["l.bias", "m.bias", "__proto__", "constructor", "", "L.bias"]);
  const params = [
    ["l.bias", zeros(shape)],
    [name === "l.bias" ? "" : name, bias as NamedArrays[string]],
  ] as const;
  return encodeSafetensors({ ...rest, ...Object.fromEntries([draw.pick(params)]) }, { ...counts, step: "20" });
};

const PER_CATEGORY = isFull ? 2000 : 500;
const results = tally("snapshot");

for (const [name, damage] of Object.entries({ ...damages, "edited metadata": editedMetadata })) {
  test(`${name}: refused, or what the file says`, async () => {
    const never = new Set(["truncated", "length of the header", "another dtype"]);
    const always = new Set(["flipped bits", "flipped bits of the data", "data of another", "bytes of another"]);
    const expected = never.has(name) ? "all refused" : always.has(name) ? "both" : "some refused";
    await results.run(`${name}, digest made right`, PER_CATEGORY, expected, async (draw) => {
      await fetch(await storeOf(damage(files, draw), true));
    });
    await results.run(`${name}, digest as it was`, PER_CATEGORY, "some refused", async (draw) => {
      const file = damage(files, draw);
      await fetch(await storeOf(file, false));
      assert.ok(Buffer.compare(file, files[0] as Uint8Array) === 0, "only the file itself has its digest");
    });
  });
}

test("a newer version is refused and named", async () => {
  await results.run("another version", PER_CATEGORY, "all refused", async (draw) => {
    const version = draw.int(2) === 0 ? draw.pick(versions) : String(2 + draw.int(1e9));
    const file = encodeSafetensors(paramsOf(20), { ...counts, step: "20", version });
    await assertNames(fetch(await storeOf(file, true)), `must be 1, got ${version}\n`);
  });
  await results.run("another version of the pointer", PER_CATEGORY, "all refused", async (draw) => {
    const version = draw.int(2) === 0 ? draw.pick([0, -1, 1.5, "1", null, true, [], {}]) : 2 + draw.int(1e9);
    const shown = typeof version === "object" ? JSON.stringify(version) : version;
    const text = JSON.stringify({ ...pointer, version, ...(draw.int(2) === 0 && { name: 5, sha256: undefined }) });
    await assertNames(fetch(await storeOf(files[0] as Uint8Array, true, text)), `must be 1, got ${shown}\n`);
  });
});

/** Passes a refusal on, having seen that it says what it must. */
async function assertNames(reading: Promise<void>, says: string): Promise<void> {
  await reading.catch((error) => {
    if (error instanceof CheckpointError) assert.ok(error.message.includes(says), `${error.message} must say ${says}`);
    throw error;
  });
}

test("another architecture is refused", async () => {
  for (const [name, make] of Object.entries({ "another model": otherModel, "other params": otherArchitecture })) {
    await results.run(name, PER_CATEGORY, "all refused", async (draw) => {
      await fetch(await storeOf(make(files, draw), true));
    });
  }
});

test("a pointer with any change is refused, or says where the snapshot is", async () => {
  const text = JSON.stringify(pointer);
  const file = files[0] as Uint8Array;
  await results.run("edited pointer", PER_CATEGORY, "both", async (draw) => {
    await fetch(await storeOf(file, true, editJson(pointer, draw)));
  });
  await results.run("pointer of damaged bytes", PER_CATEGORY, "some refused", async (draw) => {
    const bytes = new TextEncoder().encode(text);
    const cut = draw.int(2) === 0 ? bytes.slice(0, draw.int(bytes.length)) : bytes;
    for (let left = draw.int(3); left >= 0 && cut.length > 0; left--) cut[draw.int(cut.length)] = draw.int(256);
    const store = await storeOf(file, true);
    await store.put(POINTER, cut);
    await fetch(store);
  });
  await results.run("pointer of another size", PER_CATEGORY, "all refused", async (draw) => {
    const bytes = draw.pick([1, file.length - 1, file.length + 1, maxBytes, maxBytes + 1, 2 ** 40, 2 ** 53 - 1]);
    await fetch(await storeOf(file, true, JSON.stringify({ ...pointer, bytes })));
  });
});

test("summary", (t) => {
  t.diagnostic(`\n${results.table()}\n`);
  assert.ok(results.total() >= 30 * PER_CATEGORY, `only ${results.total()} inputs`);
});
