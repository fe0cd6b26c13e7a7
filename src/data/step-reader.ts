/** Where the batches of a step begin, of which there may be several. */
import type { Cursor, Stream } from "./stream.js";

export interface StepReader {
  /** The stream, to be read through this one alone. */
  readonly stream: Stream & { close(): Promise<void> };
  /** Where the batches begin that were read since the last call: those of one step. */
  begin(): Cursor;
}

/** Note where each step begins, that reads so many batches. */
export function stepReader(inner: Stream, batchesPerStep: number): StepReader {
  let { cursor: first } = inner;
  let numRead = 0;
  const stream: StepReader["stream"] = {
    next(signal) {
      if (numRead === 0) first = inner.cursor;
      const batch = inner.next(signal);
      numRead = (numRead + 1) % batchesPerStep;
      return batch;
    },
    goTo(cursor) {
      inner.goTo(cursor);
      numRead = 0;
    },
    get cursor() {
      return inner.cursor;
    },
    numRows: inner.numRows,
    close: async () => inner.close?.(),
  };
  return {
    stream,
    begin() {
      numRead = 0;
      return first;
    },
  };
}
