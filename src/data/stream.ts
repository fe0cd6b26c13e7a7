/** Examples in order: an endless seeded stream of training batches, and one plain pass for evaluation. */
import { ConfigError, DataError } from "../errors.js";
import type { NamedArrays } from "../runtime/array.js";
import { fold, type Key, permutation } from "../runtime/random.js";
import { gatherBatch, type Rows } from "./table.js";

/** Where a stream is: the epoch, and how many of its rows are consumed. Plain JSON, part of a checkpoint. */
export interface Cursor {
  readonly epoch: number;
  readonly position: number;
}

/** Batches without end. */
export interface Stream {
  /** The next batch; see `gatherBatch` for names and shapes. */
  next(): NamedArrays;
  /** Where the next batch starts; a stream made with it goes on with the same batches. */
  readonly cursor: Cursor;
  /** Go on from where the stream was at another time. */
  goTo(cursor: Cursor): void;
  /** Rows of one epoch. */
  readonly numRows: number;
}

/** What a {@link batchStream} reads. */
export interface BatchStreamOptions {
  readonly rows: Rows;
  /** The rows to read: one group's shard. */
  readonly indices: Uint32Array;
  /** Rows of a batch. */
  readonly batchSize: number;
  /** The seed of the order; every epoch has its own child key. */
  readonly key: Key;
  /** Where to go on; the start of epoch 0 by default. */
  readonly cursor?: Cursor;
}

/**
 * Full batches of the given rows, each epoch in its own seeded order. A batch that the end of an epoch cuts short is
 * completed with the first rows of the next, so over any epoch every row comes exactly once.
 *
 * Throws {@link DataError} when one batch needs more rows than there are, or the cursor is outside the epoch, and
 * {@link ConfigError} when the batch size is not a positive whole number.
 */
export function batchStream(options: BatchStreamOptions): Stream {
  const { rows, indices, batchSize, key, cursor = { epoch: 0, position: 0 } } = options;
  const numRows = indices.length;
  checkBatchSize(batchSize);
  if (numRows < batchSize) {
    throw new DataError(
      `stream: a batch of ${batchSize} rows needs at least as many, and this shard has ${numRows}. Lower the batch size, use fewer groups, or add data.`,
    );
  }
  checkCursor(cursor, numRows);
  let { epoch, position } = cursor;
  // Made again from the key on resume, and not before it is needed: the order itself is never saved.
  let order: Uint32Array | null = null;

  function next(): NamedArrays {
    const wanted = new Uint32Array(batchSize);
    for (let i = 0; i < batchSize; i++) {
      if (position === numRows) nextEpoch();
      order ??= permutation(fold(key, epoch), numRows);
      wanted[i] = indices[order[position++] as number] as number;
    }
    if (position === numRows) nextEpoch();
    return gatherBatch(rows, wanted);
  }

  function goTo(cursor: Cursor): void {
    checkCursor(cursor, numRows);
    if (cursor.epoch !== epoch) order = null;
    ({ epoch, position } = cursor);
  }

  function nextEpoch(): void {
    epoch += 1;
    position = 0;
    order = null;
  }

  return {
    next,
    goTo,
    get cursor() {
      return { epoch, position };
    },
    numRows,
  };
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
