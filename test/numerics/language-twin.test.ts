/** Codistillation of a language model against an independent PyTorch program, `golden/language.py`, with the state carried on. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { categorical } from "../../src/nn/objectives.js";
import { onnxRuntimeEngine } from "../../src/node/ort/onnxruntime.js";
import { adam } from "../../src/optim/optimizers.js";
import { constantSchedule } from "../../src/optim/schedules.js";
import { underPrefix } from "../../src/runtime/named.js";
import { rootKey } from "../../src/runtime/random.js";
import { engineStudent, type StepMetrics, type Teacher } from "../../src/train/student.js";
import { languageTask } from "../fixtures/sequence-models.js";
import { readGolden, resultOf } from "../golden/golden.js";
import {
  type FixedNetwork,
  fixedNetworkNames,
  fixedNetworks,
  fixedParams,
  fixedRun,
  type LanguageNetwork,
  languageBatch,
  languageNetworks,
  languageParams,
  languageRun,
} from "../golden/language.js";

const golden = readGolden<(number | null)[]>("language");

/** The most that a value is off, relative to the largest of its kind. */
function worst(ours: readonly number[], theirs: readonly (number | null)[]): number {
  assert.equal(ours.length, theirs.length);
  const largest = Math.max(...theirs.map((value) => Math.abs(value ?? 0)));
  return (
    Math.max(...theirs.map((value, i) => (value === null ? 0 : Math.abs((ours[i] ?? Number.NaN) - value)))) / largest
  );
}

for (const network of Object.keys(languageNetworks) as LanguageNetwork[]) {
  test(`50 steps of Adam of ${network}, the last 35 with a teacher, have PyTorch's losses, gradients, params and states to 1e-4`, (t) =>
    compare(t, network));
}

for (const network of fixedNetworkNames) {
  test(`${fixedRun.numSteps[network]} steps of Adam of ${network} with a wider teacher that does not change have PyTorch's losses and gradients to 1e-4`, (t) =>
    compareFixed(t, network));
}

async function compareFixed(t: TestContext, network: FixedNetwork): Promise<void> {
  const { vocabulary, learningRate } = languageRun;
  const { numSteps, weight } = fixedRun;
  const engine = onnxRuntimeEngine({ threads: 1 });
  const learner = {
    ...languageTask(languageNetworks[network].model, vocabulary),
    optimizer: adam(constantSchedule(learningRate)),
    fixedTeachers: { weight, networks: [{ model: fixedNetworks[network], share: 1 }] },
  };
  const student = engineStudent({ engine, learner, fixedWeights: [fixedParams(network)] });
  await student.init(rootKey(1), languageParams(network, 0));
  const steps: StepMetrics[] = [];
  for (let step = 0; step < numSteps[network]; step++)
    steps.push(await student.learn([languageBatch(network, step)], [], 0));
  for (const name of ["labelLoss", "targetLoss", "gradNorm"] as const) {
    const off = worst(
      steps.map((metrics) => metrics[name] ?? Number.NaN),
      resultOf(golden, `fixed ${network} ${name}`),
    );
    t.diagnostic(`${name}: ${off.toExponential(1)}`);
    assert.ok(off < 1e-4, `${name} is off by ${off}`);
  }
  await engine.close();
}

async function compare(t: TestContext, network: LanguageNetwork): Promise<void> {
  const { sequenceLength, batchSize, vocabulary, numSteps, learningRate, distillWeight, teachers } = languageRun;
  const engine = onnxRuntimeEngine({ threads: 1 });
  const labels = { shape: [sequenceLength * batchSize], dtype: "int32" } as const;
  const learner = {
    model: languageNetworks[network].model,
    objective: { ...categorical({ numClasses: vocabulary }), labels },
    optimizer: adam(constantSchedule(learningRate)),
  };
  const student = engineStudent({ engine, learner });
  await student.init(rootKey(1), languageParams(network, 0));
  const snapshots = teachers.map(({ from, params }): Teacher => {
    return { group: 1, step: from, digest: `${params}`, params: languageParams(network, params) };
  });
  const steps: StepMetrics[] = [];
  for (let step = 0; step < numSteps; step++) {
    const teacher = snapshots.filter((one) => one.step <= step).slice(-1);
    steps.push(await student.learn([languageBatch(network, step)], teacher, distillWeight));
  }
  for (const name of ["labelLoss", "distillLoss", "gradNorm"] as const) {
    const theirs = resultOf(golden, `${network} ${name}`);
    const ours = steps.map((metrics, step) => {
      assert.equal(metrics[name] === null, theirs[step] === null, `${name} of step ${step}`);
      return metrics[name] ?? 0;
    });
    const off = worst(ours, theirs);
    t.diagnostic(`${name}: ${off.toExponential(1)}`);
    assert.ok(off < 1e-4, `${name} is off by ${off}`);
  }
  const state = await student.state();
  const ends = {
    ...underPrefix("params", state),
    ...Object.fromEntries(Object.entries(state).filter(([name]) => name.startsWith("state."))),
    ...Object.fromEntries(
      Object.entries(underPrefix("teacherState.1", state)).map(([name, array]) => [`teacherState.${name}`, array]),
    ),
  };
  assert.equal(
    Object.keys(ends).length,
    Object.keys(golden.results).filter((name) => name.startsWith(`${network} end `)).length,
  );
  for (const [name, { data }] of Object.entries(ends)) {
    const off = worst([...data] as number[], resultOf(golden, `${network} end ${name}`));
    assert.ok(off < 1e-4, `${name} is off by ${off}`);
  }
  await engine.close();
}
