/** Fixed teachers, whose predictions come with a batch: what they make of the loss, by identities. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { tinyConfig, tinyPreprocessing, tinyRows } from "../../test/fixtures/tiny-run.js";
import { gatherBatch } from "../data/records.js";
import { onnxRuntimeEngine } from "../node/ort/onnxruntime.js";
import type { TableRunInput } from "../run/input/run.js";
import { tableLearner } from "../run/learner.js";
import { float32, int32, type NamedArrays } from "../runtime/array.js";
import { named } from "../runtime/named.js";
import { rootKey, uniform } from "../runtime/random.js";
import { predictGraph, weightState } from "./graphs.js";
import { engineStudent, type Teacher } from "./student.js";

const NUM_ROWS = 48;
const engine = onnxRuntimeEngine({ threads: 1 });
after(() => engine.close());

const optimizer = { kind: "sgd", learningRate: 0.1, schedule: "constant" } as const;
const classes = ["a", "b", "c"];
const tasks = {
  binary: { task: { kind: "binary" } },
  "several members": { task: { kind: "binary" }, model: { kind: "tabm", hidden: [8], members: 3 } },
  "class weights": { task: { kind: "binary", classWeights: { true: 3 } } },
  multiclass: { task: { kind: "multiclass" } },
  numbers: { task: { kind: "regression" } },
  "logarithms of numbers": { task: { kind: "regression", scale: "log" } },
} as const satisfies Readonly<Record<string, Partial<TableRunInput>>>;
type Case = keyof typeof tasks;

const labelStatistics = {
  binary: { kind: "classes", classes: ["false", "true"], counts: [20, 28] },
  multiclass: { kind: "classes", classes, counts: [16, 16, 16] },
  regression: { kind: "numbers", mean: 0.5, std: 2 },
} as const;

/** The learner of a case, with fixed teachers of a weight or none. */
function learnerOf(name: Case, weight: number | null, changes: Partial<TableRunInput> = {}) {
  const { task, ...others } = { ...tasks[name] };
  const taught =
    weight === null
      ? {}
      : { teachers: [task.kind === "multiclass" ? { columns: { a: "p" } } : { column: "p" }], teacherWeight: weight };
  const config = tinyConfig({
    optimizer,
    task,
    ...others,
    ...taught,

    ...changes,
  } as Partial<TableRunInput>);
  const labels = labelStatistics[task.kind];
  // With such a mean no prediction is below 0, to which a served one would be raised.
  const unit = name === "logarithms of numbers" ? { logUnit: 0.5, mean: 10, std: 1 } : {};
  return tableLearner(config, { ...tinyPreprocessing, labels: { ...labels, ...unit } as typeof labels });
}

/** Rows with labels of the task. */
function batchOf(name: Case): NamedArrays {
  const whole = gatherBatch(tinyRows(NUM_ROWS, 3), { start: 0, end: NUM_ROWS });
  const draws = uniform(rootKey(4), NUM_ROWS);
  const { kind } = tasks[name].task;
  if (kind === "multiclass") return { ...whole, labels: int32(Int32Array.from(draws, (u) => Math.floor(3 * u))) };
  return kind === "regression" ? { ...whole, labels: float32(draws.map((u) => 4 * u)) } : whole;
}

/** What a model with params of another seed predicts for a batch, in the label's unit. */
async function teacherOf(name: Case, batch: NamedArrays): Promise<Teacher & { readonly targets: NamedArrays[string] }> {
  const learner = learnerOf(name, null);
  const student = engineStudent({ engine, learner });
  await student.init(rootKey(9));
  const params = await student.params();
  await student.close();
  const program = await engine.compile(predictGraph(learner, "drawn"));
  await engine.write(weightState(learner.model, params, "drawn"));
  const targets = named(await program.run(batch), "probs");
  await program.close();
  return { group: 1, step: 1, digest: "drawn", params, targets: { ...targets, data: Float32Array.from(targets.data) } };
}

/** The metrics of some steps, and the state that they end in. */
async function trained(
  learner: ReturnType<typeof learnerOf>,
  batch: NamedArrays,
  teachers: Teacher[] = [],
  weight = 0,
) {
  const student = engineStudent({ engine, learner });
  await student.init(rootKey(1));
  const steps = [];
  for (let step = 0; step < 6; step++) steps.push(await student.learn([batch], teachers, weight));
  const params = await student.params();
  await student.close();
  return { steps, params };
}

const apart = (a: NamedArrays, b: NamedArrays) =>
  Math.max(
    ...Object.entries(a).flatMap(([name, { data }]) =>
      Array.from(data, (value, i) => Math.abs(Number(value) - Number(named(b, name).data[i]))),
    ),
  );

describe("a teacher of weight w in its targets teaches as a convex teacher of that weight in the step", () => {
  for (const name of Object.keys(tasks) as Case[]) {
    test(name, async () => {
      const batch = batchOf(name);
      const { targets, ...teacher } = await teacherOf(name, batch);
      const fixed = await trained(learnerOf(name, 0.4), { ...batch, targets });
      const convex = learnerOf(name, null, { algorithm: { kind: "codistill", mix: "convex" } });
      const inStep = await trained(convex, batch, [teacher], 0.4);
      const alone = await trained(convex, batch);
      assert.ok(apart(fixed.params, inStep.params) < 2e-5, `${apart(fixed.params, inStep.params)} apart`);
      assert.ok(apart(fixed.params, alone.params) > 1e-3);
      for (const [step, { targetLoss = Number.NaN, labelLoss }] of fixed.steps.entries()) {
        const other = inStep.steps[step];
        assert.ok(Math.abs(targetLoss - (other?.distillLoss ?? Number.NaN)) < 1e-5);
        assert.ok(Math.abs(labelLoss - (other?.labelLoss ?? Number.NaN)) < 1e-5);
      }
    });
  }
});

describe("fixed teachers of weight 0 leave training as it is, to the bit", () => {
  for (const name of Object.keys(tasks) as Case[]) {
    test(name, async () => {
      const batch = batchOf(name);
      const { targets } = await teacherOf(name, batch);
      const taught = await trained(learnerOf(name, 0), { ...batch, targets });
      const plain = await trained(learnerOf(name, null), batch);
      assert.deepEqual(taught.params, plain.params);
    });
  }
});

test("targets that are the labels teach what the labels do", async () => {
  const batch = batchOf("binary");
  const taught = await trained(learnerOf("binary", 0.5), { ...batch, targets: named(batch, "labels") });
  const plain = await trained(learnerOf("binary", null), batch);
  assert.ok(apart(taught.params, plain.params) < 1e-6);
});

test("fixed teachers teach beside groups: both pull", async () => {
  const batch = batchOf("binary");
  const { targets, ...teacher } = await teacherOf("binary", batch);
  const both = await trained(learnerOf("binary", 0.5), { ...batch, targets }, [teacher], 1);
  const [first] = both.steps;
  assert.ok(first?.distillLoss !== null && first?.targetLoss !== undefined);
  // Both are against one teacher, so that together they are one of weight 1.5 beside half of the label loss.
  assert.ok(Math.abs((first?.distillLoss ?? 0) - (first?.targetLoss ?? 1)) < 1e-6);
});

test("a target that is not finite leaves the step out, and says why", async () => {
  const batch = batchOf("binary");
  const targets = float32(Float32Array.from({ length: NUM_ROWS }, (_, row) => (row === 7 ? Number.NaN : 0.5)));
  const { steps, params } = await trained(learnerOf("binary", 0.5), { ...batch, targets });
  const student = engineStudent({ engine, learner: learnerOf("binary", 0.5) });
  await student.init(rootKey(1));
  assert.deepEqual(await student.params(), params);
  await student.close();
  assert.match(steps[0]?.skipped ?? "", /loss against fixed teachers NaN/);
});
