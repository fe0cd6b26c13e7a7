import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { quantilesOf } from "./quantiles.js";

const folder = mkdtempSync(join(tmpdir(), "quantiles-"));
after(() => rmSync(folder, { recursive: true }));

/** A file of records of two columns. */
function fileOf(rows: readonly (readonly [number, number])[]): string {
  const path = join(folder, `${rows.length}.bin`);
  writeFileSync(path, new Uint8Array(Float32Array.from(rows.flat()).buffer));
  return path;
}

test("are values of the column in ascending order, from the least to the largest", async () => {
  // 0 to 320 in another order: 7 and 321 have no common divisor.
  const path = fileOf(Array.from({ length: 321 }, (_, i) => [(7 * i) % 321, 400 - i]));
  const [first, second] = await quantilesOf(path, 321, 2, [0, 1]);
  assert.deepEqual(
    first,
    Array.from({ length: 65 }, (_, i) => 5 * i),
  );
  assert.deepEqual(
    second,
    Array.from({ length: 65 }, (_, i) => 80 + 5 * i),
  );
});

test("leave out what is missing or infinite, and are 0 where nothing is left", async () => {
  const path = fileOf([
    [Number.NaN, Number.NaN],
    [5, Number.POSITIVE_INFINITY],
    [Number.NEGATIVE_INFINITY, Number.NaN],
    [3, Number.NaN],
  ]);
  const [first, second] = await quantilesOf(path, 4, 2, [0, 1]);
  assert.deepEqual([first?.[0], first?.[32], first?.[64]], [3, 5, 5]);
  assert.deepEqual([...new Set(second)], [0]);
});

test("of many rows are those of rows at equal distances", async () => {
  const numRows = 200_000;
  const path = fileOf(Array.from({ length: numRows }, (_, i) => [i, i % 2]));
  const [first] = await quantilesOf(path, numRows, 2, [0]);
  // Every fourth row.
  assert.equal(first?.[0], 0);
  assert.equal(first?.[64], numRows - 4);
  first?.forEach((value, i) => {
    assert.equal(value % 4, 0);
    assert.ok(Math.abs(value - (i / 64) * numRows) <= 8);
  });
});
