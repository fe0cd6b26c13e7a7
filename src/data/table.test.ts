import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DataError } from "../errors.js";
import { gatherBatch, type Rows, recordLayout, tableRows } from "./records.js";

const spec = { categorical: { city: "city", colour: "lower(colour)" }, numeric: { size: "size" } };
const layout = recordLayout(spec);

/** Rows whose words tell where they come from: ids 10 r and 10 r + 1, value r + 0.5 (row 2 missing), label r mod 2. */
function numbered(numRows: number): Rows {
  const words = new Int32Array(numRows * 4);
  const floats = new Float32Array(words.buffer);
  for (let row = 0; row < numRows; row++) {
    words.set([10 * row, 10 * row + 1], 4 * row);
    floats.set([row === 2 ? Number.NaN : row + 0.5, row % 2], 4 * row + 2);
  }
  return tableRows(layout, words);
}

test("a record has the categorical ids, the numeric values and the label, in declared order", () => {
  assert.deepEqual(layout.columns, [
    { name: "features.city", dtype: "int32" },
    { name: "features.colour", dtype: "int32" },
    { name: "features.size", dtype: "float32" },
    { name: "labels", dtype: "float32" },
  ]);
});

test("feature names that clash, are empty or would break a path are refused", () => {
  assert.throws(() => recordLayout({ categorical: {}, numeric: {} }), DataError);
  assert.throws(() => recordLayout({ categorical: { a: "x" }, numeric: { a: "y" } }), /"a" is both categorical \(x\)/);
  assert.throws(() => recordLayout({ categorical: { "a.b": "x" }, numeric: {} }), /got "a.b"/);
  assert.throws(() => recordLayout({ categorical: { "": "x" }, numeric: {} }), /got ""/);
});

test("a batch has one array for each feature, and the labels", () => {
  const batch = gatherBatch(numbered(5), [4, 0, 2, 4]);
  assert.deepEqual(batch, {
    "features.city": { dtype: "int32", shape: [4], data: Int32Array.of(40, 0, 20, 40) },
    "features.colour": { dtype: "int32", shape: [4], data: Int32Array.of(41, 1, 21, 41) },
    "features.size": { dtype: "float32", shape: [4], data: Float32Array.of(4.5, 0.5, Number.NaN, 4.5) },
    labels: { dtype: "float32", shape: [4], data: Float32Array.of(0, 0, 0, 0) },
  });
});

test("a range is the batch of its indices, and an empty one has no rows", () => {
  const rows = numbered(20);
  const range = fc.tuple(fc.nat(20), fc.nat(20)).map(([a, b]) => ({ start: Math.min(a, b), end: Math.max(a, b) }));
  fc.assert(
    fc.property(range, ({ start, end }) => {
      const indices = Array.from({ length: end - start }, (_, i) => start + i);
      assert.deepEqual(gatherBatch(rows, { start, end }), gatherBatch(rows, indices));
      assert.deepEqual(gatherBatch(rows, { start, end }), gatherBatch(rows, Uint32Array.from(indices)));
    }),
  );
});

test("a batch is a copy, and a row that is not there is refused", () => {
  const rows = numbered(3);
  const batch = gatherBatch(rows, [1]);
  rows.read([1]).fill(7);
  assert.deepEqual(batch["features.city"]?.data, Int32Array.of(10));
  for (const row of [3, -1, Number.NaN]) assert.throws(() => gatherBatch(rows, [row]), DataError);
  assert.throws(() => tableRows(layout, new Int32Array(5)), /a record has 4 words, and 5/);
});
