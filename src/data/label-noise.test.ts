import assert from "node:assert/strict";
import { test } from "node:test";
import { labelsName } from "./batch.js";
import { labelShifts, rowsWithNoise } from "./label-noise.js";
import { gatherBatch, type RecordLayout, tableRows } from "./records.js";

test("so many labels are wrong, by each other class alike, and the same ones each time", () => {
  const count = 30_000;
  const shifts = labelShifts(count, { share: 0.3, numClasses: 4 });
  const share = (shift: number) => shifts.filter((one) => one === shift).length / count;
  // Five standard deviations of a share of 30,000.
  const near = (value: number, expected: number) =>
    assert.ok(Math.abs(value - expected) < 5 * Math.sqrt((expected * (1 - expected)) / count), `${value}, ${expected}`);
  near(share(0), 0.7);
  for (const shift of [1, 2, 3]) near(share(shift), 0.1);
  assert.deepEqual(labelShifts(count, { share: 0.3, numClasses: 4 }), shifts);
  // A larger share has the same wrong labels and more of them, so that arms differ by these alone.
  const more = labelShifts(count, { share: 0.5, numClasses: 4 });
  assert.ok(shifts.every((shift, i) => shift === 0 || shift === more[i]));
  assert.ok(labelShifts(count, { share: 0, numClasses: 4 }).every((shift) => shift === 0));
});

for (const dtype of ["float32", "int32"] as const) {
  test(`only labels of ${dtype} change, and rows keep theirs in any order`, () => {
    const layout: RecordLayout = {
      columns: [
        { name: "features.x", dtype: "float32" },
        { name: labelsName, dtype },
      ],
    };
    const numRows = 200;
    const words = new Int32Array(2 * numRows);
    const floats = new Float32Array(words.buffer);
    for (let i = 0; i < numRows; i++) {
      floats[2 * i] = i / 7;
      (dtype === "float32" ? floats : words)[2 * i + 1] = i % 2;
    }
    const rows = tableRows(layout, words);
    const noise = { share: 0.4, numClasses: 2 };
    const noisy = rowsWithNoise(rows, noise);
    const backwards = Array.from({ length: numRows }, (_, i) => numRows - 1 - i);
    const [before, after] = [gatherBatch(rows, backwards), gatherBatch(noisy, backwards)];
    assert.deepEqual(after["features.x"], before["features.x"]);
    const shifts = labelShifts(numRows, noise);
    const expected = backwards.map((row) => (row + (shifts[row] as number)) % 2);
    assert.deepEqual([...(after[labelsName]?.data ?? [])], expected);
    assert.ok(shifts.some((shift) => shift === 1));
    assert.deepEqual(gatherBatch(rows, backwards), before, "the rows themselves stay");
  });
}
