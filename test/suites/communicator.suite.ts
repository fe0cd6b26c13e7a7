/** What every communicator must do. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { digestOf, type JobName, LENGTHS, MEMORY_FLOATS, numbersOf } from "./communicator-jobs.js";

/** Run jobs one after the other at so many workers; what each of them gives for each job, by rank. */
export type RunJobs = (jobs: readonly JobName[], size: number) => Promise<readonly (readonly unknown[])[]>;

/** Jobs that leave the communicator whole: one start of the workers does them all, and sums once more in the end. */
const together: readonly JobName[] = [
  "place",
  "sums",
  "sums of a part of the memory",
  "sums at one worker",
  "sums of float64",
  "what is not finite",
  "broadcasts",
  "many in a row",
  "sums",
];

/** Run the suite on one kind of communicator. */
export function communicatorSuite(name: string, run: RunJobs, sizes: readonly number[] = [1, 2, 3, 4]): void {
  describe(name, () => {
    for (const size of sizes) describe(`${size} workers`, () => suiteOf(run, size));
  });
}

function suiteOf(runAll: RunJobs, size: number): void {
  let done: ReturnType<RunJobs> | undefined;
  const all = () => (done ??= runAll(together, size));
  async function run(job: JobName, size: number): Promise<readonly unknown[]> {
    const at = together.indexOf(job);
    if (at < 0) return (await runAll([job], size)).map(([result]) => result);
    return (await all()).map((results) => results[at]);
  }
  const ranks = Array.from({ length: size }, (_, rank) => rank);
  const everywhere = (value: unknown) => ranks.map(() => value);

  test("each knows its place", async () => {
    assert.deepEqual(
      await run("place", size),
      ranks.map((rank) => ({ rank, size, length: MEMORY_FLOATS })),
    );
  });

  test("sums have the bits of additions in the order of ranks, at every worker, time after time", async () => {
    const expected = LENGTHS.flatMap((length) => {
      const sums = numbersOf(0, length);
      for (const rank of ranks.slice(1)) {
        for (const [i, x] of numbersOf(rank, length).entries()) sums[i] = (sums[i] as number) + x;
      }
      return [digestOf(sums), digestOf(sums)];
    });
    assert.deepEqual(await run("sums", size), everywhere(expected));
    assert.deepEqual(
      (await all()).map((results) => results.at(-1)),
      everywhere(expected),
    );
  });

  test("sums at one worker, whichever it is, are those at all", async () => {
    const sums = numbersOf(0, 4097);
    for (const rank of ranks.slice(1)) {
      for (const [i, x] of numbersOf(rank, 4097).entries()) sums[i] = (sums[i] as number) + x;
    }
    assert.deepEqual(await run("sums at one worker", size), everywhere([digestOf(sums)]));
  });

  test("a part of the memory is added up, and the rest stays as it is", async () => {
    const total = (size * (size + 1)) / 2;
    assert.deepEqual(
      await run("sums of a part of the memory", size),
      ranks.map((rank) => [rank + 1, total, total, rank + 1]),
    );
  });

  test("float64 keeps its digits, and what is not finite stays so", async () => {
    let third = 1;
    for (const _ of ranks.slice(1)) third += -(2 ** 53) / 3;
    const sums = [size * 2 ** 53, size, third, Number.NaN].map(String);
    assert.deepEqual(await run("sums of float64", size), everywhere(sums));
    assert.deepEqual(await run("what is not finite", size), everywhere(["Infinity", "NaN"]));
  });

  test("bytes go from any worker to all", async () => {
    const expected = [0, 1, 65_536, 200_001].flatMap((length) =>
      ranks.map((root) => digestOf(Uint8Array.from({ length }, (_, i) => (i * 7 + root) & 0xff))),
    );
    assert.deepEqual(await run("broadcasts", size), everywhere(expected));
  });

  test("hundreds of calls in a row meet one another", async () => {
    const total = Array.from({ length: 500 }, (_, i) => ranks.reduce((sum, rank) => sum + rank + i, 0));
    assert.deepEqual(await run("many in a row", size), everywhere(total.reduce((sum, x) => sum + x, 0)));
  });

  test("closed, it refuses calls", async () => {
    for (const result of (await run("closed", size)) as [string, string][])
      assert.equal(result[0], "CLOSED", result[1]);
  });

  if (size === 1) return;

  test("other numbers of elements are told to all with both, and end every call from then on", async () => {
    for (const [first, later] of (await run("another number of elements", size)) as [string, string][][]) {
      assert.equal(first?.[0], "WORKER");
      assert.match(first?.[1] ?? "", /allReduce of (32|36) bytes, and worker \d allReduce of (36|32) bytes/);
      assert.equal(later?.[0], "WORKER");
    }
  });

  test("different calls are told to all with both", async () => {
    for (const [code, message] of (await run("another call", size)) as [string, string][]) {
      assert.equal(code, "WORKER");
      assert.match(message, /barrier.*allReduce|allReduce.*barrier/);
    }
  });

  test("a worker that gives up tells all why", async () => {
    for (const [code, message] of (await run("a worker that gives up", size)) as [string, string][]) {
      assert.equal(code, "WORKER");
      assert.match(message, /the disk of this worker is full/);
    }
  });

  test("what it gives up with is an error of the code that it names", async () => {
    for (const [code, message] of (await run("a worker that gives up with a code", size)) as [string, string][]) {
      assert.equal(code, "CONFIG");
      assert.match(message, /optimizer: must be the same at all workers/);
    }
  });

  /** Threads count those that have come; processes name those that have not, among them the last worker. */
  const late = (numCome: number) =>
    `(${numCome} have come within 2 s|not all have come within 2 s \\(missing: (worker \\d, )*worker ${size - 1}\\))`;

  test("a worker that does not come is waited for so long, and no longer", async () => {
    const results = await run("a worker that does not come", size);
    for (const [code, message] of results.slice(0, -1) as [string, string][]) {
      assert.equal(code, "WORKER");
      assert.match(message, new RegExp(`of ${size} workers ${late(size - 1)}`));
    }
  });

  if (size > 2) return;

  test("who says something to all waits no longer for one that does not come", async () => {
    const [first] = (await run("a worker that does not come to be told", size)) as [string, string][];
    assert.equal(first?.[0], "WORKER");
    assert.match(first?.[1] ?? "", new RegExp(`of 2 workers ${late(1)}`));
  });
}
