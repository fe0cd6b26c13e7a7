import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CheckpointError, DamagedError } from "../errors.js";
import { generationsOf, readGeneration } from "./generations.js";
import { memoryStore } from "./store.js";

const text = (bytes: Uint8Array | null) => bytes && new TextDecoder().decode(bytes);
const bytes = (value: string) => new TextEncoder().encode(value);
const NAME = "file.bin";

/** A store with these files, and what reading the newest generation tells. */
async function withFiles(files: Readonly<Record<string, string>>) {
  const store = memoryStore();
  for (const [name, value] of Object.entries(files)) await store.put(name, bytes(value));
  const told: string[] = [];
  const read = async (name: string) => {
    const value = text(await store.get(name));
    if (value === "bad") throw new DamagedError(`${name} is damaged`);
    if (value === "newer") throw new CheckpointError(`${name}: version must be 1`);
    return value;
  };
  return { store, told, newest: () => readGeneration(store, NAME, read, (message) => told.push(message)) };
}

describe("the newest generation that is whole", () => {
  test("is the file itself, untold, whatever the one before is", async () => {
    for (const before of ["old", "bad", "newer"]) {
      const { newest, told } = await withFiles({ [NAME]: "new", "file.before.bin": before });
      assert.equal(await newest(), "new");
      assert.deepEqual(told, []);
    }
    assert.equal(await (await withFiles({})).newest(), null);
  });

  test("is the one before when the file is damaged or gone: it takes its place, and is told of", async () => {
    const damaged = await withFiles({ [NAME]: "bad", "file.before.bin": "old" });
    assert.equal(await damaged.newest(), "old");
    assert.deepEqual(damaged.told, [
      "file.bin is damaged. The one before it takes its place; the damaged one is kept as file.damaged.bin",
    ]);
    assert.deepEqual(
      [text(await damaged.store.get(NAME)), text(await damaged.store.get("file.damaged.bin"))],
      ["old", "bad"],
    );
    assert.equal(await damaged.newest(), "old");
    assert.equal(damaged.told.length, 1);
    const gone = await withFiles({ "file.before.bin": "old" });
    assert.equal(await gone.newest(), "old");
    assert.deepEqual(gone.told, ["file.bin is missing. The one before it takes its place"]);
  });

  test("is none when none is whole, and the cure names the files to remove", async () => {
    const refused = (files: Readonly<Record<string, string>>, message: RegExp) =>
      withFiles(files).then(({ newest }) => assert.rejects(newest(), { name: "CheckpointError", message }));
    await refused(
      { [NAME]: "bad" },
      /file\.bin is damaged, and there is none before it\. .* remove file\.bin to begin/,
    );
    await refused(
      { [NAME]: "bad", "file.before.bin": "bad" },
      /, and so is the one before it \(file\.before\.bin is damaged\)\. .* remove file\.bin and file\.before\.bin to begin anew/,
    );
    await refused({ "file.before.bin": "bad" }, /file\.bin is missing, and so is/);
  });

  test("is not looked for when the file is of another version", async () => {
    const { newest } = await withFiles({ [NAME]: "newer", "file.before.bin": "old" });
    await assert.rejects(newest(), /file\.bin: version must be 1/);
  });
});

test("names of generations keep the ending", () => {
  assert.deepEqual(generationsOf("a.safetensors"), {
    before: "a.before.safetensors",
    damaged: "a.damaged.safetensors",
  });
  assert.deepEqual(generationsOf("a"), { before: "a.before", damaged: "a.damaged" });
});
