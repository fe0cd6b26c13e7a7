/** What every mail must do. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LENGTHS, type MailJob } from "./mail-jobs.js";

/** Run a job at a leader and so many workers; what each of them gives, by rank. */
export type RunMailJob = (job: MailJob, workers: number) => Promise<readonly unknown[]>;

/** Run the suite on one kind of mail. */
export function mailSuite(name: string, run: RunMailJob, sizes: readonly number[] = [1, 3]): void {
  describe(name, () => {
    for (const workers of sizes) describe(`${workers} workers`, () => suiteOf(run, workers));
  });
}

function suiteOf(run: RunMailJob, workers: number): void {
  const ranks = Array.from({ length: workers }, (_, i) => i + 1);

  test("each knows its place", async () => {
    const size = workers + 1;
    assert.deepEqual(
      await run("place", workers),
      [0, ...ranks].map((rank) => ({ rank, size })),
    );
  });

  test("numbers and arrays arrive as they were sent, of any length", async () => {
    const [leader, ...others] = await run("numbers and arrays", workers);
    assert.deepEqual(
      leader,
      LENGTHS.map((length) =>
        ranks.map((rank) => ["x!", "NaN", rank, 0.5, 2 ** 53 - 1, [length], [], Math.fround(length + rank), true]),
      ),
    );
    assert.deepEqual(
      others,
      ranks.map(() => LENGTHS.length),
    );
  });

  test("letters of one sender arrive in the order in which they were sent", async () => {
    assert.deepEqual(await run("many in order", workers), [true, ...ranks.map(() => "end")]);
  });

  test("a wait that is called off takes no letter", async () => {
    const [leader] = await run("a wait that is called off", workers);
    assert.deepEqual(leader, ["stopped before", "stopped while it waited", ...ranks.map(() => "late")]);
  });

  test("a worker that gives up tells the leader why, who ends all", async () => {
    const results = (await run("a worker that gives up", workers)) as [string, string][][];
    for (const [rank, [first, later]] of results.entries()) {
      assert.equal(first?.[0], "WORKER");
      assert.equal(later?.[0], "WORKER");
      const own = rank <= 1 ? /the disk of this worker is full/ : /the leader ends all|the disk of this worker is full/;
      assert.match(first?.[1] ?? "", own);
    }
  });

  test("closed, it refuses letters", async () => {
    for (const result of (await run("closed", workers)) as [string, string][])
      assert.equal(result?.[0], "CLOSED", result?.[1]);
  });
}
