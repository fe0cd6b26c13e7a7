/** Records that stay in their file and are read when they are asked for: for tables that are larger than the memory given. */
import { closeSync, openSync, readSync } from "node:fs";
import type { RecordLayout, RowRange, Rows } from "../data/table.js";
import { DataError, messageOf } from "../errors.js";

const WORD_BYTES = 4;
/** Records that are nearer to one another than this are read together with what lies between them. */
const NEAR_BYTES = 4096;
const MOST_BYTES = 1 << 22;

/** The rows of some parts of a file of records, in their order. Reading throws {@link DataError} when the file is gone. */
export function storedRows(path: string, layout: RecordLayout, parts: readonly RowRange[]): Rows {
  const width = layout.columns.length;
  // Of each part, the number of its first row among the rows of all parts.
  const firsts = new Float64Array(parts.length);
  let numRows = 0;
  for (const [i, { start, end }] of parts.entries()) {
    firsts[i] = numRows;
    numRows += end - start;
  }

  function placeOf(row: number): number {
    let [low, high] = [0, parts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((firsts[middle] as number) <= row) low = middle;
      else high = middle - 1;
    }
    return (parts[low]?.start ?? 0) + row - (firsts[low] ?? 0);
  }

  return {
    layout,
    numRows,
    read(rows) {
      const words = new Int32Array(rows.length * width);
      const places = Float64Array.from(rows, placeOf);
      const order = Uint32Array.from(places, (_, i) => i).sort((a, b) => (places[a] ?? 0) - (places[b] ?? 0));
      const file = opened(path);
      try {
        for (let from = 0; from < order.length; ) {
          const first = places[order[from] as number] as number;
          let to = from + 1;
          for (; to < order.length; to++) {
            const [before, next] = [places[order[to - 1] as number], places[order[to] as number]] as [number, number];
            const isNear = (next - before) * width * WORD_BYTES <= NEAR_BYTES;
            if (!isNear || (next + 1 - first) * width * WORD_BYTES > MOST_BYTES) break;
          }
          const last = places[order[to - 1] as number] as number;
          const block = readWords(file, path, first * width, (last + 1 - first) * width);
          for (let i = from; i < to; i++) {
            const at = order[i] as number;
            const offset = ((places[at] as number) - first) * width;
            words.set(block.subarray(offset, offset + width), at * width);
          }
          from = to;
        }
      } finally {
        closeSync(file);
      }
      return words;
    },
  };
}

function opened(path: string): number {
  try {
    return openSync(path, "r");
  } catch (error) {
    throw new DataError(
      `table: the training cache is read while training, and ${path} cannot be: ${messageOf(error)}. Start again; the cache is then made anew.`,
      { cause: error },
    );
  }
}

function readWords(file: number, path: string, start: number, count: number): Int32Array {
  const bytes = new Uint8Array(count * WORD_BYTES);
  for (let at = 0; at < bytes.length; ) {
    const read = readSync(file, bytes, at, bytes.length - at, start * WORD_BYTES + at);
    if (read === 0)
      throw new DataError(`table: ${path} has become shorter while it was read. Remove it and start again.`);
    at += read;
  }
  return new Int32Array(bytes.buffer);
}
