/** Whatever lies in a group's folder, reading a checkpoint gives what the file says, or a refusal. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeSafetensors } from "../../src/checkpoint/safetensors.js";
import { SEAL } from "../../src/checkpoint/seal.js";
import { memoryStore } from "../../src/checkpoint/store.js";
import { savedTeachers, saveTeachers } from "../../src/codistill/saved-teachers.js";
import { CheckpointError } from "../../src/errors.js";
import { readSavedGroup, type SavedGroup, writeOwnCheckpoint } from "../../src/run/saved-group.js";
import { float32, type NamedArrays } from "../../src/runtime/array.js";
import { withPrefix } from "../../src/runtime/named.js";
import { isFull } from "../fixtures/full.js";
import { type Damage, damages, fileOf, partsOf } from "./damage.js";
import { editJson } from "./edit-json.js";
import { assertHolds } from "./oracle.js";
import { tally } from "./tally.js";

const NAME = "checkpoint.safetensors";
const params: NamedArrays = { w: float32([1, -2], [2, 1]), b: float32([0.5]) };
const state: NamedArrays = { ...withPrefix("params", params), ...withPrefix("optState.m", params) };
const teacher = (group: number) => ({ group, step: 40, digest: "d".repeat(8), seenAtStep: 45, params });
const checkpointOf = (step: number, groups: readonly number[]): SavedGroup => ({
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
  algorithm: saveTeachers(groups.map(teacher)),
});

async function bytesOf(saved: SavedGroup): Promise<Uint8Array> {
  const store = memoryStore();
  await writeOwnCheckpoint(store, saved);
  // Without its digest, which would refuse all that follows before it is looked at.
  const { header, data } = partsOf((await store.get(NAME)) ?? new Uint8Array());
  delete header.__metadata__?.[SEAL];
  return fileOf(JSON.stringify(header), data);
}

const withoutTeachers = await bytesOf(checkpointOf(50, []));
const files = [await bytesOf(checkpointOf(50, [1])), await bytesOf(checkpointOf(60, [1, 11]))];

/** Read a file; what comes out must be what the file says. */
async function read(file: Uint8Array): Promise<void> {
  const store = memoryStore();
  await store.put(NAME, file);
  const saved = await readSavedGroup(store, NAME);
  assert.ok(saved);
  const { info, state, algorithm } = saved;
  const { known: teachers } = savedTeachers(algorithm);
  const teacherArrays = teachers.flatMap(({ group, params }) =>
    Object.entries(withPrefix(`algorithm.${group}`, params)),
  );
  const stateArrays = Object.entries(withPrefix("student", state));
  const metadata = assertHolds(file, Object.fromEntries([...stateArrays, ...teacherArrays]));
  const { version, sections, ...head } = JSON.parse(String(metadata.checkpoint));
  assert.equal(version, 2);
  const said = { ...head, ...sections.student, ...sections.stream, ...sections.validation };
  const { mustValidate: _, ...required } = info;
  assert.deepEqual(Object.keys(required).sort(), Object.keys(checkpointOf(1, []).info).sort());
  for (const [name, value] of Object.entries(info)) assertSays(said[name], value);
  assert.equal(teachers.length, sections.algorithm.teachers.length);
  for (const [at, { params: _, ...rest }] of teachers.entries()) assertSays(sections.algorithm.teachers[at], rest);
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
  const name = draw.pick([
    "",
    "w",
    "params.w",
    "student",
    "Student.w",
    "algorithm.1.w",
    "algorithm.x",
    "algorithm.01.w",
    "__proto__",
    "sections.w",
  ]);
  const checkpoint = String(partsOf(withoutTeachers).header.__metadata__?.checkpoint);
  return encodeSafetensors(
    { ...withPrefix("student", state), ...Object.fromEntries([[name, float32([draw.int(9)])]]) },
    { format: "codistill.checkpoint", checkpoint },
  );
};

const PER_CATEGORY = isFull ? 2500 : 600;
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
    const version = draw.int(2) === 0 ? draw.pick([0, 1, -1, 1.5, "2", null, true, [], {}]) : 3 + draw.int(1e9);
    const shown = typeof version === "object" ? JSON.stringify(version) : version;
    const change = (description: unknown) =>
      JSON.stringify({ ...(description as object), version, ...(draw.int(2) === 0 && { step: -1, sections: 5 }) });
    await read(withDescription(draw.pick(files), change)).catch((error) => {
      if (error instanceof CheckpointError)
        assert.ok(error.message.includes(`must be 2, got ${shown}\n`), error.message);
      throw error;
    });
  });
});

test("arrays that belong to nothing are refused", async () => {
  await results.run("other arrays", PER_CATEGORY, "all refused", (draw) => read(otherArrays(files, draw)));
});

test("summary", (t) => {
  t.diagnostic(`\n${results.table()}\n`);
  assert.ok(results.total() >= 16 * PER_CATEGORY, `only ${results.total()} inputs`);
});
