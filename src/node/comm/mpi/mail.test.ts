/** Mail between processes, and asynchronous SGD by it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type RecordedOrder, repeated } from "../../../../test/fixtures/async-replay.js";
import { ASYNC_STEPS } from "../../../../test/fixtures/async-steps.js";
import { isFull } from "../../../../test/fixtures/full.js";
import { mpiLaunchers, ranksOf } from "../../../../test/fixtures/mpi-launchers.js";
import { mailSuite } from "../../../../test/suites/mail.suite.js";
import { jobs } from "../../../../test/suites/mail-jobs.js";
import { napOf } from "./mail-thread.js";

const mailJobs = Object.keys(jobs);
const learners = ["plain", "dropout", "batch norm"] as const;

for (const launcher of mpiLaunchers) {
  // One start of the processes does all jobs, as each closes its mail and leaves MPI whole.
  const started = new Map<number, ReturnType<typeof ranksOf>>();
  async function resultsOf(at: number, workers: number): Promise<readonly unknown[]> {
    const names = [...mailJobs.map((job) => `mail:${job}`), ...learners.map((name) => `async:${name}`)];
    const ranks = started.get(workers) ?? ranksOf(launcher, workers + 1, names);
    started.set(workers, ranks);
    return (await ranks).map(({ results, failed }) => results?.[at] ?? failed);
  }

  const sizes = isFull ? [1, 2, 3] : [2];
  mailSuite(
    `mail between processes of ${launcher.name}`,
    (job, workers) => resultsOf(mailJobs.indexOf(job), workers),
    sizes,
  );

  for (const [i, name] of learners.entries()) {
    test(`${launcher.name}: workers in processes come to the bits of a plain loop over the recorded order, ${name}`, async () => {
      const [own] = await resultsOf(mailJobs.length + i, sizes.at(-1) as number);
      const { digest, ...recorded } = own as RecordedOrder & { readonly digest: string };
      assert.equal(await repeated(name, recorded, ASYNC_STEPS), digest);
    });
  }
}

test("a process to which nothing comes naps longer, up to a millisecond; while something is on its way it looks soon again", () => {
  assert.deepEqual(
    [0, 1, 5, 10, 1e6].map((idle) => napOf(idle, false)),
    [0, 0.1, 0.5, 1, 1],
  );
  assert.deepEqual(
    [0, 0.5, 10, 1e6].map((idle) => napOf(idle, true)),
    [0, 0.05, 0.1, 0.1],
  );
});
