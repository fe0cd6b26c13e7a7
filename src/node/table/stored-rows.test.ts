import assert from "node:assert/strict";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { recordLayout, tableRows } from "../../data/records.js";
import { DataError } from "../../errors.js";
import { type Reading, readingFile } from "../files/read-file.js";
import { storedRows } from "./stored-rows.js";

const folder = mkdtempSync(join(tmpdir(), "codistill-stored-"));
after(() => rmSync(folder, { recursive: true }));

const NUM_ROWS = 5000;
const layout = recordLayout({ categorical: { city: "x" }, numeric: { size: "y" } });
const words = Int32Array.from({ length: NUM_ROWS * layout.columns.length }, (_, i) => i * 7);
const path = join(folder, "train.bin");
const from =
  (file: string): Reading =>
  (work) =>
    readingFile(file, work);
writeFileSync(path, words);

test("rows in a file are those in memory, whichever are asked for, in any order, near and far", () => {
  const inMemory = tableRows(layout, words);
  const stored = storedRows(from(path), layout, [{ start: 0, end: NUM_ROWS }]);
  assert.equal(stored.numRows, NUM_ROWS);
  const rows = fc.array(fc.oneof(fc.nat(NUM_ROWS - 1), fc.nat(20)), { maxLength: 60 });
  fc.assert(fc.property(rows, (some) => assert.deepEqual(stored.read(some), inMemory.read(some))));
  const all = Uint32Array.from({ length: NUM_ROWS }, (_, row) => NUM_ROWS - 1 - row);
  assert.deepEqual(stored.read(all), inMemory.read(all));
});

test("rows of parts are counted through", () => {
  const inMemory = tableRows(layout, words);
  const cuts = fc
    .uniqueArray(fc.nat(NUM_ROWS), { minLength: 2, maxLength: 12 })
    .map((ends) => ends.sort((a, b) => a - b));
  fc.assert(
    fc.property(cuts, (ends) => {
      const parts = ends.slice(1).flatMap((end, i) => (i % 2 === 0 ? [{ start: ends[i] ?? 0, end }] : []));
      const chosen = parts.flatMap(({ start, end }) => Array.from({ length: end - start }, (_, i) => start + i));
      const stored = storedRows(from(path), layout, [{ start: 0, end: 0 }, ...parts]);
      assert.equal(stored.numRows, chosen.length);
      const rows = [...chosen.keys()];
      assert.deepEqual(stored.read(rows), inMemory.read(chosen));
    }),
  );
});

test("a file that is gone or became shorter is told of", () => {
  const gone = storedRows(from(join(folder, "gone.bin")), layout, [{ start: 0, end: 5 }]);
  assert.throws(
    () => gone.read([0]),
    (error) =>
      error instanceof DataError && /gone\.bin cannot be: ENOENT.*the cache is then made anew/.test(error.message),
  );
  const short = join(folder, "short.bin");
  writeFileSync(short, words);
  const rows = storedRows(from(short), layout, [{ start: 0, end: NUM_ROWS }]);
  truncateSync(short, 600);
  assert.throws(() => rows.read([NUM_ROWS - 1]), /short\.bin has become shorter while it was read/);
});
