import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { z } from "zod";
import { CheckpointError } from "../errors.js";
import { float32, type NamedArrays } from "../runtime/array.js";
import { withPrefix } from "../runtime/named.js";
import { type Checkpoint, readCheckpoint, sectionInfo, sectionOf, writeCheckpoint } from "./checkpoint.js";
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
};
const sections: Checkpoint["sections"] = {
  student: { info: { scale: 0.123456789012345 }, arrays: { ...params, v: float32([1e-45, 3.4e38]) } },
  stream: { info: { epoch: 3, position: 17 }, arrays: {} },
  // Neither name may be taken for the beginning of the other.
  st: { info: [null, "text", true], arrays: { ...params, "udent.v": float32([7]) } },
};

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
  return encodeSafetensors(withPrefix("student", params), { format: "codistill.checkpoint", checkpoint: text });
}
const description = { version: 2, ...info, sections: { student: {} } };

describe("a checkpoint", () => {
  test("comes back whole, with as many sections as were saved", async () => {
    for (const numSections of [0, 1, 3]) {
      const store = memoryStore();
      const checkpoint = { info, sections: Object.fromEntries(Object.entries(sections).slice(0, numSections)) };
      const size = await writeCheckpoint(store, NAME, checkpoint);
      assert.equal(size, (await store.get(NAME))?.length);
      assert.deepEqual(await readCheckpoint(store, NAME), checkpoint);
    }
  });

  test("comes back to the bit, whatever the numbers", async () => {
    const floats = fc.float32Array({ minLength: 1, maxLength: 8 }).map((data) => float32(data));
    await fc.assert(
      fc.asyncProperty(floats, floats, fc.nat(), fc.jsonValue({ maxDepth: 5 }), async (weight, moment, step, json) => {
        const store = memoryStore();
        // JSON has no -0.
        const own = JSON.parse(JSON.stringify(json));
        const checkpoint: Checkpoint = {
          info: { ...info, step },
          sections: { student: { info: own, arrays: { "params.w": weight, w: moment } } },
        };
        await writeCheckpoint(store, NAME, checkpoint);
        assert.deepEqual(await readCheckpoint(store, NAME), checkpoint);
      }),
      { numRuns: 50 },
    );
  });

  test("replaces an older one whole, and equal ones are equal to the byte", async () => {
    const store = memoryStore();
    await writeCheckpoint(store, NAME, { info, sections });
    const later: Checkpoint = { info: { ...info, step: 600 }, sections: { st: { info: {}, arrays: params } } };
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
    for (const version of [1, 3])
      await refused(
        described({ ...description, version }),
        new RegExp(`checkpoint\\.safetensors is refused: .*must be 2, got ${version}`),
      );
    await refused(described({ ...description, version: undefined }), /must be 2, got undefined/);
  });

  test("when its description is missing, no JSON or not a description", async () => {
    await refused(encodeSafetensors(params, { format: "codistill.checkpoint" }), /is refused/);
    const deep = `{"version":${"[".repeat(30_000)}${"]".repeat(30_000)}}`;
    for (const text of ["", "{", "null", "5", "[]", deep]) await refused(described(text), /is refused/);
    const wrong: readonly [object, RegExp][] = [
      [{ step: -1 }, /step/],
      [{ group: 0.5 }, /group/],
      [{ incarnation: 0 }, /incarnation/],
      [{ model: undefined }, /model/],
      [{ sections: [] }, /sections/],
      [{ sections: { "a.b": {} } }, /sections\["a\.b"\]/],
      [{ sections: { student: {}, X: 5 } }, /sections\.X/],
    ];
    for (const [change, pattern] of wrong)
      await refused(described({ ...description, ...change }), /is refused/, pattern);
    await refused(described({ ...description, version: { toString: 1 } }), /must be 2, got \{"toString":1\}/);
    const many = Object.fromEntries(Array.from({ length: 9000 }, (_, at) => [`X${at}`, 5]));
    await refused(described({ ...description, sections: many }), /X4[\s\S]*and 8995 more$/);
    await refused(described("9".repeat(300_000)), /at most 262144 characters, got 300000/);
  });

  test("when an array belongs to no section", async () => {
    for (const name of ["", "w", "student", "xstudent.w", "stud.w", "__proto__", "constructor.w", ".w"]) {
      const file = encodeSafetensors(
        { [name]: float32([1]) },
        { format: "codistill.checkpoint", checkpoint: JSON.stringify(description) },
      );
      await refused(file, /belongs to no section that it names/, new RegExp(JSON.stringify(name)));
    }
  });

  test("before it is written, when its description is too long to be read back", async () => {
    const store = memoryStore();
    const long = { student: { info: "9".repeat(300_000), arrays: {} } };
    await assert.rejects(writeCheckpoint(store, NAME, { info, sections: long }), /at most 262144 characters, got \d+/);
    assert.deepEqual(await store.list(""), []);
  });
});

describe("a section", () => {
  const schema = z.object({ scale: z.number().positive() });

  test("is checked by the part that owns it", () => {
    const section = { info: { scale: 0.5, more: 1 }, arrays: {} };
    assert.deepEqual(sectionInfo(section, "student", schema), { scale: 0.5 });
    for (const info of [null, 5, [], {}, { scale: 0 }, { scale: "1" }]) {
      assert.throws(
        () => sectionInfo({ info, arrays: {} }, "student", schema),
        (error) =>
          error instanceof CheckpointError && /^section student of the checkpoint is refused/.test(error.message),
      );
    }
  });

  test("that is missing is named, with those that there are", () => {
    assert.equal(sectionOf({ info, sections }, "stream"), sections.stream);
    for (const name of ["teachers", "constructor", "__proto__"]) {
      assert.throws(
        () => sectionOf({ info, sections }, name),
        new RegExp(`must have a section ${name}, this one has student, stream, st$`),
      );
    }
    assert.throws(() => sectionOf({ info, sections: {} }, "stream"), /this one has none$/);
  });
});
