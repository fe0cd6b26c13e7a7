/** The law of workers: what they do together has the bits of what one does alone. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Worker } from "node:worker_threads";
import { isFull } from "../../../test/fixtures/full.js";
import { digestOf, type Shape, trainedBy } from "../../../test/fixtures/worker-runs.js";
import {
  mostTeachers,
  type WorkerLearner,
  workerLearner,
  workerLearnerNames,
} from "../../../test/fixtures/worker-steps.js";
import type { WorkerThreadData } from "../../../test/fixtures/worker-thread.js";
import { WorkerError } from "../../errors.js";
import { threadedEngine } from "../ort/threaded-engine.js";
import { threadCrew } from "./thread-crew.js";
import type { ThreadBoard } from "./threads.js";

interface ThreadShape extends Shape {
  readonly failsAt?: number;
}

/** What so many workers on threads come to. */
async function trained(name: WorkerLearner, { failsAt, ...shape }: ThreadShape) {
  const { workers, accumulate } = shape;
  if (workers === 1) return trainedBy(name, shape);
  const updater = threadedEngine({ threads: workers });
  const start = (rank: number, board: ThreadBoard) => {
    const data = { board, rank, name, accumulate, ...(failsAt !== undefined && { failsAt }) };
    const entry = new URL("../../../test/fixtures/worker-thread.js", import.meta.url);
    return new Worker(entry, { workerData: data satisfies WorkerThreadData });
  };
  const learner = workerLearner(name, workers * accumulate);
  return trainedBy(name, shape, (engine, cursor) =>
    threadCrew({ engine, updater, learner, size: workers, cursor, start }),
  ).finally(() => updater.close());
}

describe("n workers with A batches each take the steps of one worker with n A batches, to the bit", () => {
  const all = [
    [2, 1],
    [3, 1],
    [4, 1],
    [2, 2],
    [2, 3],
    [3, 2],
  ] as const;
  const learners = workerLearnerNames.flatMap((name) =>
    [...new Set([0, mostTeachers(name)])].map((numTeachers) => ({ name, numTeachers })),
  );
  // What a learner computes knows nothing of the shape: they meet one large shape each, and all of them with `--full`.
  const some = [all[2], all[4], all[5]];
  for (const [i, { name, numTeachers }] of learners.entries()) {
    const shapes = isFull ? all : some.filter((_, j) => j === i % some.length);
    for (const [workers, accumulate] of shapes) {
      test(`${name}, ${numTeachers} teachers, ${workers} workers with ${accumulate} batches each`, async () => {
        const one = await trained(name, { workers: 1, accumulate: workers * accumulate, numTeachers });
        const several = await trained(name, { workers, accumulate, numTeachers });
        assert.deepEqual(several.metrics, one.metrics);
        assert.equal(digestOf(several.state), digestOf(one.state));
      });
    }
  }
});

test("and those of one large batch, but for rounding", async () => {
  for (const name of ["plain", "weighted", "weighted rows", "smoothed", "embeddings", "lstm"] as const) {
    const [one, four] = [
      await trained(name, { workers: 1, accumulate: 1 }),
      await trained(name, { workers: 4, accumulate: 1 }),
    ];
    for (const [i, { labelLoss }] of one.metrics.entries())
      assert.ok(Math.abs(labelLoss - (four.metrics[i]?.labelLoss ?? 0)) < 1e-5, `${name}, step ${i}`);
    for (const [param, { data }] of Object.entries(one.state)) {
      const other = four.state[param]?.data as Float32Array;
      for (const [i, value] of data.entries())
        assert.ok(Math.abs(Number(value) - Number(other[i])) < 2e-4, `${name} ${param}[${i}]`);
    }
  }
});

test("a worker that fails ends the step of all, with what it died of", async () => {
  await assert.rejects(
    trained("plain", { workers: 3, accumulate: 1, failsAt: 2 }),
    (error) =>
      error instanceof WorkerError && /worker \d of 3 failed: the disk of this worker is gone/.test(error.message),
  );
});
