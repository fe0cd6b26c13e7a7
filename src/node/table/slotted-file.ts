/** Records in the order of their hash slots, written as they come: each slot has its place in the file, and a buffer. */
import { open } from "node:fs/promises";
import { bytesOf } from "../../runtime/array.js";

/** Bytes that all buffers take together; the larger, the fewer and longer the writes. */
const BUFFER_BYTES = 64 * 2 ** 20;

/**
 * Write records of `numWords` words, so that those of a slot stand together in the order in which they came: slot s from
 * record offsets[s] up to, not including, offsets[s + 1]. `rows` are row-major, a slot and then the words of a record.
 * Memory does not grow with the records, and nothing is sorted. The file is flushed to the device.
 */
export async function writeSlotted(
  path: string,
  numWords: number,
  offsets: Uint32Array,
  rows: AsyncIterable<Int32Array>,
): Promise<void> {
  const numSlots = offsets.length - 1;
  const capacity = Math.max(1, Math.floor(BUFFER_BYTES / numSlots / (4 * numWords)));
  const buffers: (Int32Array | undefined)[] = new Array(numSlots);
  const held = new Uint32Array(numSlots);
  const written = offsets.slice(0, numSlots);
  const file = await open(path, "wx");
  try {
    for await (const words of rows) {
      for (let at = 0; at < words.length; at += numWords + 1) {
        const slot = words[at] as number;
        const room = offsets[slot + 1]! - offsets[slot]!;
        buffers[slot] ??= new Int32Array(Math.min(capacity, room) * numWords);
        buffers[slot].set(words.subarray(at + 1, at + 1 + numWords), held[slot]! * numWords);
        held[slot]! += 1;
        if (held[slot]! * numWords === buffers[slot].length) await flush(slot);
      }
    }
    for (const slot of buffers.keys()) await flush(slot);
    await file.sync();
  } finally {
    await file.close();
  }

  async function flush(slot: number): Promise<void> {
    const count = held[slot]!;
    if (count === 0) return;
    const bytes = bytesOf(buffers[slot]!.subarray(0, count * numWords));
    await file.write(bytes, 0, bytes.length, 4 * numWords * written[slot]!);
    written[slot]! += count;
    held[slot] = 0;
  }
}
