/** A student of predictions and of the last hidden layer against an independent PyTorch program, `golden/twin.py`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { binary } from "../../src/nn/losses.js";
import { mlp } from "../../src/nn/mlp.js";
import { initWeights } from "../../src/nn/model.js";
import { onnxRuntimeEngine } from "../../src/node/ort/onnxruntime.js";
import { float32 } from "../../src/runtime/array.js";
import { named } from "../../src/runtime/named.js";
import { engineStudent, type Teacher } from "../../src/train/student.js";
import { readGolden, resultOf } from "../golden/golden.js";
import { curvesRun, paramsKey, twinBatch, twinOptimizer } from "../golden/twin.js";

const TOLERANCE = 1e-4;

const golden = readGolden<unknown>("twin");
const { network, numSteps, distillWeight, gramWeight, optimizers } = curvesRun;
const model = mlp(network);

/** What group 1 begins with, and the same with one embedding doubled. */
const params = initWeights(model, paramsKey(curvesRun, 1));
const { data, shape } = named(params, "embeddings.origin");
const doubled = float32(
  Float32Array.from(data, (value) => 2 * Number(value)),
  shape,
);
const teachers: readonly Teacher[] = [params, { ...params, "embeddings.origin": doubled }].map((own, i) => ({
  ...{ group: i, step: 0, digest: String(i) },
  params: own,
}));

test("200 steps of SGD with two teachers and their Gram matrices are as in PyTorch, to 1e-4", async (t) => {
  const engine = onnxRuntimeEngine({ threads: 1 });
  const optimizer = twinOptimizer("sgd", optimizers.sgd, numSteps);
  const student = engineStudent({
    engine,
    learner: { model, objective: binary, optimizer, distillation: { gramWeight } },
  });
  await student.init(paramsKey(curvesRun, 0));
  const curve = resultOf(golden, "gram") as Readonly<Record<string, readonly number[]>>;
  let most = 0;
  const check = (got: number | null | undefined, expected: number | undefined, where: string) => {
    assert.ok(typeof got === "number" && expected !== undefined, `${where}: a number is missing`);
    const apart = Math.abs(got - expected) / Math.abs(expected);
    most = Math.max(most, apart);
    assert.ok(apart <= TOLERANCE, `${where}: must agree to ${TOLERANCE}: PyTorch has ${expected}, we have ${got}`);
  };
  for (let step = 0; step < numSteps; step++) {
    const metrics = await student.learn([twinBatch(curvesRun, 0, step)], teachers, distillWeight);
    for (const what of ["labelLoss", "distillLoss", "gramLoss", "gradNorm"] as const)
      check(metrics[what], named(curve, what)[step], `${what} of step ${step}`);
  }
  const final = await student.params();
  const norms = resultOf(golden, "gram norms") as Readonly<Record<string, number>>;
  for (const path of Object.keys(model.params))
    check(Math.hypot(...Array.from(named(final, path).data, Number)), norms[path], `the norm of ${path}`);
  t.diagnostic(`at most ${most.toExponential(1)} apart`);
  assert.ok(Math.min(...named(curve, "gramLoss")) < 0.5 * Math.max(...named(curve, "gramLoss")), "it is learned");
  await student.close();
  await engine.close();
});
