import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { tinyLearner, tinyRows } from "../../test/fixtures/tiny-run.js";
import { encodeSafetensors } from "../checkpoint/safetensors.js";
import { memoryStore } from "../checkpoint/store.js";
import { gatherBatch } from "../data/records.js";
import type { Engine } from "../engine/engine.js";
import type { RunResult, TestMetrics } from "../log/events.js";
import { initWeights } from "../nn/model.js";
import { onnxRuntimeEngine } from "../node/ort/onnxruntime.js";
import type { NamedArrays } from "../runtime/array.js";
import { withPrefix } from "../runtime/named.js";
import { rootKey } from "../runtime/random.js";
import { predictGraph, stateNames } from "../train/graphs.js";
import { auc, logLoss, meanAbsoluteDifference, meanOfProbs } from "../train/metrics.js";
import { groupFiles } from "./saved-group.js";
import { type BestParams, type GroupRecord, readBest } from "./score.js";
import { scoreTableRun } from "./score-table.js";

const learner = tinyLearner();
const rows = tinyRows(150, 3);
const batch = gatherBatch(rows, { start: 0, end: rows.numRows });
const labels = batch.labels?.data as Float32Array;
const paramsOf = (seed: number) => initWeights(learner.model, rootKey(seed));

let engine: Engine;
beforeEach(() => {
  engine = onnxRuntimeEngine({ threads: 1 });
});
afterEach(() => engine.close());

/** The predictions of params, by the shortest way. */
async function probsOf(params: NamedArrays): Promise<Float32Array> {
  const program = await engine.compile(predictGraph(learner, stateNames.params));
  const { probs } = await program.run({ ...batch, ...withPrefix(stateNames.params, params) });
  return probs?.data as Float32Array;
}

/** What the result says of probabilities: accuracy and calibration by their definitions, bin by bin. */
function measured(probs: Float32Array): TestMetrics {
  const isRight = Array.from(probs, (p, i) => Number(Number(p >= 0.5) === labels[i]));
  const bins = Array.from({ length: 15 }, (_, bin) =>
    [...probs.keys()].filter((i) => Math.min(14, Math.floor(15 * (probs[i] ?? 0))) === bin),
  );
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const gaps = bins.map((bin) => Math.abs(sum(bin.map((i) => (probs[i] ?? 0) - (labels[i] ?? 0)))));
  return {
    testLoss: logLoss(probs, labels),
    testAuc: auc(probs, labels),
    testAccuracy: sum(isRight) / probs.length,
    testCalibrationError: sum(gaps) / probs.length,
  };
}

function group(index: number, seed: number): GroupRecord & { readonly best: BestParams } {
  return {
    group: index,
    stepsPerSecond: 100 + index,
    bytesPublished: 10 * index,
    bytesFetched: 20 * index,
    ended: index === 1 ? "failed" : "finished",
    best: { step: 40 + index, validationLoss: 0.5 + index, params: paramsOf(seed) },
  };
}

describe("scoreTableRun", () => {
  test("rejects with the reason of the signal that cancels it", async () => {
    const reason = new Error("no more");
    await assert.rejects(scoreTableRun(engine, learner, [group(0, 1)], rows, 0, AbortSignal.abort(reason)), reason);
  });

  test("of one group: its own measures, no ensemble and no disagreement", async () => {
    const probs = await probsOf(paramsOf(1));
    assert.deepEqual(await scoreTableRun(engine, learner, [group(0, 1)], rows, 0), {
      task: "binary",
      lossName: "log loss",
      groups: [
        {
          group: 0,
          step: 40,
          validationLoss: 0.5,
          ...measured(probs),
          stepsPerSecond: 100,
          bytesPublished: 0,
          bytesFetched: 0,
          ended: "finished",
        },
      ],
      ensemble: null,
      disagreement: null,
      churn: null,
      shippedGroup: 0,
      testRows: 150,
    });
  });

  test("of three: each by its own params, the ensemble by their mean, the disagreement over all pairs", async () => {
    const seeds = [1, 2, 3];
    const [a, b, c] = (await Promise.all(seeds.map((seed) => probsOf(paramsOf(seed))))) as [
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    const result = await scoreTableRun(
      engine,
      learner,
      seeds.map((seed, index) => group(index, seed)),
      rows,
      2,
    );
    assert.deepEqual(
      result.groups.map(({ testLoss, testAuc }) => [testLoss, testAuc]),
      [a, b, c].map((probs) => [logLoss(probs, labels), auc(probs, labels)]),
    );
    assert.deepEqual(
      result.groups.map(({ group, step, ended, bytesFetched }) => [group, step, ended, bytesFetched]),
      [
        [0, 40, "finished", 0],
        [1, 41, "failed", 20],
        [2, 42, "finished", 40],
      ],
    );
    const mean = meanOfProbs([a, b, c]);
    assert.deepEqual(result.ensemble, measured(mean));
    const differ = (p: Float32Array, q: Float32Array) =>
      p.filter((value, i) => Math.round(value) !== Math.round(q[i] ?? Number.NaN)).length / p.length;
    assert.ok(Math.abs((result.churn ?? Number.NaN) - (differ(a, b) + differ(a, c) + differ(b, c)) / 3) < 1e-12);
    assert.ok((result.churn ?? 0) > 0);
    const apart = meanAbsoluteDifference;
    const expected = (apart(a, b) + apart(a, c) + apart(b, c)) / 3;
    assert.ok(Math.abs((result.disagreement ?? Number.NaN) - expected) < 1e-12);
    assert.ok(expected > 0);
    assert.equal(result.shippedGroup, 2);
  });

  test("of groups with equal params: an ensemble like each of them, and no disagreement", async () => {
    const { groups, ensemble, disagreement } = await scoreTableRun(
      engine,
      learner,
      [group(0, 1), group(1, 1)],
      rows,
      0,
    );
    assert.equal(disagreement, 0);
    assert.equal(groups[0]?.testLoss, groups[1]?.testLoss);
    const { testLoss, testAuc, testAccuracy, testCalibrationError } = groups[0] as RunResult["groups"][number];
    assert.deepEqual(ensemble, { testLoss, testAuc, testAccuracy, testCalibrationError });
  });

  test("of no group is empty", async () => {
    const result = await scoreTableRun(engine, learner, [], rows, 0);
    assert.deepEqual([result.groups, result.ensemble, result.disagreement], [[], null, null]);
  });
});

describe("readBest", () => {
  test("gives back what a group kept, with its step and loss", async () => {
    const files = memoryStore();
    assert.equal(await readBest(files), null);
    const params = paramsOf(1);
    const metadata = { format: "codistill.params", step: "40", validationLoss: String(1 / 3), model: "m" };
    await files.put(groupFiles.best, encodeSafetensors(params, metadata));
    assert.deepEqual(await readBest(files), { step: 40, validationLoss: 1 / 3, params });
    await files.put(groupFiles.best, encodeSafetensors(params, { ...metadata, version: "2" }));
    await assert.rejects(readBest(files), /best\.safetensors: version must be 1, got 2/);
  });
});
