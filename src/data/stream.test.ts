import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ConfigError, DataError } from "../errors.js";
import type { NamedArrays } from "../runtime/array.js";
import { rootKey } from "../runtime/random.js";
import { type Rows, recordLayout, tableRows } from "./records.js";
import { batchStream, type Cursor, nextBatches, type Part, type ReadyStream, sequential } from "./stream.js";

const layout = recordLayout({ categorical: { row: "row" }, numeric: {} });

/** Rows that carry their own number as the only feature. */
function numbered(numRows: number): Rows {
  return tableRows(
    layout,
    Int32Array.from({ length: 2 * numRows }, (_, i) => (i % 2 === 0 ? i / 2 : 0)),
  );
}

function rowsIn(batch: NamedArrays): number[] {
  return Array.from(batch["features.row"]?.data as Int32Array);
}

function take(stream: ReadyStream, numBatches: number): number[] {
  return Array.from({ length: numBatches }, () => rowsIn(stream.next())).flat();
}

test("a batch that is passed over is one that was not read", () => {
  const [whole, skipping] = [oddRows(20, 6, 3), oddRows(20, 6, 3)];
  for (let i = 0; i < 9; i++) {
    whole.next();
    skipping.skip();
    assert.deepEqual(skipping.cursor, whole.cursor);
    assert.deepEqual(rowsIn(skipping.next()), rowsIn(whole.next()));
  }
});

/** A stream over the odd rows of twice as many. */
function oddRows(numRows: number, batchSize: number, seed: number, cursor?: Cursor, part?: Part): ReadyStream {
  const indices = Uint32Array.from({ length: numRows }, (_, i) => 2 * i + 1);
  return batchStream({
    rows: numbered(2 * numRows),
    indices,
    batchSize,
    key: rootKey(seed),
    ...(cursor && { cursor }),
    ...(part && { part }),
  });
}

const sizes = fc.integer({ min: 1, max: 40 }).chain((numRows) =>
  fc.record({
    numRows: fc.constant(numRows),
    batchSize: fc.integer({ min: 1, max: numRows }),
    seed: fc.nat(),
    numBefore: fc.nat(100),
  }),
);

test("a stream that goes to where it was gives the same batches again", () => {
  fc.assert(
    fc.property(sizes, fc.nat(30), ({ numRows, batchSize, seed, numBefore }, numBetween) => {
      const stream = oddRows(numRows, batchSize, seed);
      take(stream, numBefore);
      const { cursor } = stream;
      const first = take(stream, numBetween + 1);
      const after = stream.cursor;
      stream.goTo(cursor);
      assert.deepEqual(take(stream, numBetween + 1), first);
      assert.deepEqual(stream.cursor, after);
    }),
  );
  assert.throws(() => oddRows(4, 2, 1).goTo({ epoch: 0, position: 5 }), DataError);
});

test("every batch is full, and every epoch has every row exactly once", () => {
  fc.assert(
    fc.property(sizes, ({ numRows, batchSize, seed }) => {
      const stream = oddRows(numRows, batchSize, seed);
      assert.equal(stream.numRows, numRows);
      const numBatches = Math.ceil((3 * numRows) / batchSize);
      const seen = take(stream, numBatches);
      assert.equal(seen.length, numBatches * batchSize);
      const whole = Array.from({ length: numRows }, (_, i) => 2 * i + 1);
      for (let epoch = 0; epoch < 3; epoch++) {
        const rows = seen.slice(epoch * numRows, (epoch + 1) * numRows);
        assert.deepEqual(
          rows.sort((a, b) => a - b),
          whole,
        );
      }
    }),
  );
});

test("a stream resumed from its cursor goes on with the same batches, within an epoch and across its end", () => {
  fc.assert(
    fc.property(sizes, ({ numRows, batchSize, seed, numBefore }) => {
      const stream = oddRows(numRows, batchSize, seed);
      take(stream, numBefore);
      const cursor: Cursor = JSON.parse(JSON.stringify(stream.cursor));
      assert.deepEqual(cursor, {
        epoch: Math.floor((numBefore * batchSize) / numRows),
        position: (numBefore * batchSize) % numRows,
      });
      const resumed = oddRows(numRows, batchSize, seed, cursor);
      const numAfter = Math.ceil((2 * numRows) / batchSize);
      assert.deepEqual(take(resumed, numAfter), take(stream, numAfter));
      assert.deepEqual(resumed.cursor, stream.cursor);
    }),
  );
});

test("a cursor at the very end of an epoch means the start of the next", () => {
  const atEnd = take(oddRows(12, 4, 5, { epoch: 0, position: 12 }), 3);
  assert.deepEqual(atEnd, take(oddRows(12, 4, 5, { epoch: 1, position: 0 }), 3));
});

test("the order depends on the seed and on the epoch, and on nothing else", () => {
  const first = take(oddRows(30, 30, 1), 2);
  assert.deepEqual(first, take(oddRows(30, 30, 1), 2));
  assert.notDeepEqual(first, take(oddRows(30, 30, 2), 2));
  assert.notDeepEqual(first.slice(0, 30), first.slice(30));
});

test("too few rows, a bad batch size and a foreign cursor are refused", () => {
  assert.throws(
    () => oddRows(7, 8, 0),
    (error) => error instanceof DataError && /batch of 8 rows.*has 7/.test(error.message),
  );
  for (const size of [0, -1, 2.5]) assert.throws(() => oddRows(7, size, 0), ConfigError);
  for (const cursor of [
    { epoch: 0, position: 8 },
    { epoch: -1, position: 0 },
    { epoch: 0, position: 0.5 },
  ]) {
    assert.throws(() => oddRows(7, 2, 0, cursor), /inside its epoch of 7 rows/);
  }
});

test("a sequential pass has all rows in order, the last batch short", () => {
  const batches = [...sequential(numbered(7), 3)].map(rowsIn);
  assert.deepEqual(batches, [[0, 1, 2], [3, 4, 5], [6]]);
  assert.deepEqual([...sequential(numbered(0), 3)], []);
  assert.throws(() => sequential(numbered(1), 0).next(), ConfigError);
});

test("the parts of a batch in the order of workers are the whole batch, with one cursor, across the ends of epochs", () => {
  const shared = fc.record({
    count: fc.integer({ min: 1, max: 4 }),
    size: fc.integer({ min: 1, max: 6 }),
    more: fc.nat(30),
    seed: fc.nat(),
    start: fc.nat(50),
  });
  fc.assert(
    fc.property(shared, ({ count, size, more, seed, start }) => {
      const [batchSize, numRows] = [count * size, count * size + more];
      const cursor = { epoch: 1, position: start % (numRows + 1) };
      const whole = oddRows(numRows, batchSize, seed, cursor);
      const parts = Array.from({ length: count }, (_, index) =>
        oddRows(numRows, batchSize, seed, cursor, { index, count }),
      );
      while (whole.cursor.epoch < 4) {
        const own = parts.map((part) => take(part, 1));
        assert.ok(own.every(({ length }) => length === size));
        assert.deepEqual(own.flat(), take(whole, 1));
        for (const part of parts) assert.deepEqual(part.cursor, whole.cursor);
      }
    }),
  );
});

test("parts that are not equal, or not there, are refused", () => {
  const refused = (part: Part, pattern: RegExp) =>
    assert.throws(
      () => oddRows(9, 4, 1, undefined, part),
      (error) => error instanceof ConfigError && pattern.test(error.message),
    );
  refused({ index: 0, count: 3 }, /equal parts, and 4 is no multiple of 3/);
  for (const [index, count] of [
    [2, 2],
    [-1, 2],
    [0, 0],
    [0.5, 2],
  ] as const)
    refused({ index, count }, new RegExp(`got ${index} of ${count}`));
});

test("a batch that cannot be read is not drawn", () => {
  const rows = numbered(20);
  let isBroken = false;
  const read: Rows["read"] = (wanted) => {
    if (isBroken) throw new DataError("the disk");
    return rows.read(wanted);
  };
  const indices = Uint32Array.from({ length: 20 }, (_, i) => i);
  const stream = batchStream({ rows: { ...rows, read }, indices, batchSize: 3, key: rootKey(1) });
  take(stream, 6);
  const { cursor } = stream;
  isBroken = true;
  assert.throws(() => stream.next(), DataError);
  assert.deepEqual(stream.cursor, cursor);
  isBroken = false;
  const next = take(stream, 1);
  assert.deepEqual(next, take(batchStream({ rows, indices, batchSize: 3, key: rootKey(1), cursor }), 1));
});

test("the batches of a step are there at once when the stream has them, else in their order", async () => {
  const [ready, other] = [oddRows(12, 4, 3), oddRows(12, 4, 3)];
  const now = nextBatches(ready, 3);
  assert.ok(!(now instanceof Promise));
  let asked = 0;
  // The second one is late.
  const late = { next: () => (++asked === 2 ? Promise.resolve(other.next()) : other.next()) };
  const then = nextBatches(late, 3);
  assert.ok(then instanceof Promise);
  assert.deepEqual((await then).map(rowsIn), now.map(rowsIn));
  const failing = { next: () => Promise.reject(new DataError("none")) };
  await assert.rejects(async () => nextBatches(failing, 2), DataError);
});
