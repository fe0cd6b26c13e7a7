/** Parts of a cache file, read while training: the file is opened for as long as a batch is put together, and no longer. */
import { closeSync, openSync, readSync } from "node:fs";
import { DataError, messageOf } from "../../errors.js";

/** Gives `count` bytes from `start` on. */
export type ReadBytes = (start: number, count: number) => Uint8Array<ArrayBuffer>;

/** Calls `work` with a function that reads from a file, which is open during the call. */
export type Reading = <T>(work: (read: ReadBytes) => T) => T;

/**
 * Call `work` with a function that reads from a file. Throws {@link DataError} when the file is gone, or ends too
 * early.
 */
export function readingFile<T>(path: string, work: (read: ReadBytes) => T): T {
  const file = opened(path);
  try {
    return work((start, count) => {
      const bytes = new Uint8Array(count);
      for (let at = 0; at < count; ) {
        const read = readSync(file, bytes, at, count - at, start + at);
        if (read === 0)
          throw new DataError(`data: ${path} has become shorter while it was read. Remove it and start again.`);
        at += read;
      }
      return bytes;
    });
  } finally {
    closeSync(file);
  }
}

function opened(path: string): number {
  try {
    return openSync(path, "r");
  } catch (error) {
    throw new DataError(
      `data: the cache is read while training, and ${path} cannot be: ${messageOf(error)}. Start again; the cache is then made anew.`,
      { cause: error },
    );
  }
}
