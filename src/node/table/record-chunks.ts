/** A file of records from its beginning to its end, some thousand records at a time. */
import { setImmediate } from "node:timers/promises";
import { readingFile } from "../files/read-file.js";

const CHUNK_RECORDS = 16_384;

/** Records that follow each other in a file. */
export interface RecordChunk {
  /** The index of the first one. */
  readonly first: number;
  readonly count: number;
  /** Their words, four bytes each. */
  readonly buffer: ArrayBuffer;
}

/** All records of a file, which have `width` words each. Between two chunks other work of the thread has its turn. */
export async function* recordChunks(
  path: string,
  numRecords: number,
  width: number,
): AsyncGenerator<RecordChunk, void, void> {
  for (let first = 0; first < numRecords; first += CHUNK_RECORDS) {
    const count = Math.min(CHUNK_RECORDS, numRecords - first);
    const { buffer } = readingFile(path, (read) => read(4 * width * first, 4 * width * count));
    yield { first, count, buffer };
    await setImmediate();
  }
}
