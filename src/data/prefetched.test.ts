import assert from "node:assert/strict";
import { after, before, mock, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { ClosedError, ConfigError, DataError } from "../errors.js";
import type { NamedArrays } from "../runtime/array.js";
import { rootKey } from "../runtime/random.js";
import { prefetched } from "./prefetched.js";
import { recordLayout, tableRows } from "./records.js";
import { batchStream, type Cursor, type ReadyStream, type Stream } from "./stream.js";

const layout = recordLayout({ categorical: { row: "row" }, numeric: {} });
const NUM_ROWS = 11;

/** Batches of 4 of 11 rows, so that epochs end within them. */
function plain(): ReadyStream {
  const words = Int32Array.from({ length: 2 * NUM_ROWS }, (_, i) => (i % 2 === 0 ? i / 2 : 0));
  return batchStream({
    rows: tableRows(layout, words),
    indices: Uint32Array.from({ length: NUM_ROWS }, (_, i) => i),
    batchSize: 4,
    key: rootKey(3),
  });
}

/** The same whose batches come late; it counts them, fails as it is told, and is moved on by a batch that it does not give. */
function late(failsAt: (call: number) => boolean = () => false) {
  const inner = plain();
  let calls = 0;
  let isClosed = false;
  const stream: Stream = {
    ...inner,
    get cursor() {
      return inner.cursor;
    },
    async next(signal) {
      const call = ++calls;
      await turn();
      signal?.throwIfAborted();
      const batch = inner.next();
      if (failsAt(call)) throw new DataError(`batch ${call} cannot be read`);
      return batch;
    },
    async close() {
      isClosed = true;
    },
  };
  return { stream, calls: () => calls, isClosed: () => isClosed };
}

before(() => mock.timers.enable({ apis: ["setTimeout"] }));
after(() => mock.timers.reset());

/** Let what is planned happen, and what comes late come, until nothing is under way: more rounds than any test has batches ahead. */
async function rest(): Promise<void> {
  for (let round = 0; round < 20; round++) {
    mock.timers.tick(1);
    await turn();
  }
}

const rowsIn = (batch: NamedArrays) => Array.from(batch["features.row"]?.data as Int32Array);

/** The batches of the stream unwrapped, with the cursor after each. */
const expected = (() => {
  const stream = plain();
  return Array.from({ length: 40 }, () => ({ rows: rowsIn(stream.next()), cursor: stream.cursor }));
})();
const cursorAt = (n: number): Cursor => (n === 0 ? { epoch: 0, position: 0 } : (expected[n - 1]?.cursor as Cursor));

/** The next batch as it should be, and the cursor behind it. */
async function assertNext(stream: Stream, n: number): Promise<void> {
  assert.deepEqual(rowsIn(await stream.next()), expected[n]?.rows, `batch ${n}`);
  assert.deepEqual(stream.cursor, expected[n]?.cursor, `cursor after batch ${n}`);
}

test("batches and cursors are those of the stream unwrapped, whatever was read ahead, and wherever it went in between", async () => {
  const acts = fc.array(fc.oneof(fc.constant("next"), fc.constant("wait"), fc.nat(12)), { maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(acts, fc.integer({ min: 1, max: 4 }), fc.boolean(), async (acts, depth, isLate) => {
      const stream = prefetched(isLate ? late().stream : plain(), depth);
      assert.equal(stream.numRows, NUM_ROWS);
      let n = 0;
      for (const act of acts) {
        if (act === "next") await assertNext(stream, n++);
        else if (act === "wait") await rest();
        else {
          n = act as number;
          stream.goTo(cursorAt(n));
        }
        assert.deepEqual(stream.cursor, cursorAt(n));
      }
      await assertNext(stream, n);
      await stream.close();
    }),
    { numRuns: 60 },
  );
});

test("it reads ahead so many batches and no more, and what is there is given at once", async () => {
  const { stream, calls } = late();
  const wrapped = prefetched(stream, 3);
  assert.equal(calls(), 0);
  const first = wrapped.next();
  assert.ok(first instanceof Promise);
  await first;
  await rest();
  assert.equal(calls(), 4);
  assert.ok(!(wrapped.next() instanceof Promise));
  assert.deepEqual(wrapped.cursor, cursorAt(2));
});

test("a stream whose batches are there is never waited for", () => {
  const stream = prefetched(plain(), 2);
  for (let n = 0; n < 10; n++) {
    const batch = stream.next();
    assert.ok(!(batch instanceof Promise));
    assert.deepEqual(rowsIn(batch), expected[n]?.rows);
  }
});

test("a failure comes at its own batch, which is read anew when it is asked for again", async () => {
  for (const depth of [1, 2, 5]) {
    const { stream } = late((call) => call === 3 || call === 4);
    const wrapped = prefetched(stream, depth);
    await assertNext(wrapped, 0);
    await rest();
    await assertNext(wrapped, 1);
    for (const call of [3, 4]) {
      await assert.rejects(async () => wrapped.next(), new RegExp(`batch ${call} cannot be read`));
      assert.deepEqual(wrapped.cursor, cursorAt(2));
    }
    for (let n = 2; n < 6; n++) await assertNext(wrapped, n);
  }
});

test("going elsewhere drops what was read, failed or is under way", async () => {
  const { stream } = late((call) => call === 4);
  const wrapped = prefetched(stream, 8);
  await assertNext(wrapped, 0);
  const underWay = wrapped.next();
  wrapped.goTo(cursorAt(7));
  // Whoever was waiting goes along.
  assert.deepEqual(rowsIn(await underWay), expected[7]?.rows);
  await rest();
  wrapped.goTo(cursorAt(2));
  for (let n = 2; n < 8; n++) await assertNext(wrapped, n);
  assert.throws(() => prefetched(plain(), 1).goTo({ epoch: 0, position: 99 }), DataError);
});

test("a batch that is cancelled while it is waited for is the next one", async () => {
  const wrapped = prefetched(late().stream, 1);
  const stop = new AbortController();
  const waiting = assert.rejects(async () => wrapped.next(stop.signal), /enough/);
  stop.abort(new Error("enough"));
  await waiting;
  assert.deepEqual(wrapped.cursor, cursorAt(0));
  await assertNext(wrapped, 0);
});

test("closing ends the reads, closes the other stream, and leaves no batch", async () => {
  const { stream, isClosed, calls } = late();
  const wrapped = prefetched(stream, 2);
  const waiting = assert.rejects(async () => wrapped.next(), ClosedError);
  await wrapped.close();
  await waiting;
  assert.ok(isClosed());
  assert.throws(() => wrapped.next(), ClosedError);
  const before = calls();
  await rest();
  assert.equal(calls(), before);
});

test("a depth of no batches is refused", () => {
  for (const depth of [0, -1, 1.5]) assert.throws(() => prefetched(plain(), depth), ConfigError);
});
