/** Figures of made-up outcomes, whose values can be seen from them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { figuresOf, type Question } from "./figures.js";
import type { Measured, Outcome } from "./outcome.js";
import { limitsOf, seedsSentence, verdictsOf } from "./verdicts.js";

function outcome(arm: string, seed: number, testLoss: number, losses: readonly number[]): Outcome {
  const curve = losses.map((loss, i) => ({ step: 10 * (i + 1), loss, seconds: 2 * (i + 1) }));
  return { arm, seed, step: 10, test: { testLoss }, meanTestLoss: testLoss + 0.5, curve, seconds: 5 * seed, bytes: 7 };
}

const measured: Measured = {
  task: "binary",
  lossName: "log loss",
  outcomes: [
    outcome("single", 1, 4, [6, 5, 4, 4.5]),
    outcome("single", 2, 5, [6, 5, 4.5, 5]),
    outcome("single", 3, 6, [7, 6, 5, 5]),
    outcome("codistilled", 1, 3, [5, 4, 3, 2]),
    outcome("codistilled", 2, 4.5, [6, 4, 3.5, 3]),
    outcome("codistilled", 3, 5.25, [6, 5, 4, 4]),
    outcome("ensemble", 1, 2, []),
    outcome("slow", 1, 4.5, [9, 8, 7, 6]),
  ],
  apart: [
    { arm: "single", seeds: [1, 2], distance: 0.1, changed: 0.05 },
    { arm: "single", seeds: [1, 3], distance: 0.2, changed: 0.06 },
    { arm: "single", seeds: [2, 3], distance: 0.3, changed: 0.07 },
  ],
  refined: [1, 2, 3].flatMap((seed) => [
    { arm: "single", seed, refinementLoss: seed },
    { arm: "codistilled", seed, refinementLoss: seed - 0.5 },
  ]),
};

const question: Question = {
  arms: ["single", "codistilled", "ensemble", "slow", "absent"],
  seeds: [1, 2, 3],
  reference: "single",
  target: { kind: "reference" },
  passes: { single: (step) => 3 * step, codistilled: (step) => 6 * step, slow: (step) => 3 * step },
};

const [single, codistilled, ensemble, slow] = figuresOf(measured, question);

test("losses are paired by seed", () => {
  assert.deepEqual(single?.loss, [4, 5, 6]);
  assert.equal(single?.less, null);
  assert.ok(Math.abs((codistilled?.less?.value ?? 0) + 0.75) < 1e-12);
  // Of the differences -1, -0.5 and -0.75 the standard error is 0.1443, and t of 2 degrees 4.3027.
  assert.ok(Math.abs((codistilled?.less?.high ?? 0) - (-0.75 + 4.302652729911275 * Math.sqrt(0.0625 / 3))) < 1e-9);
  assert.deepEqual([slow?.less?.value, slow?.less?.low], [0.5, Number.NaN]);
  assert.equal(figuresOf(measured, question).length, 4);
});

test("steps, time and their ratio to the best of the reference with the same seed", () => {
  assert.deepEqual(single?.toTarget?.steps, [30, 30, 30]);
  assert.deepEqual(codistilled?.toTarget?.steps, [20, 17.5, 20]);
  assert.deepEqual(codistilled?.toTarget?.seconds, [4, 3.5, 4]);
  assert.ok(Math.abs((codistilled?.toTarget?.ratio?.value ?? 0) - 57.5 / 90) < 1e-12);
  assert.deepEqual([slow?.toTarget?.steps, slow?.toTarget?.numReached], [[null], 0]);
  assert.equal(ensemble?.toTarget, null);
  const toLoss = figuresOf(measured, { ...question, target: { kind: "loss", value: 5 } });
  assert.deepEqual(toLoss[0]?.toTarget?.steps, [20, 20, 30]);
});

test("equal passes cut the arm that takes more of them", () => {
  assert.deepEqual([single?.atEqualPasses?.steps, codistilled?.atEqualPasses?.steps], [40, 20]);
  assert.deepEqual(codistilled?.atEqualPasses?.loss, [4, 4, 5]);
  assert.ok(Math.abs((codistilled?.atEqualPasses?.less?.value ?? 0) - (0 - 0.5 + 0) / 3) < 1e-12);
  assert.equal(ensemble?.atEqualPasses, null);
});

test("calibration is what recalibration takes away, and churn a mean over pairs of seeds", () => {
  assert.deepEqual(single?.calibration, [3, 3, 3]);
  assert.deepEqual(codistilled?.calibration, [2.5, 3, 2.75]);
  assert.equal(codistilled?.refinementLess?.value, -0.5);
  assert.equal(ensemble?.refinement, null);
  assert.ok(Math.abs((single?.distance?.value ?? 0) - 0.2) < 1e-12);
  assert.equal(codistilled?.distance, null);
});

test("sentences say what an interval says, and no more", () => {
  const sentences = verdictsOf(figuresOf(measured, question), "single");
  assert.match(
    sentences[0] ?? "",
    /^codistilled is better than single: -0\.7500 \(-1\.3710 to -0\.1290\) in test loss\.$/,
  );
  assert.match(sentences[1] ?? "", /^To the target codistilled takes fewer steps: 0\.64 \(/);
  assert.match(
    sentences[2] ?? "",
    /^ensemble: -2\.0000 in test loss to single, of one seed, which says nothing of chance\.$/,
  );
  assert.match(sentences[4] ?? "", /^slow never comes to the target\.$/);
  assert.match(seedsSentence(2), /two seeds.*12\.7 standard errors.*no sign of equality/);
  assert.match(seedsSentence(1), /no intervals/);
  assert.match(seedsSentence(3), /4\.3 standard errors.*Five/);
  assert.doesNotMatch(seedsSentence(5), /Five/);
  assert.equal(
    limitsOf({ numSeeds: 3, numArms: 2, isCut: true, isNoted: false }).length,
    limitsOf({ numSeeds: 3, numArms: 4, isCut: false, isNoted: true }).length,
  );
});
