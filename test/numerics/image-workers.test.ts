/** Four workers on threads, whose parts of each batch differ in brightness: the running statistics that a step leaves. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { nextBatches } from "../../src/data/stream.js";
import { constant, maxPool } from "../../src/graph/ops.js";
import { convolution } from "../../src/nn/conv.js";
import { threadCrew } from "../../src/node/comm/thread-crew.js";
import type { ThreadBoard } from "../../src/node/comm/threads.js";
import { threadedEngine } from "../../src/node/ort/threaded-engine.js";
import { float32, type NamedArrays } from "../../src/runtime/array.js";
import { mapValues, named } from "../../src/runtime/named.js";
import { rootKey } from "../../src/runtime/random.js";
import { engineStudent } from "../../src/train/student.js";
import { assertAllClose } from "../fixtures/close.js";
import { rowStream, workerLearner } from "../fixtures/worker-steps.js";
import type { WorkerThreadData } from "../fixtures/worker-thread.js";
import { interpret } from "./interpreter.js";

const WORKERS = 4;
const STEPS = 3;
const NAME = "images";
const learner = workerLearner(NAME, WORKERS);

/** The mean and the variance, divided by n - 1, of each channel before the first norm, in float64. */
function statisticsOf(params: NamedArrays, batch: NamedArrays) {
  const pixels = named(batch, "images");
  const [numImages = 0, side = 0] = pixels.shape;
  // One channel: images are channels first as they are, of mean 0.3 and deviation 0.2.
  const values = Float32Array.from(pixels.data, (pixel) => (Number(pixel) / 255 - 0.3) / 0.2);
  const images = constant(float32(values, [numImages, 1, side, side]));
  const y = maxPool(convolution(mapValues(params, constant), "blocks.0.conv", images, { pads: 1 }), {
    kernel: 2,
    strides: 2,
  });
  const { data, shape } = named(interpret({ outputs: { y }, updates: {} }, {}).outputs, "y");
  const [, channels = 0, height = 0, width = 0] = shape;
  const of = (c: number) => [...data].filter((_, i) => Math.floor(i / (height * width)) % channels === c).map(Number);
  return Array.from({ length: channels }, (_, c) => {
    const values = of(c);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    return { mean, variance: squares / (values.length - 1) };
  });
}

test("running statistics become 0.9 of theirs and 0.1 of the mean of the four parts' own, from step to step on all workers", async () => {
  const engine = threadedEngine({ threads: 1 });
  const updater = threadedEngine({ threads: 1 });
  const stream = rowStream(NAME, 1, { index: 0, count: WORKERS });
  const start = (rank: number, board: ThreadBoard) =>
    new Worker(new URL("../fixtures/worker-thread.js", import.meta.url), {
      workerData: { board, rank, name: NAME, accumulate: 1 } satisfies WorkerThreadData,
    });
  let begin = stream.cursor;
  const crew = threadCrew({ engine, updater, learner, size: WORKERS, cursor: () => begin, start });
  const student = engineStudent({ engine, learner, key: rootKey(9), crew });
  const theirs = Array.from({ length: WORKERS }, (_, index) => rowStream(NAME, 1, { index, count: WORKERS }));
  try {
    await student.init(rootKey(1));
    for (let step = 0; step < STEPS; step++) {
      const before = await student.params();
      const apart = theirs.map((own) => statisticsOf(before, own.next()));
      const mean = (channel: number, of: "mean" | "variance") =>
        apart.reduce((sum, own) => sum + (own[channel]?.[of] ?? Number.NaN) / WORKERS, 0);
      begin = stream.cursor;
      await student.learn(await nextBatches(stream, 1), [], 0);
      // A worker with statistics of its own would bring 0.9 of these to the mean.
      const moved = (of: "mean" | "variance") =>
        float32([...named(before, `blocks.0.norm.${of}`).data].map((old, c) => 0.9 * Number(old) + 0.1 * mean(c, of)));
      const expected = { mean: moved("mean"), variance: moved("variance") };
      const after = await student.params();
      const got = mapValues(expected, (_, of) => named(after, `blocks.0.norm.${of}`));
      assertAllClose(got, expected, 2e-6, `statistics after step ${step}`, 1);
      for (const [rank, own] of apart.entries()) {
        const distance = Math.max(...own.map(({ mean: one }, c) => Math.abs(one - mean(c, "mean"))));
        assert.ok(distance > 0.05, `the part of worker ${rank} is as the whole: ${distance}`);
      }
    }
  } finally {
    await crew.close();
    await student.close();
    await Promise.all([engine.close(), updater.close()]);
  }
});
