import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { writeSlotted } from "./slotted-file.js";

const folder = mkdtempSync(join(tmpdir(), "codistill-slotted-"));
after(() => rmSync(folder, { recursive: true }));

test("records stand by slot in the order in which they came, where one slot overflows its buffer many times", async () => {
  const numSlots = 4096;
  const numWords = 100;
  const numRows = 20_000;
  // Half of the rows are in slot 7; many slots have none.
  const slotOf = Array.from({ length: numRows }, (_, row) => (row % 2 === 0 ? 7 : (row * 37) % numSlots));
  const offsets = new Uint32Array(numSlots + 1);
  for (const slot of slotOf) offsets[slot + 1]! += 1;
  for (let slot = 0; slot < numSlots; slot++) offsets[slot + 1]! += offsets[slot]!;
  async function* chunks() {
    for (let start = 0; start < numRows; start += 2048) {
      const rows = slotOf.slice(start, start + 2048);
      yield Int32Array.from({ length: rows.length * (numWords + 1) }, (_, at) => {
        const [row, word] = [Math.floor(at / (numWords + 1)), at % (numWords + 1)];
        return word === 0 ? rows[row]! : (start + row) * numWords + word - 1;
      });
    }
  }
  const path = join(folder, "rows.bin");
  await writeSlotted(path, numWords, offsets, chunks());

  const expected = [...slotOf.keys()].sort((a, b) => slotOf[a]! - slotOf[b]! || a - b);
  const bytes = readFileSync(path);
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  assert.deepEqual(
    words,
    Int32Array.from({ length: numRows * numWords }, (_, at) => {
      return expected[Math.floor(at / numWords)]! * numWords + (at % numWords);
    }),
  );
});
