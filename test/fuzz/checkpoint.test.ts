/** Whatever lies in a group's folder, reading a checkpoint gives what the file says, or a refusal. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Checkpoint, readCheckpoint, writeCheckpoint } from "../../src/checkpoint/checkpoint.js";
import { encodeSafetensors } from "../../src/checkpoint/safetensors.js";
import { SEAL } from "../../src/checkpoint/seal.js";
import { memoryStore } from "../../src/checkpoint/store.js";
import { CheckpointError } from "../../src/errors.js";
import { float32, type NamedArrays } from "../../src/runtime/array.js";
import { withPrefix } from "../../src/runtime/named.js";
import { type Damage, damages, fileOf, partsOf } from "./damage.js";
import { editJson } from "./edit-json.js";
import { assertHolds } from "./oracle.js";
import { tally } from "./tally.js";

const NAME = "checkpoint.safetensors";
const params: NamedArrays = { w: float32([1, -2], [2, 1]), b: float32([0.5]) };
const state: NamedArrays = { ...withPrefix("params", params), ...withPrefix("optState.m", params) };
const teacher = (group: number) => ({ group, step: 40, digest: "d".repeat(8), seenAtStep: 45, params });
const checkpointOf = (step: number, groups: readonly number[]): Checkpoint => ({
  info: {
    group: 0,
    step,
    incarnation: 2,
    model: "abc",
    cursor: { epoch: 1, position: 7 },
    best: { step: 40, loss: 0.5 },
    learningRateScale: 0.5,
    waiting: { loss: 0.5, validations: 1 },
  },
  state,
  teachers: groups.map(teacher),
});

async function bytesOf(checkpoint: Checkpoint): Promise<Uint8Array> {
  const store = memoryStore();
  await writeCheckpoint(store, NAME, checkpoint);
  // Without its digest, which would refuse all that follows before it is looked at.
  const { header, data } = partsOf((await store.get(NAME)) ?? new Uint8Array());
  delete header.__metadata__?.[SEAL];
  return fileOf(JSON.stringify(header), data);
}

const files = [await bytesOf(checkpointOf(50, [1])), await bytesOf(checkpointOf(60, [1, 11]))];

/** Read a file; what comes out must be what the file says. */
async function read(file: Uint8Array): Promise<void> {
  const store = memoryStore();
  await store.put(NAME, file);
  const checkpoint = await readCheckpoint(store, NAME);
  assert.ok(checkpoint);
  const { info, teachers } = checkpoint;
  const teacherArrays = teachers.flatMap(({ group, params }) =>
    Object.entries(withPrefix(`teachers.${group}`, params)),
  );
  const metadata = assertHolds(file, Object.fromEntries([...Object.entries(checkpoint.state), ...teacherArrays]));
  const said = JSON.parse(String(metadata.checkpoint));
  assert.equal(said.version, 1);
  assert.deepEqual(Object.keys(info).sort(), Object.keys(checkpointOf(1, []).info).sort());
  for (const [name, value] of Object.entries(info)) assertSays(said[name], value);
  assert.equal(teachers.length, said.teachers.length);
  for (const [at, { params: _, ...rest }] of teachers.entries()) assertSays(said.teachers[at], rest);
}

/** Fields that a file has beside those that are read do not count. */
function assertSays(said: unknown, read: unknown): void {
  if (typeof read !== "object" || read === null) assert.ok(Object.is(said, read), `${said} is not ${read}`);
  else for (const [name, value] of Object.entries(read)) assertSays((said as Record<string, unknown>)[name], value);
}

const withDescription = (file: Uint8Array, change: (description: unknown) => string): Uint8Array => {
  const { header, data } = partsOf(file);
  const { __metadata__: metadata, ...tensors } = header;
  const checkpoint = change(JSON.parse(String(metadata?.checkpoint)));
  return fileOf(JSON.stringify({ __metadata__: { ...metadata, checkpoint }, ...tensors }), data);
};

const editedDescription: Damage = (files, draw) =>
  withDescription(draw.pick(files), (description) => editJson(description, draw));
const editedMetadata: Damage = (files, draw) => {
  const { header, data } = partsOf(draw.pick(files));
  const { __metadata__: metadata, ...tensors } = header;
  return fileOf(`{"__metadata__":${editJson(metadata, draw)},${JSON.stringify(tensors).slice(1)}`, data);
};
const damagedDescription: Damage = (files, draw) =>
  withDescription(draw.pick(files), (description) => {
    const text = JSON.stringify(description);
    const at = draw.int(text.length);
    return text.slice(0, at) + String.fromCharCode(draw.int(draw.pick([128, 65_536]))) + text.slice(at + draw.int(3));
  });
const otherArrays: Damage = (_, draw) => {
  const description = { version: 1, ...checkpointOf(50, []).info, teachers: [] };
  const name = draw.pick([
    "",
    "w",
    "params",
    "teachers.1.w",
    "teachers.0.w",
    "teachers.x",
    "__proto__",
    "optState",
    "Params.w",
  ]);
  return encodeSafetensors(
    { ...state, ...Object.fromEntries([[name, float32([draw.int(9)])]]) },
    { format: "codistill.checkpoint", checkpoint: JSON.stringify(description) },
  );
};

const PER_CATEGORY = 2500;
const results = tally("checkpoint");
const all = {
  ...damages,
  "edited metadata": editedMetadata,
  "edited description": editedDescription,
  "damaged description": damagedDescription,
};

const never = new Set(["truncated", "length of the header"]);
const oftenLegal = /flipped|description|bytes of another|data of another/;

for (const [name, damage] of Object.entries(all)) {
  test(`${name}: refused, or what the file says`, async () => {
    const expected = never.has(name) ? "all refused" : oftenLegal.test(name) ? "both" : "some refused";
    await results.run(name, PER_CATEGORY, expected, async (draw) => {
      const file = damage(files, draw);
      // Without a digest other data is legal data: each second file is also cut by a byte.
      const isCut = name === "flipped bits of the data" && draw.int(2) === 0;
      await read(isCut ? file.subarray(0, -1) : file);
      assert.ok(!isCut, "a file that was cut");
    });
  });
}

test("a newer version is refused and named", async () => {
  await results.run("another version", PER_CATEGORY, "all refused", async (draw) => {
    const version = draw.int(2) === 0 ? draw.pick([0, -1, 1.5, "1", null, true, [], {}]) : 2 + draw.int(1e9);
    const shown = typeof version === "object" ? JSON.stringify(version) : version;
    const change = (description: unknown) =>
      JSON.stringify({ ...(description as object), version, ...(draw.int(2) === 0 && { cursor: 5, teachers: {} }) });
    await read(withDescription(draw.pick(files), change)).catch((error) => {
      if (error instanceof CheckpointError)
        assert.ok(error.message.includes(`must be 1, got ${shown}\n`), error.message);
      throw error;
    });
  });
});

test("arrays that belong to nothing are refused", async () => {
  await results.run("other arrays", PER_CATEGORY, "all refused", (draw) => read(otherArrays(files, draw)));
});

test("summary", (t) => {
  t.diagnostic(`\n${results.table()}\n`);
  assert.ok(results.total() >= 40_000, `only ${results.total()} inputs`);
});
