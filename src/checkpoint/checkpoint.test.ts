import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { CheckpointError } from "../errors.js";
import { float32, type NamedArrays } from "../runtime/array.js";
import { withPrefix } from "../runtime/named.js";
import { type Checkpoint, readCheckpoint, writeCheckpoint } from "./checkpoint.js";
import { encodeSafetensors } from "./safetensors.js";
import { publishSnapshot } from "./snapshot.js";
import { memoryStore } from "./store.js";

const NAME = "checkpoint.safetensors";
const params: NamedArrays = { "layers.0.weight": float32([1, -2, 3, 4], [2, 2]), "layers.0.bias": float32([0.1, -0]) };
const info: Checkpoint["info"] = {
  group: 1,
  step: 500,
  incarnation: 2,
  model: "a".repeat(64),
  cursor: { epoch: 3, position: 17 },
  best: { step: 450, loss: 0.123456789012345 },
  learningRateScale: 0.5,
  waiting: { loss: 0.125, validations: 2 },
};
const state: NamedArrays = {
  ...withPrefix("params", params),
  ...withPrefix("optState.m", params),
  "optState.v.layers.0.bias": float32([1e-45, 3.4e38]),
};
const teacher = (group: number) => ({
  group,
  step: 100 * group,
  digest: String(group).repeat(64),
  seenAtStep: 480,
  params: { ...params, "layers.0.bias": float32([group, -group]) },
});

async function refused(bytes: Uint8Array, ...patterns: readonly RegExp[]): Promise<void> {
  const store = memoryStore();
  await store.put(NAME, bytes);
  await assert.rejects(readCheckpoint(store, NAME), (error) => {
    assert.ok(error instanceof CheckpointError, String(error));
    for (const pattern of patterns) assert.match(error.message, pattern);
    return true;
  });
}

/** A checkpoint's bytes with its description replaced. */
function described(description: unknown): Uint8Array {
  const text = typeof description === "string" ? description : JSON.stringify(description);
  return encodeSafetensors(state, { format: "codistill.checkpoint", checkpoint: text });
}
const description = { version: 1, ...info, teachers: [] };

describe("a checkpoint", () => {
  for (const numTeachers of [0, 1, 3]) {
    test(`with ${numTeachers} teachers comes back whole`, async () => {
      const store = memoryStore();
      // 1 and 11: neither name may be taken for the beginning of the other.
      const checkpoint: Checkpoint = { info, state, teachers: [1, 11, 2].slice(0, numTeachers).map(teacher) };
      const size = await writeCheckpoint(store, NAME, checkpoint);
      assert.equal(size, (await store.get(NAME))?.length);
      assert.deepEqual(await readCheckpoint(store, NAME), checkpoint);
    });
  }

  test("comes back to the bit, whatever the numbers", async () => {
    const floats = fc.float32Array({ minLength: 1, maxLength: 8 }).map((data) => float32(data));
    const cursor = fc.record({ epoch: fc.nat(), position: fc.nat() }, { noNullPrototype: true });
    const best = fc.option(fc.record({ step: fc.nat(), loss: fc.double({ noNaN: true, noDefaultInfinity: true }) }));
    await fc.assert(
      fc.asyncProperty(floats, floats, fc.nat(), cursor, best, async (weight, moment, step, cursor, best) => {
        const store = memoryStore();
        const loss = best && { ...best, loss: best.loss + 0 };
        const checkpoint: Checkpoint = {
          info: { ...info, step, cursor, best: loss },
          state: { "params.w": weight, "optState.m.w": moment },
          teachers: [],
        };
        await writeCheckpoint(store, NAME, checkpoint);
        assert.deepEqual(await readCheckpoint(store, NAME), checkpoint);
      }),
      { numRuns: 50 },
    );
  });

  test("replaces an older one whole, and equal ones are equal to the byte", async () => {
    const store = memoryStore();
    await writeCheckpoint(store, NAME, { info, state, teachers: [teacher(1), teacher(2)] });
    const later: Checkpoint = { info: { ...info, step: 600, best: null }, state, teachers: [teacher(2)] };
    await writeCheckpoint(store, NAME, later);
    assert.deepEqual(await readCheckpoint(store, NAME), later);
    assert.deepEqual(await store.list(""), [NAME]);
    const first = await store.get(NAME);
    await writeCheckpoint(store, NAME, later);
    assert.deepEqual(await store.get(NAME), first);
  });

  test("is null where there is none", async () => {
    assert.equal(await readCheckpoint(memoryStore(), NAME), null);
  });
});

describe("a checkpoint is refused", () => {
  test("when it is torn or empty", async () => {
    const bytes = described(description);
    for (const length of [0, 7, 100, bytes.length - 1]) await refused(bytes.subarray(0, length), /safetensors: /);
  });

  test("when it is another kind of file", async () => {
    const store = memoryStore();
    const { name } = await publishSnapshot(store, { group: 1, step: 1, incarnation: 1, model: "m", params });
    await refused(
      (await store.get(name)) ?? new Uint8Array(),
      /checkpoint checkpoint\.safetensors is refused: its format is codistill\.snapshot/,
    );
    await refused(encodeSafetensors(params), /its format is not named/);
  });

  test("when it is of another version, which is named", async () => {
    await refused(described({ ...description, version: 2 }), /checkpoint\.safetensors is refused: .*must be 1, got 2/);
    await refused(described({ ...description, version: undefined }), /must be 1, got undefined/);
  });

  test("when its description is missing, no JSON or not a description", async () => {
    await refused(encodeSafetensors(state, { format: "codistill.checkpoint" }), /is refused/);
    const deep = `{"version":${"[".repeat(30_000)}${"]".repeat(30_000)}}`;
    for (const text of ["", "{", "null", "5", "[]", deep]) await refused(described(text), /is refused/);
    const wrong: readonly [object, RegExp][] = [
      [{ step: -1 }, /step/],
      [{ group: 0.5 }, /group/],
      [{ incarnation: 0 }, /incarnation/],
      [{ cursor: { epoch: 0 } }, /cursor\.position/],
      [{ best: { step: 1, loss: null } }, /best\.loss/],
      [{ teachers: [{ group: 1 }] }, /teachers\[0\]\.step/],
      [{ model: undefined }, /model/],
    ];
    for (const [change, pattern] of wrong)
      await refused(described({ ...description, ...change }), /is refused/, pattern);
    await refused(described({ ...description, version: { toString: 1 } }), /must be 1, got \{"toString":1\}/);
    await refused(described({ ...description, teachers: new Array(9000).fill(5) }), /teachers\[4\]\nand 8995 more$/);
    await refused(described("9".repeat(300_000)), /at most 262144 characters, got 300000/);
  });

  test("when an array belongs to nothing, or a teacher is named twice", async () => {
    const named = (name: string, teachers: readonly object[] = []) =>
      encodeSafetensors(
        { ...state, [name]: float32([1]) },
        { format: "codistill.checkpoint", checkpoint: JSON.stringify({ ...description, teachers }) },
      );
    for (const name of ["", "w", "params", "teachers.1.w", "teachers.x.w", "__proto__", "xparams.w"]) {
      await refused(named(name), /is neither state nor of a teacher that it names/);
    }
    const { params: _, ...one } = teacher(1);
    await refused(named("teachers.1.w", [one, one]), /must name each teacher once/);
    await refused(named("teachers.01.w", [one]), /"teachers\.01\.w" is neither/);
  });

  test("before it is written, when its description is too long to be read back", async () => {
    const teachers = Array.from({ length: 3000 }, (_, group) => ({ ...teacher(1), group, params: {} }));
    const store = memoryStore();
    await assert.rejects(writeCheckpoint(store, NAME, { info, state, teachers }), /at most 262144 characters, got \d+/);
    assert.deepEqual(await store.list(""), []);
  });
});
