import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesOf, float32, int32, notFinite } from "./array.js";

test("NaN and infinities are found at any place, and nothing else is taken for one", () => {
  const others = {
    ids: int32([2 ** 31 - 1]),
    flags: { dtype: "bool", shape: [1], data: Uint8Array.of(1) } as const,
    none: float32([]),
  };
  const largest = 3.4028234663852886e38; // the largest float32, whose plain sum would overflow
  assert.deepEqual(notFinite({ ...others, a: float32([largest, largest, -0, 2 ** -149]) }), []);
  for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    for (const at of [0, 1, 2]) {
      const data = [largest, 0, -1].map((value, i) => (i === at ? wrong : value));
      assert.deepEqual(notFinite({ ...others, a: float32([1]), b: float32(data), c: float32([wrong]) }), ["b", "c"]);
    }
  }
});

test("the bytes of a part of memory are those of that part, not copies", () => {
  const words = Int32Array.of(1, 2, 0x04030201, 4);
  const bytes = bytesOf(words.subarray(2, 3));
  assert.deepEqual([...bytes], [1, 2, 3, 4]);
  bytes[0] = 9;
  assert.equal(words[2], 0x04030209);
});
