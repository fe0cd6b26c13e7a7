/** Networks of images against PyTorch in float64: losses, params and running statistics after some steps of SGD, with a teacher. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { weightSpecs } from "../../src/nn/model.js";
import { categorical } from "../../src/nn/objectives.js";
import { onnxRuntimeEngine } from "../../src/node/ort/onnxruntime.js";
import { sgd } from "../../src/optim/optimizers.js";
import { constantSchedule } from "../../src/optim/schedules.js";
import { named } from "../../src/runtime/named.js";
import { rootKey } from "../../src/runtime/random.js";
import { engineStudent, type Teacher } from "../../src/train/student.js";
import { readGolden, resultOf } from "../golden/golden.js";
import {
  DECAY,
  type ImageCase,
  type ImageResult,
  imageBatch,
  imageCases,
  imageModel,
  imageWeights,
  MOMENTUM,
  samplesOf,
} from "../golden/images.js";

/** Relative to PyTorch's losses; of a tensor, to the largest of the elements that are compared. */
const TOLERANCE = 1e-4;
/** Relative to the largest change of a tensor in all steps, beyond what rounding in float32 moves its largest value by. */
const CHANGE_TOLERANCE = 0.03;
const ROUNDING = 1e-6;

const golden = readGolden<ImageResult>("images");
const engines: ReturnType<typeof onnxRuntimeEngine>[] = [];
after(() => Promise.all(engines.map((engine) => engine.close())));

for (const [name, one] of Object.entries<ImageCase>(imageCases)) {
  test(`${name} takes ${one.numSteps} steps as in PyTorch`, async (t) => {
    const expected = resultOf(golden, name);
    const model = imageModel(one);
    const engine = onnxRuntimeEngine({ threads: 1 });
    engines.push(engine);
    const optimizer = sgd(constantSchedule(one.learningRate), {
      momentum: MOMENTUM,
      decay: { rate: DECAY, except: ["*.gain", "*.bias"] },
    });
    const objective = categorical({ numClasses: one.options.numClasses });
    const student = engineStudent({ engine, learner: { model, objective, optimizer } });
    await student.init(rootKey(1), imageWeights(model, 0));
    const teacher: Teacher = { group: 1, step: 0, digest: "0", params: imageWeights(model, 1) };
    let worst = 0;
    for (let step = 0; step < one.numSteps; step++) {
      const isTaught = one.taughtFrom !== null && step >= one.taughtFrom;
      const metrics = await student.learn([imageBatch(one, step)], isTaught ? [teacher] : [], 1);
      const loss = expected.labelLosses[step] ?? Number.NaN;
      worst = Math.max(worst, Math.abs(metrics.labelLoss - loss) / Math.abs(loss));
      const divergence = expected.divergences[step] ?? null;
      assert.equal(metrics.divergence === null, divergence === null, `whether step ${step} is taught`);
      worst = Math.max(worst, Math.abs((metrics.divergence ?? 0) - (divergence ?? 0)) / (divergence ?? 1));
    }
    const params = await student.params();
    assert.deepEqual(Object.keys(expected.weights).sort(), Object.keys(weightSpecs(model)).sort());
    const begun = imageWeights(model, 0);
    const apart = { value: { path: "", by: 0 }, change: { path: "", by: 0 } };
    for (const [path, theirs] of Object.entries(expected.weights)) {
      const [ours, start] = [samplesOf(named(params, path)), samplesOf(named(begun, path))];
      assert.equal(ours.length, theirs.length);
      const by = largest(ours.map((value, i) => value - Number(theirs[i])));
      const size = largest(theirs);
      const moved = largest(theirs.map((value, i) => value - Number(start[i])));
      if (!(by / size <= apart.value.by)) apart.value = { path, by: by / size };
      const beyond = Math.max(0, by - ROUNDING * size) / moved;
      if (!(beyond <= apart.change.by)) apart.change = { path, by: beyond };
    }
    const { value, change } = apart;
    t.diagnostic(
      `losses differ by ${worst.toExponential(1)}, ${value.path} by ${value.by.toExponential(1)}, the change of ${change.path} by ${change.by.toExponential(1)}`,
    );
    assert.ok(worst < TOLERANCE, `losses differ by ${worst}`);
    assert.ok(value.by < TOLERANCE, `${value.path} differs by ${value.by}`);
    assert.ok(change.by < CHANGE_TOLERANCE, `the change of ${change.path} differs by ${change.by}`);
  });
}

const largest = (values: readonly number[]) => Math.max(...values.map(Math.abs));
