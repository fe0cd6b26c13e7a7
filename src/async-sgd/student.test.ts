/** The laws of asynchronous SGD: with one worker it is plain training; with several, the steps of a plain loop in the order recorded. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { recorder, repeated } from "../../test/fixtures/async-replay.js";
import { ASYNC_STEPS, type AsyncSteps, withAsyncStudent } from "../../test/fixtures/async-steps.js";
import { digestOf } from "../../test/fixtures/worker-runs.js";
import {
  mostTeachers,
  rowStream,
  type WorkerLearner,
  workerLearner,
  workerLearnerNames,
} from "../../test/fixtures/worker-steps.js";
import type { Mail } from "../comm/mail.js";
import { nextBatches } from "../data/stream.js";
import type { Engine } from "../engine/engine.js";
import { ConfigError, WorkerError } from "../errors.js";
import { initWeights } from "../nn/model.js";
import { onnxRuntimeEngine } from "../node/ort/onnxruntime.js";
import { sgd } from "../optim/optimizers.js";
import { constantSchedule } from "../optim/schedules.js";
import { type NamedArrays, scalar } from "../runtime/array.js";
import { withPrefix } from "../runtime/named.js";
import { rootKey } from "../runtime/random.js";
import { type Learner, stateNames } from "../train/graphs.js";
import { engineStudent, type Student, type Teacher } from "../train/student.js";

const STEPS = 6;

/** Teachers that come, change and go. */
function teachersAt(step: number, numTeachers: number, learner: Learner): readonly Teacher[] {
  return Array.from({ length: step === 0 || step === 5 ? 0 : numTeachers }, (_, i): Teacher => {
    const seed = 40 + 10 * Math.floor(step / 2) + i;
    return { group: i + 1, step, digest: `t${seed}`, params: initWeights(learner.model, rootKey(seed)) };
  });
}

async function steps(
  student: Student,
  learner: Learner,
  numTeachers: number,
  next: () => Promise<readonly NamedArrays[]>,
) {
  const metrics = [];
  for (let step = 0; step < STEPS; step++) {
    const {
      gradient: _,
      taughtBy: __,
      ...metric
    } = await student.learn(await next(), teachersAt(step, numTeachers, learner), 0.7);
    metrics.push(metric);
  }
  return { metrics, digest: digestOf(await student.state()) };
}

async function plainly(name: WorkerLearner, accumulate: number, numTeachers: number) {
  const learner: Learner = workerLearner(name, accumulate);
  await using engine = onnxRuntimeEngine({ threads: 1 });
  await using student = engineStudent({ engine, learner, key: rootKey(9) });
  await student.init(rootKey(1));
  const stream = rowStream(name, accumulate, { index: 0, count: 1 });
  return await steps(student, learner, numTeachers, async () => nextBatches(stream, accumulate));
}

describe("one worker takes the steps of plain training, to the bit", () => {
  for (const name of workerLearnerNames.filter((one) => !one.startsWith("lstm"))) {
    test(name, async () => {
      for (const [accumulate, numTeachers, servers] of [
        [1, 0, 1],
        [1, 0, name === "clipped by the norm" ? 1 : 3],
        [2, 0, 1],
        ...(mostTeachers(name) > 0 ? ([[1, 2, 2]] as const) : []),
      ] as const) {
        const plain = await plainly(name, accumulate, numTeachers);
        const own = await withAsyncStudent(name, { accumulate, servers }, (student) =>
          steps(student, workerLearner(name, accumulate), numTeachers, async () => []),
        );
        const what = `${accumulate} batches, ${numTeachers} teachers, ${servers} servers`;
        assert.deepEqual(own.metrics, plain.metrics, what);
        assert.equal(own.digest, plain.digest, what);
      }
    });
  }
});

describe("with several workers, a plain loop over the recorded order of pulls and pushes comes to the same bits", () => {
  for (const name of ["plain", "dropout", "batch norm"] as const) {
    test(name, async () => {
      const { versions, order, watched } = recorder();
      let own: Student | undefined;
      const options: AsyncSteps = { workers: 3, servers: 2, watched: watched(() => own as Student) };
      const digest = await withAsyncStudent(name, options, async (student) => {
        own = student;
        for (let step = 0; step < ASYNC_STEPS; step++) await student.learn([], [], 0);
        return digestOf(await student.state());
      });
      assert.ok(
        Object.values(versions).some((version, i) => version < i),
        "gradients are stale",
      );
      assert.equal(await repeated(name, { versions, order }, ASYNC_STEPS), digest);
    });
  }
});

test("no gradient is staler than the bound, and every worker's gradients come", async () => {
  for (const maxStaleness of [0, 1, 2]) {
    const found = await withAsyncStudent("plain", { workers: 4, maxStaleness }, async (student) => {
      const seen = [];
      for (let step = 0; step < 20; step++) seen.push((await student.learn([], [], 0)).gradient);
      assert.deepEqual(
        student.staleness().reduce((sum, one) => sum + one, 0),
        20,
      );
      return seen;
    });
    assert.ok(
      found.every((one) => one && one.staleness <= maxStaleness),
      `bound ${maxStaleness}`,
    );
    assert.equal(new Set(found.map((one) => one?.worker)).size, 4);
  }
});

test("workers begin one after the other where they ramp up", async () => {
  const options: AsyncSteps = { workers: 3, activeAt: (step) => (step < 5 ? 1 : 3) };
  const workers = await withAsyncStudent("plain", options, async (student) => {
    const seen: (number | undefined)[] = [];
    for (let step = 0; step < 20; step++) seen.push((await student.learn([], [], 0)).gradient?.worker);
    return seen;
  });
  assert.deepEqual(workers.slice(0, 5), [1, 1, 1, 1, 1]);
  assert.deepEqual([...new Set(workers)].sort(), [1, 2, 3]);
});

test("the learning rate is divided by 1 + the staleness where that is asked for", async () => {
  await withAsyncStudent("plain", { workers: 3, staleLearningRate: "inverse" }, async (student) => {
    const stale: number[] = [];
    for (let step = 0; step < 10; step++) {
      const { learningRate, gradient } = await student.learn([], [], 0);
      assert.equal(learningRate, 0.02 / (1 + (gradient?.staleness ?? Number.NaN)));
      stale.push(gradient?.staleness ?? 0);
    }
    assert.ok(Math.max(...stale) > 0);
  });
});

test("a student that goes back throws away the gradients that are under way", async () => {
  await withAsyncStudent("plain", { workers: 3 }, async (student) => {
    for (let step = 0; step < 4; step++) await student.learn([], [], 0);
    const saved = await student.state();
    for (let step = 0; step < 4; step++) await student.learn([], [], 0);
    await student.restore(saved, 4, 0.5);
    assert.deepEqual([student.step, student.learningRateScale, student.dealt().again], [4, 0.5, []]);
    assert.equal(digestOf(await student.state()), digestOf(saved));
    const { gradient, learningRate } = await student.learn([], [], 0);
    // One that was computed by the params from before would be of no version that there is.
    assert.deepEqual([gradient?.staleness, learningRate, student.step], [0, 0.01, 5]);
  });
});

test("a gradient that is not finite changes nothing, counts as a step, and is no staleness", async () => {
  const wild: Learner = { ...workerLearner("plain", 1), optimizer: sgd(constantSchedule(1e38)) };
  await withAsyncStudent("plain", { learner: wild, servers: 2 }, async (student) => {
    await student.learn([], [], 0);
    const before = digestOf(await student.state());
    const { skipped } = await student.learn([], [], 0);
    assert.match(skipped ?? "nothing", /NaN|Infinity/);
    assert.equal(digestOf(await student.state()), before);
    assert.deepEqual([student.step, student.staleness()], [2, [1]]);
  });
});

test("the teachers of a step are those that its gradient was computed with", async () => {
  const learner: Learner = workerLearner("embeddings", 1);
  await withAsyncStudent("embeddings", { workers: 2 }, async (student) => {
    for (let step = 0; step < 3; step++) await student.learn([], [], 0);
    const late = await student.learn([], teachersAt(3, 1, learner), 0.7);
    assert.deepEqual([late.taughtBy, late.distillLoss], [[], null]);
    for (let step = 4; step < 8; step++) {
      const { taughtBy = [], statistics, distillLoss } = await student.learn([], teachersAt(4, 1, learner), 0.7);
      assert.equal(statistics?.teachers.length ?? 0, taughtBy.length);
      assert.equal(distillLoss !== null, taughtBy.length > 0);
    }
  });
});

test("a step that is called off has changed nothing, and the next one goes on", async () => {
  await withAsyncStudent("plain", { workers: 2 }, async (student) => {
    await student.learn([], [], 0);
    const before = digestOf(await student.state());
    const stop = AbortSignal.abort(new Error("stopped"));
    await assert.rejects(student.learn([], [], 0, stop), /stopped/);
    assert.equal(digestOf(await student.state()), before);
    await student.learn([], [], 0);
    assert.equal(student.step, 2);
  });
});

test("a worker that fails ends the step with what it died of", async () => {
  const bad = (mail: Mail): Mail => ({
    ...mail,
    send(to, letter) {
      const { batch: _, ...numbers } = letter.numbers;
      mail.send(to, letter.kind === "params" && letter.numbers.batch === 2 ? { ...letter, numbers } : letter);
    },
  });
  await withAsyncStudent("plain", { workers: 2, watched: bad }, async (student) => {
    await assert.rejects(
      async () => {
        for (let step = 0; step < 9; step++) await student.learn([], [], 0);
      },
      (error) =>
        error instanceof WorkerError &&
        /worker \d of 2 failed: .*a letter .* must have a number "batch"/.test(error.message),
    );
  });
});

test("a server that is lost ends the step with its name", async () => {
  let isLost = false;
  const served = (engine: Engine, server: number): Engine => ({
    ...engine,
    async compile(graph) {
      const program = await engine.compile(graph);
      const run: typeof program.run = async (...given) => {
        if (isLost && server === 1) throw new Error("the thread of its engine has ended");
        return program.run(...given);
      };
      return { ...program, run };
    },
  });
  await withAsyncStudent("plain", { servers: 2, served }, async (student) => {
    await student.learn([], [], 0);
    isLost = true;
    await assert.rejects(
      student.learn([], [], 0),
      (error) =>
        error instanceof WorkerError && error.message === "server 2 of 2 failed: the thread of its engine has ended",
    );
  });
});

test("gradients that are not those of the model are refused with the difference", async () => {
  const bad = (mail: Mail): Mail => ({
    ...mail,
    async next(signal) {
      const { from, letter } = await mail.next(signal);
      const arrays = withPrefix(stateNames.gradSum, { wrong: scalar(1) });
      return { from, letter: letter.kind === "gradient" ? { ...letter, arrays } : letter };
    },
  });
  await withAsyncStudent("plain", { watched: bad }, async (student) => {
    await assert.rejects(student.learn([], [], 0), /must be float32\[.*got nothing[\s\S]*gradSum\.wrong is not part/);
  });
});

test("more servers than params are refused", async () => {
  await assert.rejects(
    withAsyncStudent("plain", { servers: 5 }, async () => {}),
    (error) => error instanceof ConfigError && /has 4; got 5 servers/.test(error.message),
  );
});
