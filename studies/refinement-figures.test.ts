import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { bytesOf } from "../src/runtime/array.js";
import { fold, normal, rootKey, uniform } from "../src/runtime/random.js";
import { meanOfProbs } from "../src/train/metrics.js";
import { scaled, scalingOf } from "../src/train/recalibration.js";
import { CODISTILLED, type DoneTrial, ensembleOf, SINGLE } from "./flights-figures.js";
import { measured, measures, overfitOf, type RefinedArm, refinementFigures } from "./refinement-figures.js";

const root = mkdtempSync(join(tmpdir(), "refinement-"));
after(() => rmSync(root, { recursive: true }));

const NUM_ROWS = 4000;
const sigmoid = (logit: number) => 1 / (1 + Math.exp(-logit));

/** Labels, and the probabilities of two models that see them through noise of their own and are too sure of themselves. */
function rowsOf(seed: number, split: string) {
  const key = fold(rootKey(seed), split);
  const logits = normal(fold(key, "logits"), NUM_ROWS);
  const draws = uniform(fold(key, "labels"), NUM_ROWS);
  const labels = Float32Array.from(logits, (logit, i) => Number((draws[i] as number) < sigmoid(logit)));
  const models = [0, 1].map((group) => {
    const noise = normal(fold(key, `noise ${group}`), NUM_ROWS);
    return Float32Array.from(logits, (logit, i) => sigmoid(2 * (logit + (noise[i] as number)) - 0.5));
  });
  return { labels, models };
}

/** A run as a study keeps it, of one group for each set of predictions. */
function runOf(
  name: string,
  seed: number,
  predict: (split: "validation" | "test") => readonly Float32Array[],
): DoneTrial {
  const folder = join(root, `${name}-${seed}`);
  mkdirSync(folder);
  for (const split of ["validation", "test"] as const) {
    predict(split).forEach((probs, group) => {
      writeFileSync(join(folder, `${split}-${group}.f32`), bytesOf(probs));
    });
    writeFileSync(join(folder, `${split}-labels.f32`), bytesOf(rowsOf(seed, split).labels));
  }
  const groups = predict("test").map((_, group) => ({ group }));
  writeFileSync(join(folder, "outcome.json"), JSON.stringify({ groups }));
  return { trial: { arm: { name, what: "", options: [] }, seed, steps: 1 }, folder };
}

const seeds = [1, 2, 3];
const done = seeds.flatMap((seed) => {
  const { models, labels } = rowsOf(seed, "test");
  return [
    runOf(SINGLE, seed, (split) => rowsOf(seed, split).models),
    runOf("as single", seed, (split) => rowsOf(seed, split).models),
    runOf("as the ensemble", seed, (split) => [meanOfProbs(rowsOf(seed, split).models)]),
    // Of June's own labels, so that there is nothing left to calibrate.
    runOf("calibrated", seed, (split) =>
      split === "test"
        ? models.map((probs) => Float32Array.from(scaled(probs, scalingOf({ probs, labels }))))
        : rowsOf(seed, split).models,
    ),
  ];
});
const arms = refinementFigures(done);

function armOf(name: string): RefinedArm {
  const found = arms.find(({ arm }) => arm === name);
  assert.ok(found, name);
  return found;
}

test("who predicts as the ensemble does keeps all of its gain, and who predicts as single none", () => {
  assert.deepEqual(armOf("as the ensemble").measured, armOf(ensembleOf(SINGLE)).measured);
  for (const measure of measures) {
    const { value, low, high } = armOf("as the ensemble").kept?.[measure] ?? {};
    for (const end of [value, low, high]) assert.ok(Math.abs((end ?? Number.NaN) - 1) < 1e-12, measure);
    assert.equal(Math.abs(armOf("as single").kept?.[measure].value ?? Number.NaN), 0);
    assert.equal(armOf("as single").less?.[measure].value, 0);
  }
  // The ensemble sees the labels better, so some of what it gains is refinement.
  const { refined, less } = armOf(ensembleOf(SINGLE));
  assert.ok(refined && less);
  assert.ok(refined.refinement.low > 0 && refined.calibration.low > 0);
  assert.ok(Math.abs(refined.refinement.value + refined.calibration.value + less.loss.value) < 1e-12);
});

test("a model that is calibrated gains no refinement", () => {
  const { refined, kept } = armOf("calibrated");
  assert.ok(refined && kept);
  assert.ok(refined.calibration.low > 0.01, String(refined.calibration.low));
  assert.ok(Math.abs(refined.share.value) < 1e-4, String(refined.share.value));
  assert.ok(Math.abs(kept.auc.value) < 1e-4 && Math.abs(kept.isotonic.value) < 1e-3);
});

test("single and the ensemble are compared with no one of themselves, and no arm without runs is listed", () => {
  assert.equal(armOf(SINGLE).less, null);
  assert.equal(armOf(ensembleOf(SINGLE)).kept, null);
  assert.ok(!arms.some(({ arm }) => arm === ensembleOf(CODISTILLED)));
});

test("what is fitted to the test itself has the least loss, and isotonic regression less than any", () => {
  const of = (split: "validation" | "test") => {
    const { models, labels } = rowsOf(7, split);
    return { probs: models[0] as Float32Array, labels };
  };
  const {
    loss,
    tempered,
    scaled: onValidation,
    refinement,
    isotonic,
    temperature,
    ofValidation,
  } = measured(of("validation"), of("test"));
  assert.ok(isotonic < refinement && refinement < onValidation && onValidation < tempered && tempered < loss);
  assert.ok(temperature > 1.5 && ofValidation.temperature > 1.5 && ofValidation.bias > 0);
});

test("isotonic regression follows the chance of the labels by the number of its levels in rows, about", () => {
  const [first] = done;
  assert.ok(first);
  const { numLevels, loss } = overfitOf(first);
  assert.ok(loss > 0.1 * (numLevels / NUM_ROWS) && loss < 2 * (numLevels / NUM_ROWS), `${loss} of ${numLevels} levels`);
});
