import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { afterEach, test } from "node:test";
import { rootKey, uniform } from "../runtime/random.js";
import { hashPiecewise, sha256, webDigest } from "./digest.js";

let numHashes = 0;
const hash = () => {
  numHashes++;
  return createHash("sha256");
};
hashPiecewise(hash);
afterEach(() => hashPiecewise(hash));

test("SHA-256 of bytes in one part, in many, and by Web Crypto are the same", async () => {
  const bytes = new Uint8Array(uniform(rootKey(1), 2_500_001).buffer);
  const expected = createHash("sha256").update(bytes).digest("hex");
  const cuts = [0, 1, 1, 4 << 20, (8 << 20) + 3, bytes.length];
  const parts = cuts.slice(1).map((end, i) => bytes.subarray(cuts[i], end));
  assert.equal(await sha256(bytes), expected);
  assert.equal(await sha256(parts), expected);
  assert.equal(await webDigest(parts), expected);
  assert.equal(await webDigest([bytes]), expected);
});

test("SHA-256 of texts and of nothing are the published ones", async () => {
  // FIPS 180-2, appendix B.1.
  assert.equal(await sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  for (const nothing of ["", [], new Uint8Array(), [new Uint8Array()]]) assert.equal(await sha256(nothing), empty);
});

test("everything else gets a turn after each 4 MiB, in however many parts they are", async () => {
  const bytes = new Uint8Array(16 << 20);
  for (const numParts of [1, 3, 64]) {
    const size = Math.ceil(bytes.length / numParts);
    const parts = Array.from({ length: numParts }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
    let turns = 0;
    let isDone = false;
    const turn = () => {
      turns++;
      if (!isDone) setImmediate(turn);
    };
    setImmediate(turn);
    await sha256(parts);
    isDone = true;
    assert.ok(turns >= 3, `${turns} turns of the event loop beside ${numParts} parts`);
  }
});

test("a platform's hash is taken where it was given, and Web Crypto's everywhere else, with the same digest", async () => {
  const before = numHashes;
  const digest = await sha256("abc");
  assert.equal(numHashes, before + 1);
  hashPiecewise(null);
  assert.equal(await sha256("abc"), digest);
  assert.equal(await sha256([new Uint8Array([97]), new Uint8Array([98, 99])]), digest);
  assert.equal(numHashes, before + 1);
});
