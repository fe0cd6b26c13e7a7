/** What a step with parts says of the noise of its gradient, and the end of a group whose loss is low enough. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { runTiny } from "../../test/fixtures/group-run.js";
import { smallLearners } from "../../test/fixtures/small-learners.js";
import { refusalOf, tinyConfig } from "../../test/fixtures/tiny-run.js";
import type { TrainEvent } from "../log/events.js";
import { onnxRuntimeEngine } from "../node/ort/onnxruntime.js";
import { rootKey } from "../runtime/random.js";
import { engineStudent } from "../train/student.js";

const only = <K extends TrainEvent["event"]>(events: readonly TrainEvent[], kind: K) =>
  events.filter((event): event is Extract<TrainEvent, { event: K }> => event.event === kind);

const engine = onnxRuntimeEngine({ threads: 1 });
after(() => engine.close());

test("the squared norm of parts is the mean over steps that are each part alone, and changes no step", async () => {
  const { learner, batch } = smallLearners.click();
  const first = async (own: typeof learner, batches: Parameters<ReturnType<typeof engineStudent>["learn"]>[0]) => {
    await using student = engineStudent({ engine, learner: own });
    await student.init(rootKey(3));
    const metrics = await student.learn(batches, [], 0);
    return { metrics, params: await student.params() };
  };
  const parts = [batch(0), batch(1), batch(2)];
  const whole = await first({ ...learner, measuresNoise: true }, parts);
  let mean = 0;
  // One after the other: they have the same names in the engine.
  for (const part of parts) mean += (await first(learner, [part])).metrics.gradNorm ** 2 / parts.length;
  const squared = whole.metrics.squaredPartNorm ?? Number.NaN;
  assert.ok(Math.abs(squared - mean) < 1e-5 * mean, `${squared} is not ${mean}`);
  // The mean of different gradients is shorter than they are.
  assert.ok(whole.metrics.gradNorm ** 2 < squared);
  const plain = await first(learner, parts);
  assert.equal(plain.metrics.squaredPartNorm, undefined);
  assert.deepEqual(whole.params, plain.params);
});

test("a run with noiseScale logs means of squares, and one without does not", async () => {
  const changes = { numSteps: 6, logInterval: 3, accumulate: 2 };
  const noisy = only((await runTiny({ changes: { ...changes, noiseScale: true } })).events, "step");
  assert.deepEqual(
    noisy.map(({ step, squaredNorms }) => [step, squaredNorms?.numSteps]),
    [
      [3, 3],
      [6, 3],
    ],
  );
  for (const { squaredNorms } of noisy) assert.ok(squaredNorms && squaredNorms.part > squaredNorms.step);
  const plain = only((await runTiny({ changes })).events, "step");
  assert.deepEqual(
    plain.map(({ squaredNorms }) => squaredNorms),
    [undefined, undefined],
  );
  assert.deepEqual(
    plain.map(({ labelLoss }) => labelLoss),
    noisy.map(({ labelLoss }) => labelLoss),
  );
});

test("noiseScale is refused where a step has one part, or another algorithm takes it", () => {
  assert.match(
    refusalOf({ noiseScale: true }),
    /noiseScale: needs .* two parts or more, got "codistill", accumulate 1/,
  );
  assert.match(
    refusalOf({ noiseScale: true, accumulate: 2, algorithm: { kind: "mutual" } }),
    /noiseScale: needs the algorithm "plain" or "codistill"/,
  );
  assert.equal(tinyConfig({ noiseScale: true, workers: 2 }).noiseScale, true);
});

test("a group ends at the first validation whose loss is at most stopAtLoss", async () => {
  const changes = { numSteps: 60, validationInterval: 5 };
  const whole = only((await runTiny({ changes })).events, "validation");
  const third = whole[2]?.loss ?? Number.NaN;
  // What it is at its third validation, and was at neither of those before.
  assert.ok(whole.slice(0, 2).every(({ loss }) => loss > third));
  const { reason, events, checkpoint, files } = await runTiny({ changes: { ...changes, stopAtLoss: third } });
  assert.equal(reason, "finished");
  assert.equal(checkpoint?.info.step, 15);
  assert.deepEqual(only(events, "stopped-early")[0]?.bestStep, 15);
  // Gone on with it has nothing left to do.
  const again = await runTiny({ changes: { ...changes, stopAtLoss: third }, files });
  assert.deepEqual([again.reason, only(again.events, "step").length], ["finished", 0]);
});
