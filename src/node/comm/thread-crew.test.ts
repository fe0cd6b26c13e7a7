/** The law of workers: what they do together has the bits of what one does alone. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { Worker } from "node:worker_threads";
import { isFull } from "../../../test/fixtures/full.js";
import { rowStream, type WorkerLearner, workerLearners } from "../../../test/fixtures/worker-steps.js";
import type { WorkerThreadData } from "../../../test/fixtures/worker-thread.js";
import { nextBatches } from "../../data/stream.js";
import { WorkerError } from "../../errors.js";
import { initWeights } from "../../nn/model.js";
import { bytesOf, type NamedArrays } from "../../runtime/array.js";
import { rootKey } from "../../runtime/random.js";
import { engineStudent, type StepMetrics, type Teacher } from "../../train/student.js";
import { threadedEngine } from "../ort/threaded-engine.js";
import { threadCrew } from "./thread-crew.js";

interface Shape {
  readonly workers: number;
  readonly accumulate: number;
  readonly numTeachers?: number;
  readonly failsAt?: number;
}

const STEPS = 4;

/** What so many workers come to in some steps: the bits of all that a checkpoint has, and what each step said. */
async function trained(name: WorkerLearner, { workers, accumulate, numTeachers = 0, failsAt }: Shape) {
  const learner = workerLearners[name];
  const engine = threadedEngine({ threads: 1 });
  const updater = workers > 1 ? threadedEngine({ threads: workers }) : engine;
  const stream = rowStream(name, accumulate, { index: 0, count: workers });
  const crew =
    workers > 1
      ? threadCrew({
          ...{ engine, updater, learner, size: workers },
          cursor: () => begin,
          start: (rank, board) => {
            const data = { board, rank, name, accumulate, ...(failsAt !== undefined && { failsAt }) };
            const entry = new URL("../../../test/fixtures/worker-thread.js", import.meta.url);
            return new Worker(entry, { workerData: data satisfies WorkerThreadData });
          },
        })
      : undefined;
  let begin = stream.cursor;
  const student = engineStudent({ engine, learner, key: rootKey(9), crew });
  try {
    await student.init(rootKey(1));
    const metrics: StepMetrics[] = [];
    for (let step = 0; step < STEPS; step++) {
      begin = stream.cursor;
      const batches = await nextBatches(stream, accumulate);
      // Teachers come, change and go.
      const teachers = Array.from({ length: step === 0 ? 0 : numTeachers }, (_, i): Teacher => {
        const seed = 40 + 10 * Math.floor(step / 2) + i;
        return { group: i + 1, step, digest: `t${seed}`, params: initWeights(learner.model, rootKey(seed)) };
      });
      const { workers: seconds = [], ...metric } = await student.learn(batches, teachers, 0.7);
      assert.equal(seconds.length, workers > 1 ? workers : 0);
      metrics.push(metric);
    }
    return { state: await student.state(), metrics };
  } finally {
    await crew?.close();
    await student.close();
    await engine.close();
    if (updater !== engine) await updater.close();
  }
}

function digestOf(state: NamedArrays): string {
  const hash = createHash("sha256");
  for (const name of Object.keys(state).sort())
    hash.update(name).update(bytesOf((state[name] as NamedArrays[string]).data));
  return hash.digest("hex");
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
  const shapes = all.filter(([workers, accumulate]) => isFull || workers + accumulate === 5 || workers === 4);
  for (const name of Object.keys(workerLearners) as WorkerLearner[]) {
    for (const numTeachers of name === "embeddings" ? [0, 2] : [0]) {
      test(`${name}, ${numTeachers} teachers`, async () => {
        const alone = new Map<number, Awaited<ReturnType<typeof trained>>>();
        for (const [workers, accumulate] of shapes) {
          const all = workers * accumulate;
          const one = alone.get(all) ?? (await trained(name, { workers: 1, accumulate: all, numTeachers }));
          alone.set(all, one);
          const several = await trained(name, { workers, accumulate, numTeachers });
          const what = `${workers} workers, ${accumulate} batches each`;
          assert.deepEqual(several.metrics, one.metrics, what);
          assert.equal(digestOf(several.state), digestOf(one.state), what);
        }
      });
    }
  }
});

test("and those of one large batch, but for rounding", async () => {
  for (const name of ["plain", "weighted", "smoothed", "embeddings"] as const) {
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
