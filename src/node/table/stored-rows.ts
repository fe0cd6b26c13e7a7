/** Records that stay in their file and are read when they are asked for: for tables that are larger than the memory given. */

import type { RecordLayout, RowRange, Rows } from "../../data/records.js";
import { lastAtMost } from "../../data/search.js";
import type { Reading } from "../files/read-file.js";

/** Records at most this far apart are read together, with the bytes between them. */
const NEAR_BYTES = 4096;
const MOST_BYTES = 1 << 22;

/** The rows of some parts of a file of records, in order. Reading rows throws what `reading` throws. */
export function storedRows(reading: Reading, layout: RecordLayout, parts: readonly RowRange[]): Rows {
  const width = layout.columns.length;
  const recordBytes = width * Int32Array.BYTES_PER_ELEMENT;
  // Of each part, the number of its first row among the rows of all parts.
  const firsts = new Float64Array(parts.length);
  let numRows = 0;
  for (const [i, { start, end }] of parts.entries()) {
    firsts[i] = numRows;
    numRows += end - start;
  }

  function placeOf(row: number): number {
    const part = lastAtMost(firsts, parts.length, row);
    return (parts[part]?.start ?? 0) + row - (firsts[part] ?? 0);
  }

  return {
    layout,
    numRows,
    read(rows) {
      const words = new Int32Array(rows.length * width);
      const places = Float64Array.from(rows, placeOf);
      const order = Uint32Array.from(places, (_, i) => i).sort((a, b) => (places[a] ?? 0) - (places[b] ?? 0));
      reading((bytes) => {
        for (let from = 0; from < order.length; ) {
          const first = places[order[from] as number] as number;
          let to = from + 1;
          for (; to < order.length; to++) {
            const [before, next] = [places[order[to - 1] as number], places[order[to] as number]] as [number, number];
            const isNear = (next - before) * recordBytes <= NEAR_BYTES;
            if (!isNear || (next + 1 - first) * recordBytes > MOST_BYTES) break;
          }
          const last = places[order[to - 1] as number] as number;
          const block = new Int32Array(bytes(first * recordBytes, (last + 1 - first) * recordBytes).buffer);
          for (let i = from; i < to; i++) {
            const at = order[i] as number;
            const offset = ((places[at] as number) - first) * width;
            words.set(block.subarray(offset, offset + width), at * width);
          }
          from = to;
        }
      });
      return words;
    },
  };
}
