import assert from "node:assert/strict";
import { test } from "node:test";
import { CheckpointError, DamagedError } from "../errors.js";
import { float32 } from "../runtime/array.js";
import { joined } from "./bytes.js";
import { type Checkpoint, readCheckpoint, writeCheckpoint } from "./checkpoint.js";
import { encodeSafetensors } from "./safetensors.js";
import { checkSeal, NO_SEAL, openSafetensors, SEAL, seal, sealedSafetensors } from "./seal.js";
import { memoryStore } from "./store.js";

const checkpoint: Checkpoint = {
  info: { group: 1, step: 500, incarnation: 2, model: "abc" },
  sections: {
    student: { info: { scale: 0.5 }, arrays: { "params.w": float32([1, -2, 3]) } },
    stream: { info: { epoch: 3, position: 17 }, arrays: {} },
  },
};

test("each bit of a checkpoint that flips is seen, or changes nothing that is read", async () => {
  const store = memoryStore();
  await writeCheckpoint(store, "c.safetensors", checkpoint);
  const bytes = (await store.get("c.safetensors")) ?? new Uint8Array();
  const numUnseen: number[] = [];
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const damaged = bytes.slice();
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    await store.put("c.safetensors", damaged);
    const read = await readCheckpoint(store, "c.safetensors").catch((error: unknown) => {
      assert.ok(error instanceof DamagedError, String(error));
      assert.match(error.message, /^checkpoint c\.safetensors is damaged: /);
      return null;
    });
    if (read === null) continue;
    numUnseen.push(bit >> 3);
    assert.deepEqual(read, checkpoint);
  }
  // A flip in the name of the digest takes the digest away, and nothing else.
  const name = new TextDecoder("latin1").decode(bytes).indexOf(SEAL);
  assert.ok(numUnseen.length > 0);
  assert.ok(numUnseen.every((at) => at >= name && at < name + SEAL.length));
});

test("the message names the file and both digests", async () => {
  const bytes = joined(await sealedSafetensors({ w: float32([1]) }, { format: "x" }));
  bytes[bytes.length - 1]! ^= 1;
  await assert.rejects(openSafetensors("best.safetensors", bytes), (error) => {
    assert.ok(error instanceof DamagedError);
    assert.match(
      error.message,
      /^best\.safetensors is damaged: its SHA-256 must be [0-9a-f]{16}\.\.\., as it says itself, and is [0-9a-f]{16}\.\.\.$/,
    );
    return true;
  });
});

test("a file of an earlier version has no digest and is read", async () => {
  const bytes = encodeSafetensors({ w: float32([1]) }, { format: "x" });
  assert.deepEqual((await openSafetensors("old", bytes)).metadata, { format: "x" });
});

test("a digest stands for itself alone: text that looks like one is not taken for it", async () => {
  const looksLike = `"${SEAL}":"${NO_SEAL}"`;
  const parts = await sealedSafetensors({ w: float32([1]) }, { before: looksLike, zafter: looksLike });
  const { metadata } = await openSafetensors("x", joined(parts));
  assert.equal(metadata.before, looksLike);
  assert.notEqual(metadata[SEAL], NO_SEAL);
});

test("a file that has no place for a digest cannot be sealed, and one of another kind has none", async () => {
  const bytes = encodeSafetensors({ w: float32([1]) });
  await assert.rejects(seal(bytes, "json"), /internal: .* no fileSha256/);
  await checkSeal("x", bytes, "onnx");
  await assert.rejects(openSafetensors("x", bytes.subarray(0, 9)), CheckpointError);
});
