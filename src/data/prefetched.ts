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
 * A stream that reads up to `depth` batches of another stream ahead, from the first request on. It gives the same
 * batches in the same order; its cursor is that of the batches that were given, so that a checkpoint neither skips nor
 * repeats one. A batch that cannot be read fails when it is asked for, and is read anew at the next request. The other
 * stream belongs to this one from then on, and is closed with it.
 *
 * Throws {@link ConfigError} when the depth is not a positive whole number. Once closed, it throws {@link ClosedError}
 * for batches.
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
  /** Counts the moves to another place: batches that were read for an earlier place are discarded. */
  let generation = 0;
  let isPlanned = false;
  const closing = new AbortController();

  const hasRoom = () => !closing.signal.aborted && !reading && !failure && ahead.length < depth;

  /** Read one more batch, at once or in the background. */
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

  /** Start the next read as soon as one in the background has ended. */
  function readOn(): void {
    reading = null;
    if (hasRoom()) read();
    plan();
  }

  /** Read ahead in a later turn, so that the caller can first pass on its batch, as to the engine's thread. */
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
    // The stream that failed may already be past the batch that it did not give.
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
      // A read that is under way would move the stream on, so the stream is moved after it.
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

/** Wait for work that never rejects; when a signal is aborted first, reject with its reason. */
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
