/** Examples in order: an endless seeded stream of training batches, and one plain pass for evaluation. */
import { ConfigError, DataError } from "../errors.js";
import type { NamedArrays } from "../runtime/array.js";
import { fold, type Key, permutation } from "../runtime/random.js";
import { gatherBatch, type RowRange, type Rows } from "./records.js";

/** Where a stream is: the epoch, and how many of its rows are consumed. Plain JSON, part of a checkpoint. */
export interface Cursor {
  readonly epoch: number;
  readonly position: number;
  /** How many pieces of the batch at this position have been given, where it is given in several; left out at its beginning. */
  readonly piece?: number;
}

/** Whether two cursors are at the same place. */
export function isSameCursor(a: Cursor, b: Cursor): boolean {
  return a.epoch === b.epoch && a.position === b.position && (a.piece ?? 0) === (b.piece ?? 0);
}

/** Batches without end. A caller asks for the next batch when the one before has arrived. */
export interface Stream {
  /**
   * The next batch, at once or when it is there; its arrays are named by `data/batch.ts`. A batch that fails, or is
   * cancelled by the signal, is not drawn: the stream stays where it is.
   */
  next(signal?: AbortSignal): NamedArrays | Promise<NamedArrays>;
  /** Where the next batch starts; a stream made with it goes on with the same batches. */
  readonly cursor: Cursor;
  /** Go on from where the stream was at another time. Throws {@link DataError} for a cursor of other data. */
  goTo(cursor: Cursor): void;
  /** Rows of one epoch. */
  readonly numRows: number;
  /** Stop background work, and release what the stream holds; it has no more batches. */
  close?(): Promise<void>;
}

/** A stream that can pass over batches. */
export interface SkippingStream extends Stream {
  /** Move on to the batch after the next one, without reading that one. */
  skip(): void;
}

/** A stream whose batches are ready at once. */
export interface ReadyStream extends SkippingStream {
  next(): NamedArrays;
}

/** One of the workers that share a stream: all have the same cursor, and each gets its own rows of every batch. */
export interface Part {
  readonly index: number;
  readonly count: number;
}

/** What a {@link batchStream} reads. */
export interface BatchStreamOptions {
  readonly rows: Rows;
  /** The rows to read: one group's shard. */
  readonly indices: Uint32Array;
  /** Rows of a batch, of all parts together. */
  readonly batchSize: number;
  /** The worker whose rows of each batch are given: worker k of n has the k-th of n equal parts. All by default. */
  readonly part?: Part | undefined;
  /** The seed of the order; every epoch has its own child key. */
  readonly key: Key;
  /** Where to go on; the start of epoch 0 by default. */
  readonly cursor?: Cursor | undefined;
}

/**
 * Full batches of the given rows, each epoch in its own seeded order. A batch that the end of an epoch cuts short is
 * completed with the first rows of the next, so over any epoch every row comes exactly once.
 *
 * Throws {@link DataError} when one batch needs more rows than there are, or the cursor is outside the epoch, and
 * {@link ConfigError} when the batch size is not a positive whole number, or its parts are not equal.
 */
export function batchStream({ rows, ...options }: BatchStreamOptions): ReadyStream {
  return drawnStream(options, (wanted) => gatherBatch(rows, wanted));
}

/** Where an example of a batch was drawn: the epoch, and its place in the order of that epoch. */
export interface Draw {
  readonly epoch: number;
  readonly place: number;
}

/** A batch of all parts together, as a part of it is made: places are counted from its beginning, and are below `size`. */
export interface WholeBatch {
  readonly size: number;
  /** The place of the part's first example. */
  readonly start: number;
  /** Where the example at a place was drawn, and its index. */
  draw(at: number): Draw;
  index(at: number): number;
}

/**
 * Full batches of whatever has the given indices, each epoch in its own seeded order, as of {@link batchStream}, which says
 * what is thrown. `batchOf` makes a batch of the indices that were drawn; it may ask for those of the other parts.
 */
export function drawnStream(
  options: Omit<BatchStreamOptions, "rows">,
  batchOf: (wanted: Uint32Array, whole: WholeBatch) => NamedArrays,
): ReadyStream {
  const { indices, batchSize, key, cursor = { epoch: 0, position: 0 } } = options;
  const numRows = indices.length;
  checkBatchSize(batchSize);
  const { start, end } = rangeOf(batchSize, options.part);
  if (numRows < batchSize) {
    throw new DataError(
      `stream: a batch of ${batchSize} rows needs at least as many, and this shard has ${numRows}. Lower the batch size, use fewer groups, or add data.`,
    );
  }
  checkCursor(cursor, numRows);
  let { epoch, position } = cursor;
  // Made again from the key on resume, and not before it is needed: the order itself is never saved.
  let order: { readonly epoch: number; readonly rows: Uint32Array } | null = null;

  /** What is at a place counted from the beginning of this epoch; places from `numRows` on are in the next epoch. */
  const drawAt = (at: number): Draw =>
    at < numRows ? { epoch, place: at } : { epoch: epoch + 1, place: at - numRows };

  function rowAt(at: number): number {
    const { epoch: own, place } = drawAt(at);
    if (order?.epoch !== own) order = { epoch: own, rows: permutation(fold(key, own), numRows) };
    return indices[order.rows[place] as number] as number;
  }

  function skip(): void {
    position += batchSize;
    for (; position >= numRows; position -= numRows) epoch += 1;
  }

  return {
    next() {
      const wanted = new Uint32Array(end - start);
      for (let i = start; i < end; i++) wanted[i - start] = rowAt(position + i);
      const batch = batchOf(wanted, {
        size: batchSize,
        start,
        draw: (at) => drawAt(position + at),
        index: (at) => rowAt(position + at),
      });
      // Only now: a batch that cannot be read is not drawn.
      skip();
      return batch;
    },
    skip,
    goTo(cursor) {
      checkCursor(cursor, numRows);
      ({ epoch, position } = cursor);
    },
    get cursor() {
      return { epoch, position };
    },
    numRows,
  };
}

/**
 * The places of a part in a batch: from `start` up to, not including, `end`.
 * Throws {@link ConfigError} when the parts of a batch are not equal, or there is no such part.
 */
export function rangeOf(batchSize: number, { index, count }: Part = { index: 0, count: 1 }): RowRange {
  const isOne = Number.isInteger(index) && Number.isInteger(count) && index >= 0 && index < count;
  if (!isOne) throw new ConfigError(`stream: a part is counted from 0 among those there are, got ${index} of ${count}`);
  if (batchSize % count !== 0) {
    throw new ConfigError(
      `stream: a batch is divided into equal parts, and ${batchSize} is no multiple of ${count}. Change the batch size or the number of workers.`,
    );
  }
  const size = batchSize / count;
  return { start: index * size, end: (index + 1) * size };
}

/**
 * The next batches of a stream, in order. When all are ready they are returned without a promise, so that a caller who
 * need not wait does not give up its turn of the event loop. Throws, or rejects with, what `next` does.
 */
export function nextBatches(
  stream: Pick<Stream, "next">,
  count: number,
  signal?: AbortSignal,
): readonly NamedArrays[] | Promise<readonly NamedArrays[]> {
  const batches: NamedArrays[] = [];
  async function others(late: Promise<NamedArrays>): Promise<readonly NamedArrays[]> {
    batches.push(await late);
    while (batches.length < count) batches.push(await stream.next(signal));
    return batches;
  }
  while (batches.length < count) {
    const batch = stream.next(signal);
    if (batch instanceof Promise) return others(batch);
    batches.push(batch);
  }
  return batches;
}

/**
 * One pass over all rows in their order; the last batch may be short.
 * Throws {@link ConfigError} when the batch size is not a positive whole number.
 */
export function* sequential(rows: Rows, batchSize: number): Generator<NamedArrays, void, void> {
  checkBatchSize(batchSize);
  for (let start = 0; start < rows.numRows; start += batchSize) {
    yield gatherBatch(rows, { start, end: Math.min(start + batchSize, rows.numRows) });
  }
}

function checkBatchSize(batchSize: number): void {
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new ConfigError(`stream: the batch size is a positive whole number of rows, got ${batchSize}`);
  }
}

function checkCursor({ epoch, position }: Cursor, numRows: number): void {
  const isCount = (value: number) => Number.isInteger(value) && value >= 0;
  if (!isCount(epoch) || !isCount(position) || position > numRows) {
    throw new DataError(
      `stream: a cursor lies inside its epoch of ${numRows} rows, got epoch ${epoch}, position ${position}. It belongs to other data or to another number of groups; resume with the same ones.`,
    );
  }
}
