/** DiLoCo and mutual learning against independent PyTorch programs, `golden/baselines.py`: 200 steps from the same inputs. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { mutualStudent } from "../../src/baselines/mutual.js";
import type { Cursor } from "../../src/data/stream.js";
import { localStudent } from "../../src/local-sgd/student.js";
import { initWeights } from "../../src/nn/model.js";
import { onnxRuntimeEngine } from "../../src/node/ort/onnxruntime.js";
import type { NamedArrays } from "../../src/runtime/array.js";
import { named, underPrefix, withPrefix } from "../../src/runtime/named.js";
import { rootKey } from "../../src/runtime/random.js";
import type { StepMetrics } from "../../src/train/step-metrics.js";
import { localCrew } from "../fixtures/local-crew.js";
import { twinLearner } from "../fixtures/twin-workers.js";
import { baselinesRun, sharedSettings } from "../golden/baselines.js";
import { readGolden, resultOf } from "../golden/golden.js";
import { curvesRun, paramsKey, twinBatch } from "../golden/twin.js";

/** How far apart the curves and the norms of final params may be, relative to PyTorch's. */
const TOLERANCE = 1e-4;

const golden = readGolden<unknown>("baselines");
const { numSteps } = curvesRun;

test("the golden file was made from the settings of today", () => {
  assert.deepEqual(resultOf(golden, "settings"), JSON.parse(JSON.stringify({ ...baselinesRun, run: sharedSettings })));
});

test("two workers take 200 steps of DiLoCo as in PyTorch, to 1e-4", async (t) => {
  const { optimizer, localSteps, outerLearningRate, outerMomentum } = baselinesRun.diloco;
  const learner = twinLearner(optimizer);
  const engine = onnxRuntimeEngine({ threads: 1 });
  let at: Cursor = { epoch: 0, position: 0 };
  const key = rootKey(0);
  const crew = localCrew({ size: 2, learner, key, accumulate: 1, stream: batchesOf, cursor: () => at });
  const outer = { learningRate: outerLearningRate, momentum: outerMomentum };
  const student = localStudent({ engine, learner, key, accumulate: 1, crew, localSteps, numSteps, outer });
  try {
    await student.init(paramsKey(curvesRun, 0));
    const check = checker(t, "diloco");
    for (let step = 0; step < numSteps; step++) {
      at = { epoch: step, position: 0 };
      check.step(step, await student.learn([twinBatch(curvesRun, 0, step)], [], 0));
    }
    check.params(await student.params());
  } finally {
    await crew.close();
    await student.close();
    await engine.close();
  }
});

test("two students take 200 steps of mutual learning as in PyTorch, to 1e-4", async (t) => {
  const engines = [0, 1].map(() => onnxRuntimeEngine({ threads: 1 }));
  const { optimizer, distillWeight } = baselinesRun.mutual;
  const learner = twinLearner(optimizer);
  const student = mutualStudent({ engines, learner, key: rootKey(0), accumulate: 1, distillWeight });
  try {
    await student.init(paramsKey(curvesRun, 0));
    const second = withPrefix("students.1.params", initWeights(learner.model, paramsKey(curvesRun, 1)));
    await student.restore({ ...(await student.state()), ...second }, 0);
    const check = checker(t, "mutual");
    for (let step = 0; step < numSteps; step++)
      check.step(step, await student.learn([twinBatch(curvesRun, 0, step)], [], 0));
    const state = await student.state();
    const others = underPrefix("students", state);
    check.params({
      ...withPrefix("0", underPrefix("params", state)),
      ...withPrefix("1", underPrefix("1.params", others)),
    });
  } finally {
    await student.close();
    await Promise.all(engines.map((engine) => engine.close()));
  }
});

/** The batches of a group of the twin run; a cursor's epoch is the step. */
function batchesOf(group: number) {
  let at: Cursor = { epoch: 0, position: 0 };
  return {
    next() {
      const batch = twinBatch(curvesRun, group, at.epoch);
      at = { epoch: at.epoch + 1, position: 0 };
      return batch;
    },
    get cursor() {
      return at;
    },
    goTo(cursor: Cursor) {
      at = cursor;
    },
  };
}

/** Asserts that a run is PyTorch's, and reports the largest difference. */
function checker(t: TestContext, name: keyof typeof baselinesRun) {
  const curve = resultOf(golden, name) as Readonly<Record<string, readonly number[]>>;
  const norms = resultOf(golden, `${name} norms`) as Readonly<Record<string, number>>;
  const largest = new Map<string, number>();
  t.after(() => {
    for (const [what, apart] of largest) t.diagnostic(`${what}: at most ${apart.toExponential(1)} apart`);
  });
  function check(what: string, where: string, apart: number): void {
    largest.set(what, Math.max(largest.get(what) ?? 0, apart));
    assert.ok(apart <= TOLERANCE, `${where}: ${what} must agree to ${TOLERANCE}, is ${apart.toExponential(1)} apart`);
  }
  return {
    step(step: number, metrics: StepMetrics) {
      for (const [what, values] of Object.entries(curve)) {
        const [got, expected] = [Number(metrics[what as "labelLoss"]), values[step] ?? Number.NaN];
        // The divergence is a small difference of two losses, and can be no more exact than they are.
        const scale = what === "divergence" ? (metrics.distillLoss ?? Number.NaN) : expected;
        check(what, `step ${step}`, Math.abs(got - expected) / Math.abs(scale));
      }
    },
    params(params: NamedArrays) {
      assert.deepEqual(Object.keys(params).sort(), Object.keys(norms).sort());
      for (const [path, { data }] of Object.entries(params)) {
        const norm = Math.sqrt((data as Float32Array).reduce((sum, value) => sum + value ** 2, 0));
        check("norms of final params", path, Math.abs(norm - named(norms, path)) / named(norms, path));
      }
    },
  };
}
