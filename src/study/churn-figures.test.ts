import assert from "node:assert/strict";
import { test } from "node:test";
import { churnFigures } from "./churn-figures.js";
import { churnSentences, retrainsSentence } from "./churn-page.js";
import { figuresOf } from "./figures.js";
import type { Apart, Measured, Outcome } from "./outcome.js";
import { mean } from "./statistics.js";

const seeds = [1, 2, 3, 4];
const outcome = (arm: string, seed: number): Outcome => ({
  ...{ arm, seed, step: 1, test: { testLoss: 0.5 }, meanTestLoss: 0.5, curve: [], seconds: 1, bytes: 0 },
});
/** Distances that no two pairs share. */
const distance = (factor: number, a: number, b: number) => factor * (0.01 + 0.001 * a + 0.0003 * b * b);
const pairsOf = (arm: string, factor: number, from: readonly number[]): Apart[] =>
  from.flatMap((a) =>
    seeds
      .filter((b) => b > a)
      .map((b) => ({ arm, seeds: [a, b], distance: distance(factor, a, b), changed: 0.1, good: 0.04, bad: 0.06 })),
  );
const measured: Measured = {
  ...{ task: "binary", lossName: "log loss", refined: [] },
  outcomes: [outcome("in-use", 0), ...["single", "anchored"].flatMap((arm) => seeds.map((seed) => outcome(arm, seed)))],
  apart: [...pairsOf("single", 1, seeds), ...pairsOf("anchored", 0.5, [0, ...seeds])],
};
const figures = figuresOf(measured, {
  ...{ arms: ["in-use", "single", "anchored"], seeds, reference: "single", target: { kind: "reference" }, passes: {} },
});

test("pairs with the model in use are no pairs of retrainings", () => {
  const [single, anchored] = churnFigures(figures, measured, { reference: "single", inUse: "in-use" });
  assert.deepEqual([single?.arm, anchored?.arm], ["single", "anchored"]);
  assert.equal(anchored?.pairs.length, 6);
  const between = seeds.flatMap((a) => seeds.filter((b) => b > a).map((b) => distance(0.5, a, b)));
  assert.ok(Math.abs((anchored?.distance?.value ?? 0) - mean(between)) < 1e-15);
  const from = seeds.map((seed) => distance(0.5, 0, seed));
  assert.ok(Math.abs((anchored?.fromInUse?.distance.value ?? 0) - mean(from)) < 1e-15);
  assert.equal(anchored?.fromInUse?.good?.value, 0.04);
  assert.equal(single?.fromInUse, null);
});

test("a ratio of churn leaves a retraining out of both procedures at a time", () => {
  const [, anchored] = churnFigures(figures, measured, { reference: "single", inUse: "in-use" });
  const { value = 0, low = 0, high = 0 } = anchored?.ratio ?? {};
  // Each pair is half of that of the reference, whichever are left out, so that the ratio has no spread.
  for (const one of [value, low, high]) assert.ok(Math.abs(one - 0.5) < 1e-12, String(one));
  const [sentence] = churnSentences(churnFigures(figures, measured, { reference: "single", inUse: "in-use" }), {
    arms: [],
    reference: "single",
  });
  assert.match(sentence ?? "", /anchored changes less than single .*: 0\.50 \(0\.50 to 0\.50\) of its mean difference/);
});

test("two retrainings say nothing of chance, and several share runs", () => {
  assert.match(retrainsSentence(2), /one pair: .* no intervals/);
  assert.match(retrainsSentence(5), /5 retrainings make 10 pairs, which share retrainings/);
  const two = { ...measured, outcomes: measured.outcomes.filter(({ seed }) => seed <= 2) };
  const few = figuresOf(two, {
    ...{ arms: ["single", "anchored"], seeds: [1, 2], reference: "single", target: { kind: "reference" }, passes: {} },
  });
  const [, anchored] = churnFigures(few, two, { reference: "single", inUse: "in-use" });
  assert.equal(anchored?.ratio, null);
  assert.ok(Number.isNaN(anchored?.distance?.low));
});

test("a figure that some pair lacks is none", () => {
  const apart = measured.apart.map(({ good: _, ...pair }, i) => (i === 0 ? pair : { ...pair, good: 0.1 }));
  const [, single] = figuresOf(
    { ...measured, apart },
    { arms: ["in-use", "single"], seeds, reference: "single", target: { kind: "reference" }, passes: {} },
  );
  assert.equal(single?.good, null);
  assert.equal(single?.bad?.value, 0.06);
});
