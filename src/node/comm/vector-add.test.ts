import assert from "node:assert/strict";
import { test } from "node:test";
import { addTo } from "../../comm/communicator.js";
import { bytesOf } from "../../runtime/array.js";
import { fold, normal, rootKey } from "../../runtime/random.js";
import { type VectorMemory, vectorAdd, vectorMemory } from "./vector-add.js";

test("has the bits of a loop of JavaScript for all lengths and places, and changes no other number", () => {
  const memory = vectorMemory(4 * 2048) as VectorMemory;
  const all = new Float32Array(memory.buffer, 0, 2048);
  const add = vectorAdd(memory);
  const special = [
    0,
    -0,
    1e-45,
    -1e-45,
    3e38,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    1,
    2 ** -24,
    16_777_216,
  ];
  for (const length of [0, 1, 3, 4, 5, 8, 17, 250]) {
    for (const [sums, terms] of [
      [0, 1024],
      [3, 1029],
      [1030, 7],
    ] as const) {
      all.set(normal(fold(rootKey(length), sums), all.length));
      special.forEach((number, i) => {
        if (i < length) all[sums + i] = number;
        if (i < length) all[terms + length - 1 - i] = number;
      });
      const expected = all.slice();
      addTo(expected.subarray(sums, sums + length), expected.subarray(terms, terms + length));
      add(all.subarray(sums, sums + length), all.subarray(terms, terms + length));
      assert.deepEqual(bytesOf(all.slice()), bytesOf(expected), `${length} numbers from ${sums} and ${terms}`);
    }
  }
});

test("there is none for more than it can address, and then the loop adds up", () => {
  assert.equal(vectorMemory(2 ** 32 + 1), null);
  const sums = Float32Array.of(1, 2, 3);
  vectorAdd(null)(sums, Float32Array.of(0.5, 0.25, 4));
  assert.deepEqual([...sums], [1.5, 2.25, 7]);
});
