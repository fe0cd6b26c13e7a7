/** The lines of a file that grows, read in chunks: memory does not grow with the file, nor with a line that has no end. */
import { closeSync, fstatSync, readSync } from "node:fs";
import { openRegular } from "./plain-files.js";
import { systemCodeOf } from "./system-errors.js";

/**
 * The longest line that is read; a longer one is reported instead. An event has some hundred bytes, one with a thousand
 * teachers 200,000.
 */
export const MAX_LINE_BYTES = 1 << 20;
const CHUNK_BYTES = 1 << 18;
const NEWLINE = 0x0a;

/** A line without its line feed; of a line that is too long, only the number of bytes. */
export type Line = Buffer | { readonly numBytes: number };

export interface LineReader {
  /** The lines that have ended since the last call; none when there is no such file. Throws the errors of the file system. */
  added(): Generator<Line>;
  /** The line that has not ended yet. */
  rest(): Line;
}

/** Read the lines of a file from a byte on. */
export function lineReader(path: string, from = 0): LineReader {
  let at = from;
  let parts: Buffer[] = [];
  let numBytes = 0;

  function keep(part: Buffer): void {
    numBytes += part.length;
    if (numBytes > MAX_LINE_BYTES) parts = [];
    // Copied, as the chunk is overwritten by the next read.
    else if (part.length > 0) parts.push(Buffer.from(part));
  }

  const rest = () => (numBytes > MAX_LINE_BYTES ? { numBytes } : Buffer.concat(parts));

  function* linesOf(chunk: Buffer): Generator<Line> {
    for (let start = 0; ; ) {
      const end = chunk.indexOf(NEWLINE, start);
      keep(chunk.subarray(start, end < 0 ? chunk.length : end));
      if (end < 0) return;
      const line = rest();
      [parts, numBytes, start] = [[], 0, end + 1];
      yield line;
    }
  }

  return {
    rest,
    *added() {
      const file = openLog(path);
      if (file === null) return;
      try {
        const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
        for (;;) {
          const read = readSync(file, chunk, 0, chunk.length, at);
          if (read === 0) return;
          at += read;
          yield* linesOf(chunk.subarray(0, read));
        }
      } finally {
        closeSync(file);
      }
    },
  };
}

/** The size of a file and its last byte; null when there is no such file, or nothing in it. */
export function endOf(path: string): { readonly size: number; readonly lastByte: number } | null {
  const file = openLog(path);
  if (file === null) return null;
  try {
    const { size } = fstatSync(file);
    const last = Buffer.alloc(1);
    return size > 0 && readSync(file, last, 0, 1, size - 1) === 1 ? { size, lastByte: last.readUInt8() } : null;
  } finally {
    closeSync(file);
  }
}

/** Open a log to read; null when there is none. Throws what {@link openRegular} throws. */
function openLog(path: string): number | null {
  try {
    return openRegular(path);
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return null;
    throw error;
  }
}
