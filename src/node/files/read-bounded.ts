/** Reads files that must be small: a large one is refused with its path instead of read into memory. */
import { closeSync, fstatSync, readSync } from "node:fs";
import { ConfigError } from "../../errors.js";
import { openRegular } from "./plain-files.js";

/** The most bytes of files that users write, and of the JSON files of a run folder. */
const MAX_JSON_BYTES = 16 << 20;

/**
 * The bytes of a file. Throws {@link ConfigError} when it has more than `maxBytes`, and what {@link openRegular} throws.
 */
export function readWithin(path: string, maxBytes = MAX_JSON_BYTES): Uint8Array {
  return withFile(path, (file, size) => {
    if (size > maxBytes) {
      throw new ConfigError(
        `${path} must have at most ${maxBytes} bytes to be read, it has ${size}. Is it the right file?`,
      );
    }
    return bytesFrom(file, size);
  });
}

/** The beginning of a text file, without spaces around it; "" when it cannot be read. */
export function beginningOf(path: string, maxBytes = 8192): string {
  try {
    const bytes = withFile(path, (file, size) => bytesFrom(file, Math.min(size, maxBytes)));
    return new TextDecoder().decode(bytes).trim();
  } catch {
    return "";
  }
}

function withFile<T>(path: string, work: (file: number, size: number) => T): T {
  const file = openRegular(path);
  try {
    return work(file, fstatSync(file).size);
  } finally {
    closeSync(file);
  }
}

/** The first `count` bytes of a file; fewer where the file has become shorter. */
function bytesFrom(file: number, count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  for (let at = 0; at < count; ) {
    const read = readSync(file, bytes, at, count - at, at);
    if (read === 0) return bytes.subarray(0, at);
    at += read;
  }
  return bytes;
}
