/** What a file says, read again in the plainest way: for a file that was accepted this must be what came out. */
import assert from "node:assert/strict";
import type { NamedArrays } from "../../src/runtime/array.js";
import { partsOf } from "./damage.js";

const kinds: Readonly<Record<string, readonly [dtype: string, width: number]>> = {
  F32: ["float32", 4],
  I32: ["int32", 4],
  BOOL: ["bool", 1],
};

/** Fails unless the tensors are those of the file, to the bit, and account for each of its bytes. */
export function assertHolds(file: Uint8Array, tensors: NamedArrays): Readonly<Record<string, unknown>> {
  const { header, data } = partsOf(file);
  const { __metadata__: metadata = {}, ...entries } = header;
  assert.deepEqual(Object.keys(tensors).sort(), Object.keys(entries).sort());
  let numBytes = 0;
  for (const [name, entry] of Object.entries(entries)) {
    const [kind, width] = kinds[String(entry.dtype)] ?? [];
    const [begin, end] = entry.data_offsets as [number, number];
    const array = Object.getOwnPropertyDescriptor(tensors, name)?.value as NamedArrays[string];
    assert.equal(array.dtype, kind);
    assert.deepEqual(array.shape, entry.shape);
    const { buffer, byteOffset, byteLength, length } = array.data;
    assert.equal(byteLength, length * (width ?? 0));
    assert.ok(Buffer.from(buffer, byteOffset, byteLength).equals(data.subarray(begin, end)), `the data of ${name}`);
    numBytes += byteLength;
  }
  assert.equal(numBytes, data.length);
  return metadata;
}
