/** Whole training steps on WebGPU are those on the CPU, within rounding. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { workloads } from "../../bench/workloads.js";
import type { Engine } from "../../src/engine/engine.js";
import { onnxRuntimeEngine } from "../../src/node/ort/onnxruntime.js";
import { threadedEngine } from "../../src/node/ort/threaded-engine.js";
import { float32, type NamedArrays } from "../../src/runtime/array.js";
import { named } from "../../src/runtime/named.js";
import { rootKey } from "../../src/runtime/random.js";
import { engineStudent, type Student, type Teacher } from "../../src/train/student.js";
import { assertAllClose } from "../fixtures/close.js";
import { flightsLike, randomBatch, randomTeacher } from "../fixtures/flights-like.js";
import { type SmallLearner, smallLearners } from "../fixtures/small-learners.js";

const DEVICES = ["cpu", "webgpu"] as const;
const NUM_STEPS = 3;
const engines: Engine[] = [];
after(() => Promise.all(engines.map((engine) => engine.close())));

/** An engine that is closed after the tests. */
function engineOn(device: (typeof DEVICES)[number], make = onnxRuntimeEngine): Engine {
  const engine = make({ threads: 1, device });
  engines.push(engine);
  return engine;
}

/** The numbers of all steps, and the state after the last one, of what was trained on each device. */
async function onBoth(
  train: (student: Student) => Promise<number[]>,
  learner = flightsLike(),
  make = onnxRuntimeEngine,
) {
  const trained = DEVICES.map(async (device) => {
    const student = engineStudent({ engine: engineOn(device, make), learner });
    await student.init(rootKey(1));
    const numbers = await train(student);
    return { ...(await student.state()), numbers: float32(numbers) };
  });
  const [onCpu, onGpu] = await Promise.all(trained);
  return { onCpu: onCpu as NamedArrays, onGpu: onGpu as NamedArrays };
}

/** Steps one after the other: label loss, distillation loss and norm of the gradient of each. */
async function learn(
  student: Student,
  numSteps: number,
  batches: (step: number) => readonly NamedArrays[],
  teachers: readonly Teacher[] = [],
): Promise<number[]> {
  const numbers: number[] = [];
  for (let step = 0; step < numSteps; step++) {
    const { labelLoss, distillLoss, gradNorm } = await student.learn(batches(step), teachers, 1);
    numbers.push(labelLoss, distillLoss ?? 0, gradNorm);
  }
  return numbers;
}

describe(`${NUM_STEPS} steps on WebGPU are those on the CPU, within rounding`, () => {
  for (const [name, build] of Object.entries<() => SmallLearner>(smallLearners)) {
    test(name, async () => {
      const { learner, batch } = build();
      const { onCpu, onGpu } = await onBoth((student) => learn(student, NUM_STEPS, (step) => [batch(step)]), learner);
      // Norms over 4 units magnify rounding: after these steps each device is 1 to 2e-5 from double precision.
      assertAllClose(onGpu, onCpu, name === "lstm" ? 5e-5 : 1e-5, name);
    });
  }

  test("with two teachers and sub-batches, on a thread", async () => {
    const learner = { ...flightsLike(), ema: { decay: 0.9 } };
    const teachers = [randomTeacher(learner, 2), randomTeacher(learner, 3)];
    const batches = (step: number) => [randomBatch(16, 2 * step), randomBatch(16, 2 * step + 1)];
    const train = (student: Student) => learn(student, NUM_STEPS, batches, teachers);
    const { onCpu, onGpu } = await onBoth(train, learner, threadedEngine);
    assertAllClose(onGpu, onCpu, 1e-5, "state");
  });
});

test("20 steps of the flights network, batch 2,048, are those on the CPU to 1e-4", async () => {
  const { graph, state, feeds } = workloads.flights();
  const results = DEVICES.map(async (device) => {
    const engine = engineOn(device);
    const program = await engine.compile(graph);
    await engine.write(state);
    const losses: number[] = [];
    for (let step = 0; step < 20; step++) losses.push(Number((await program.run(feeds(step))).labelLoss?.data[0]));
    return { ...(await engine.read(Object.keys(graph.updates))), losses: float32(losses) };
  });
  const [onCpu, onGpu] = await Promise.all(results);
  assertAllClose(onGpu as NamedArrays, onCpu as NamedArrays, 1e-4, "state and losses");
  const losses = [...(onGpu?.losses.data ?? [])];
  assert.ok((losses.at(-1) ?? 1) < (losses[0] ?? 0), `the loss must fall: ${losses}`);
});

describe("a step whose numbers are not finite changes nothing on WebGPU", () => {
  const spoilt = { labels: [Number.NaN, Number.POSITIVE_INFINITY], "features.hour": [3e38] };
  for (const [name, values] of Object.entries(spoilt)) {
    test(`${name} that hold ${values.join(" or ")}`, async () => {
      const student = engineStudent({ engine: engineOn("webgpu"), learner: flightsLike() });
      await student.init(rootKey(1));
      await student.learn([randomBatch(8, 1)], [], 0);
      const before = await student.state();
      for (const value of values) {
        const batch = randomBatch(8, 2);
        named(batch, name).data[3] = value;
        assert.match((await student.learn([batch], [], 0)).skipped ?? "", /NaN|Infinity/);
        assert.deepEqual(await student.state(), before);
      }
      assert.equal((await student.learn([randomBatch(8, 3)], [], 0)).skipped, null);
    });
  }
});
