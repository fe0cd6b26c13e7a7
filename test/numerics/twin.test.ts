/**
 * Our codistillation against an independent PyTorch program, `golden/twin.py`: equal params, batches and exchange steps
 * must give equal curves.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { decodeSafetensors } from "../../src/checkpoint/safetensors.js";
import { binary } from "../../src/nn/losses.js";
import { mlp } from "../../src/nn/mlp.js";
import { initWeights } from "../../src/nn/model.js";
import { onnxRuntimeEngine } from "../../src/node/ort/onnxruntime.js";
import { float32, type NamedArrays } from "../../src/runtime/array.js";
import { mapValues, named, underPrefix, withPrefix } from "../../src/runtime/named.js";
import type { Step } from "../../src/train/algorithm.js";
import { predictGraph, stateNames } from "../../src/train/graphs.js";
import { engineStudent, type StepMetrics } from "../../src/train/student.js";
import { isFull } from "../fixtures/full.js";
import { runInLockstep } from "../fixtures/twin-run.js";
import { goldenFolder, readGolden, resultOf } from "../golden/golden.js";
import { curvesRun, type OptimizerName, paramsKey, stepsRun, twinBatch, twinOptimizer } from "../golden/twin.js";

/** How far apart the curves and final params of a whole run may be, relative to PyTorch's. */
const RUN_TOLERANCE = 1e-4;
/** The same for what one step makes of a given state. */
const STEP_TOLERANCE = 1e-5;

type Losses = Pick<StepMetrics, "labelLoss" | "distillLoss" | "divergence" | "gradNorm">;
type Curves = { readonly [name in keyof Losses]: readonly Losses[name][] } & {
  /** The step at which the teacher was published; null where there is none. */
  readonly teacherStep: readonly (number | null)[];
};
type Norms = Readonly<Record<string, number>>;

const golden = readGolden<unknown>("twin");
const tensorsOf = (name: string) => decodeSafetensors(readFileSync(new URL(name, goldenFolder))).tensors;

test("the golden files were made from the settings and inputs of today", () => {
  const runs = { curves: curvesRun, steps: stepsRun };
  assert.deepEqual(resultOf(golden, "settings"), JSON.parse(JSON.stringify(runs)));
  const norms = resultOf(golden, "inputs") as Record<keyof typeof runs, Norms>;
  for (const [name, run] of [["curves", curvesRun] as const, ["steps", stepsRun] as const]) {
    for (let group = 0; group < run.numGroups; group++) {
      const params = initWeights(mlp(run.network), paramsKey(run, group));
      const batches = Array.from({ length: run.numSteps }, (_, step) => twinBatch(run, group, step));
      const sizes = {
        ...mapValues(params, (_, path) => norm(numbersOf(params, path))),
        ...mapValues(batches[0] ?? {}, (_, input) => norm(batches.map((batch) => norm(numbersOf(batch, input))))),
      };
      for (const [input, size] of Object.entries(sizes)) {
        const given = named(norms[name], `${group}.${input in params ? "params" : "batches"}.${input}`);
        const what = `the norm of ${input} of group ${group} in the ${name} run`;
        assert.ok(relative(size, given) < 1e-6, `${what} is ${size}, the twin was given ${given}; make it again`);
      }
    }
  }
});

test("the groups learn from disjoint draws", () => {
  const [first = [], second = []] = [0, 1].map((group) =>
    Array.from({ length: curvesRun.numSteps }, (_, step) => examplesOf(twinBatch(curvesRun, group, step))).flat(),
  );
  assert.equal(first.length, curvesRun.numSteps * curvesRun.batchSize);
  const seen = new Set(first);
  const shared = second.filter((example) => seen.has(example));
  assert.deepEqual(shared, []);
});

test("two groups take 200 steps of SGD as in PyTorch, to 1e-4", (t) => compareRun(t, "sgd"));

test("two groups take 200 steps of Adam as in PyTorch, to 1e-4", (t) => compareRun(t, "adam"));

for (const workers of isFull ? [2, 4] : [2]) {
  test(`two groups of ${workers} workers each take 200 steps of Adam as in PyTorch, to 1e-4`, (t) =>
    compareRun(t, "adam", workers));
}

async function compareRun(t: TestContext, name: OptimizerName, numWorkers = 1): Promise<void> {
  const ours = await runInLockstep(name, numWorkers);
  const theirs = ours.map((_, group) => resultOf(golden, `${name} ${group}`) as Curves);
  const check = checker(t, RUN_TOLERANCE);
  for (let step = 0; step < curvesRun.numSteps; step++) {
    for (const [group, curves] of theirs.entries()) {
      const where = `step ${step} of group ${group}`;
      const metrics = ours[group]?.steps[step] as Step;
      const [teacher, theirTeacher] = [metrics.teachers[0]?.step ?? null, curves.teacherStep[step] ?? null];
      assert.equal(teacher, theirTeacher, `${where}: PyTorch's teacher is of step ${theirTeacher}, ours of ${teacher}`);
      for (const what of ["labelLoss", "distillLoss", "divergence", "gradNorm"] as const) {
        const [got, expected] = [metrics[what], curves[what][step] ?? null];
        const values = `PyTorch has ${expected}, we have ${got}`;
        assert.equal(got === null, expected === null, `${where}: ${what} on one side only: ${values}`);
        if (got === null || expected === null) continue;
        // The divergence is a small difference of two losses, and can be no more exact than they are.
        const scale = what === "divergence" ? (curves.distillLoss[step] ?? Number.NaN) : expected;
        check(what, where, Math.abs(got - expected) / scale, values);
      }
    }
  }

  // Of 160 steps after burn-in. Group 1 looks right after group 0 published, group 0 finds what is ten steps old.
  const isTaught = ({ distillWeight, teachers }: Step) => distillWeight > 0 && teachers.length > 0;
  const numTaught = ours.map(({ steps }) => steps.filter(isTaught).length);
  assert.deepEqual(numTaught, [150, 160]);

  const norms = resultOf(golden, `${name} norms`) as Norms;
  const final = tensorsOf(`twin-${name}.safetensors`);
  for (const [group, { params }] of ours.entries()) {
    for (const path of Object.keys(mlp(curvesRun.network).params)) {
      const [got, expected] = [numbersOf(params, path), numbersOf(final, `${group}.${path}`)];
      const size = named(norms, `${group}.${path}`);
      assert.ok(relative(norm(expected), size) < 1e-6, "twin.json and its final params must come from one run");
      const values = `PyTorch has a norm of ${size}, we have ${norm(got)}`;
      check("final params", `${path} of group ${group}`, relativeNorm(got, expected), values);
    }
  }
}

test("three generations, each taught by the one before, take 200 steps of Adam as in PyTorch, to 1e-4", async (t) => {
  const { network, numSteps, numGenerations, teacherWeight, optimizers } = curvesRun;
  const model = mlp(network);
  const check = checker(t, RUN_TOLERANCE);
  const optimizer = twinOptimizer("adam", optimizers.adam, numSteps);
  const engine = onnxRuntimeEngine({ threads: 1 });
  const predicting = await engine.compile(predictGraph({ model, objective: binary }, stateNames.teacher(0)));
  for (let generation = 0; generation < numGenerations; generation++) {
    const group = (generation + 1) % 2;
    const isTaught = generation > 0;
    const fixedTeachers = isTaught ? { fixedTeachers: { weight: teacherWeight } } : {};
    const student = engineStudent({ engine, learner: { model, objective: binary, optimizer, ...fixedTeachers } });
    await student.init(paramsKey(curvesRun, group));
    const curve = resultOf(golden, `generation ${generation}`) as Readonly<Record<string, readonly (number | null)[]>>;
    for (let step = 0; step < numSteps; step++) {
      const batch = twinBatch(curvesRun, group, step);
      const targets = isTaught ? { targets: named(await predicting.run(batch), "probs") } : {};
      const metrics = await student.learn([{ ...batch, ...targets }], [], 0);
      for (const what of ["labelLoss", "targetLoss", "gradNorm"] as const) {
        const [got, expected] = [metrics[what] ?? null, named(curve, what)[step] ?? null];
        const values = `PyTorch has ${expected}, we have ${got}`;
        assert.equal(got === null, expected === null, `${what} on one side only: ${values}`);
        if (got !== null && expected !== null)
          check(what, `step ${step} of generation ${generation}`, relative(got, expected), values);
      }
    }
    const params = await student.params();
    const norms = resultOf(golden, `generation ${generation} norms`) as Norms;
    for (const path of Object.keys(model.params)) {
      const [got, expected] = [norm(numbersOf(params, path)), named(norms, path)];
      check(
        "norms of final params",
        `${path} of generation ${generation}`,
        relative(got, expected),
        `${got} ${expected}`,
      );
    }
    await engine.write(withPrefix(stateNames.teacher(0), params));
    await student.close();
  }
  await engine.close();
});

test("one step of Adam from a given state is PyTorch's to 1e-5, whole and in four sub-batches", async (t) => {
  const { network, optimizers, numSteps, numGroups, distillWeight } = stepsRun;
  const optimizer = twinOptimizer("adam", optimizers.adam, numSteps);
  const engine = onnxRuntimeEngine({ threads: 1 });
  const student = engineStudent({ engine, learner: { model: mlp(network), objective: binary, optimizer } });
  const tensors = tensorsOf("twin-steps.safetensors");
  const check = checker(t, STEP_TOLERANCE);
  const checkMemory = checker(t, 20 * STEP_TOLERANCE);

  for (const step of stepsRun.at) {
    const losses = resultOf(golden, `step ${step}`) as Losses;
    const before = withSums(underPrefix(`${step}.before`, tensors));
    const after = withSums(underPrefix(`${step}.after`, tensors));
    const teachers = Array.from({ length: numGroups - 1 }, (_, slot) => {
      const params = underPrefix(`${step}.teachers.${slot}`, tensors);
      return { group: slot + 1, step, digest: `${slot} at ${step}`, params };
    });
    for (const numParts of [1, 4]) {
      const where = `step ${step} in ${numParts} parts`;
      await student.restore(before, step);
      const metrics = await student.learn(split(twinBatch(stepsRun, 0, step), numParts), teachers, distillWeight);
      const state = await student.state();
      for (const what of ["labelLoss", "distillLoss", "gradNorm"] as const) {
        const [got, expected] = [metrics[what] ?? Number.NaN, losses[what] ?? Number.NaN];
        check(what, where, relative(got, expected), `PyTorch has ${expected}, we have ${got}`);
      }
      assert.deepEqual(Object.keys(state).sort(), Object.keys(after).sort());
      for (const name of Object.keys(state)) {
        const [from, got, expected] = [numbersOf(before, name), numbersOf(state, name), numbersOf(after, name)];
        const [gotUpdate, expectedUpdate] = [minus(got, from), minus(expected, from)];
        const norms = (a: ArrayLike<number>, b: ArrayLike<number>) =>
          `PyTorch has a norm of ${norm(b)}, we have ${norm(a)}`;
        check("value", `${where}: ${name}`, relativeNorm(got, expected), norms(got, expected));
        const apart = relativeNorm(gotUpdate, expectedUpdate);
        // A sum of squares over a thousand steps moves by a small part of itself, and both ends of the way are rounded.
        if (name.startsWith("optState."))
          checkMemory("update of memory", `${where}: ${name}`, apart, norms(got, expected));
        else check("update", `${where}: ${name}`, apart, norms(gotUpdate, expectedUpdate));
      }
    }
  }
  await engine.close();
});

/** PyTorch's state as ours: the moments of Adam, which are kept as decayed sums. */
function withSums(state: NamedArrays): NamedArrays {
  const entries = Object.entries(state).map(([name, array]) => {
    const [, moment, param] = /^optState\.([mv])\.(.*)$/.exec(name) ?? [];
    if (moment === undefined) return [name, array] as const;
    const share = 1 - (moment === "m" ? 0.9 : 0.999);
    const sums = Float32Array.from(array.data, (value) => value / share);
    return [`optState.adam.${moment}.${param}`, float32(sums, array.shape)] as const;
  });
  return Object.fromEntries(entries);
}

type Check = (what: string, where: string, difference: number, values: string) => void;

/** Asserts that differences stay within a tolerance, and reports the largest of each kind. */
function checker(t: TestContext, tolerance: number): Check {
  const largest = new Map<string, number>();
  t.after(() => {
    for (const [what, difference] of largest) t.diagnostic(`${what}: at most ${difference.toExponential(1)} apart`);
  });
  return (what, where, difference, values) => {
    largest.set(what, Math.max(largest.get(what) ?? 0, difference));
    const rule = `${what} must agree to ${tolerance}, is ${difference.toExponential(1)} apart`;
    assert.ok(difference <= tolerance, `${where}: ${rule}: ${values}`);
  };
}

/** Each example of a batch as text: all its values. */
function examplesOf(batch: NamedArrays): string[] {
  const columns = Object.keys(batch).map((name) => numbersOf(batch, name));
  return Array.from({ length: curvesRun.batchSize }, (_, row) => columns.map((column) => column[row]).join());
}

/** Equal parts of a batch, one after the other. */
function split(batch: NamedArrays, numParts: number): NamedArrays[] {
  const size = stepsRun.batchSize / numParts;
  return Array.from({ length: numParts }, (_, part) =>
    mapValues(batch, (array, name) => {
      return { ...array, shape: [size], data: numbersOf(batch, name).slice(part * size, (part + 1) * size) };
    }),
  );
}

function numbersOf(arrays: NamedArrays, name: string): Float32Array {
  return named(arrays, name).data as Float32Array;
}

function minus(a: Float32Array, b: Float32Array): Float64Array {
  return Float64Array.from(a, (value, i) => value - (b[i] ?? Number.NaN));
}

/** Euclidean norm; missing values (NaN) count as 0. */
function norm(values: ArrayLike<number>): number {
  return Math.sqrt(Array.from(values).reduce((sum, value) => sum + (value || 0) ** 2, 0));
}

function relative(got: number, expected: number): number {
  return got === expected ? 0 : Math.abs(got - expected) / Math.abs(expected);
}

/** Norm of the difference over the norm of what is expected; 0 where both are zeros, NaN where a value is NaN. */
function relativeNorm(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  const difference = Array.from(got, (value, i) => value - (expected[i] ?? Number.NaN));
  if (difference.some(Number.isNaN)) return Number.NaN;
  const size = norm(difference);
  return size === 0 ? 0 : size / norm(expected);
}
