/** Batches that are read before they are asked for, while the engine computes. */
import { ClosedError, ConfigError } from "../errors.js";
import type { NamedArrays } from "../runtime/array.js";
import { type Closable, closable } from "../runtime/closable.js";
import type { Cursor, Stream } from "./stream.js";

/** A batch that was read ahead, and where the stream stands behind it. */
interface Ahead {
  readonly batch: NamedArrays;
  readonly cursor: Cursor;
}

/**
 * A stream that reads up to `depth` batches of another one ahead, from when the first is asked for. It gives the same batches in the same
 * order; its cursor is that of the batches that were given, so that a checkpoint neither skips nor repeats one. What fails fails
 * at its own batch, and is read anew when that is asked for again. The other stream is its own from then on, and closed with it.
 *
 * Throws {@link ConfigError} when the depth is not a positive whole number. Closed, it throws {@link ClosedError} for batches.
 */
export function prefetched(stream: Stream, depth: number): Stream & Closable {
  if (!Number.isInteger(depth) || depth < 1)
    throw new ConfigError(`stream: a positive whole number of batches is read ahead, got ${depth}`);
  let { cursor } = stream;
  let ahead: Ahead[] = [];
  let failure: { readonly error: unknown } | null = null;
  /** The read that is under way; it never rejects. */
  let reading: Promise<void> | null = null;
  /** Where the other stream goes before it is read again. */
  let detour: Cursor | null = null;
  /** Which place was gone to last: what was read for an earlier one is void. */
  let generation = 0;
  let isPlanned = false;
  const closing = new AbortController();

  const hasRoom = () => !closing.signal.aborted && !reading && !failure && ahead.length < depth;

  /** Read one more batch, now or on its way. */
  function read(): void {
    const own = generation;
    const keep = (batch: NamedArrays) => {
      if (own === generation) ahead.push({ batch, cursor: stream.cursor });
    };
    const fail = (error: unknown) => {
      if (own === generation) failure = { error };
    };
    try {
      if (detour) stream.goTo(detour);
      detour = null;
      const batch = stream.next(closing.signal);
      if (!(batch instanceof Promise)) keep(batch);
      else reading = batch.then(keep, fail).then(readOn);
    } catch (error) {
      fail(error);
    }
  }

  /** What comes late is asked for at once. */
  function readOn(): void {
    reading = null;
    if (hasRoom()) read();
    plan();
  }

  /** Read ahead when whoever got a batch has handed it on, as to the engine's thread. */
  function plan(): void {
    if (isPlanned || !hasRoom()) return;
    isPlanned = true;
    setTimeout(() => {
      isPlanned = false;
      if (hasRoom()) read();
      plan();
    }, 0);
  }

  const isReady = () => ahead.length > 0 || failure !== null;

  function handOut(): NamedArrays {
    const first = ahead.shift();
    if (first) {
      ({ cursor } = first);
      plan();
      return first.batch;
    }
    const error = failure?.error;
    // The stream that failed may stand behind the batch that it did not give.
    [failure, detour] = [null, cursor];
    throw error;
  }

  async function waited(signal: AbortSignal | undefined): Promise<NamedArrays> {
    while (!isReady()) {
      checkOpen();
      if (reading) await unlessAborted(reading, signal);
      else read();
    }
    return handOut();
  }

  function checkOpen(): void {
    if (closing.signal.aborted)
      throw new ClosedError("a stream must be open to give batches, and this one was closed. Make another one.");
  }

  const wrapped: Stream = {
    next(signal) {
      checkOpen();
      if (!isReady() && !reading) read();
      return isReady() ? handOut() : waited(signal);
    },
    goTo(to) {
      // What is under way would move it on: then it goes there afterwards.
      if (!reading) stream.goTo(to);
      detour = reading ? to : null;
      [cursor, ahead, failure] = [to, [], null];
      generation++;
    },
    get cursor() {
      return cursor;
    },
    numRows: stream.numRows,
  };
  return closable(wrapped, async () => {
    closing.abort();
    [ahead, failure] = [[], null];
    generation++;
    await reading;
    await stream.close?.();
  });
}

/** Wait for work that never rejects, unless a signal is aborted before it is done: then this rejects with the signal's reason. */
function unlessAborted(work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return work;
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    void work.then(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    });
  });
}
