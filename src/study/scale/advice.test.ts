import assert from "node:assert/strict";
import { test } from "node:test";
import { htmlOf } from "../../report/page/html.js";
import { markdownOf } from "../../report/page/markdown.js";
import { resolveConfig } from "../../run/config.js";
import { adviceOf, adviceSentences, wasRight } from "./advice.js";
import { armConfig, limitConfig } from "./configs.js";
import { type ScaleFigures, type SecondGroup, scaleFigures } from "./figures.js";
import { scalePage } from "./page.js";
import type { ScaleOutcome } from "./question.js";

const target = 0.5;
const question = { workers: [1, 2, 4, 8, 16], workerBatch: 32, rate: 0.01, numSteps: 1000, seeds: [1, 2], target };
const link = { bytesPerSecond: 1e9, latencySeconds: 5e-5, isMeasured: false };
const model = { computeSeconds: 0.01, gradientBytes: 1e6, link, spread: 0.1 };

/** A run that comes to the target at a step, on a line from 1. */
const run = (workers: number, steps: number, seed = 1, more: Partial<ScaleOutcome> = {}): ScaleOutcome => ({
  ...{ workers, doublings: 0, seed, numSteps: 1000, isDiverged: false, secondsPerStep: 0.01, reduceSeconds: null },
  ...{ parts: workers, noise: [], seconds: 10 },
  curve: [
    { step: 0, loss: 1 },
    { step: steps * 2, loss: 0 },
  ],
  ...more,
});
const both = (workers: number, steps: number) => [run(workers, steps), run(workers, steps + 2, 2)];
const noise = Array.from({ length: 40 }, (_, i) => ({ part: 2 + (i % 3) / 50, step: 1.5, numSteps: 5 }));
const interval = (value: number, half: number) => ({ value, low: value - half, high: value + half });
const second: SecondGroup = {
  ...{
    workers: 4,
    numSteps: 250,
    numSeeds: 2,
    lossName: "log loss",
    codistilledLessTwice: null,
    codistilledLessSingle: null,
    notes: [],
  },
  ensembleLessTwice: interval(-0.01, 0.004),
};

const curves = [...both(1, 400), ...both(2, 210), ...both(4, 120), ...both(8, 118)];
const figuresOf = (outcomes: readonly ScaleOutcome[], group: SecondGroup | null = null): ScaleFigures =>
  scaleFigures(question, outcomes, model, group);
const adviceFor = (outcomes: readonly ScaleOutcome[], group: SecondGroup | null = null) =>
  adviceSentences(adviceOf(figuresOf(outcomes, group))).join(" ");

test("the advice names the limit of a hand-made curve first, and below it the steps on both sides of it", () => {
  const { verdict, reasons } = adviceOf(figuresOf(curves));
  assert.deepEqual(verdict, ["The limit is 4 workers, a batch of 128: more of them are wasted on this problem."]);
  assert.equal(
    reasons[0],
    "Steps to a validation loss of 0.5 fall from 401 with 1 worker to 121 with 4.",
    reasons.join("\n"),
  );
  assert.match(
    reasons[1] ?? "",
    /^8 workers take 0\.98 \(.*\) times as many as 4: less than a tenth is saved for each doubling\.$/,
  );
  assert.match(
    reasons[2] ?? "",
    /^By the modelled time 4 workers are the fastest: 1\.\d s, where 1 takes 4 s \(measured\)\.$/,
  );
  assert.match(reasons[3] ?? "", /^Of machine time they take 1\.\d times that of 1\.$/);
  assert.doesNotMatch(reasons.join(" "), /second group|noise scale/);
});

test("no sentence of the advice is long", () => {
  const noisy = curves.map((one) => (one.workers > 1 ? { ...one, noise } : one));
  const checked = { ...second, codistilledLessTwice: interval(0.005, 0.01), codistilledLessSingle: interval(-0.02, 1) };
  for (const sentence of adviceSentences(adviceOf(figuresOf(noisy, checked))).flatMap((one) =>
    one.split(/\. (?=[A-Z])/),
  ))
    assert.ok(sentence.split(/\s+/).length <= 40, sentence);
});

test("where fewer workers than the limit are the fastest, the verdict says so", () => {
  const slow = { ...model, link: { ...link, bytesPerSecond: 1e7 } };
  const { verdict } = adviceOf(scaleFigures(question, curves, slow, null));
  assert.match(verdict.join(" "), /^The limit is 4 workers, .*By the modelled time 1 is faster still\.$/);
});

test("without a limit it sends on to more workers, and where one number is enough it says so", () => {
  const endless = [...both(1, 400), ...both(2, 200), ...both(4, 100)];
  assert.match(
    adviceFor(endless),
    /^Double the workers of the one group .*: up to 4 of them none are wasted\. The limit lies beyond; --workers 8 looks on\. Steps to /,
  );
  assert.match(
    adviceFor(both(1, 400)),
    /^Nothing can be said of a limit: only runs with 1 worker came to the target\./,
  );
  const early = adviceFor([...both(1, 400), ...both(2, 396)]);
  assert.match(
    early,
    /^The limit is 1 worker, a batch of 32: .* 1 worker took 401 steps to a validation loss of 0\.5\./,
  );
  assert.match(early, /1 worker is the fastest already/);
  assert.match(
    adviceFor([...both(1, 400), run(2, 900, 1, { numSteps: 500, curve: [] })]),
    /2 workers did not come to it in 500\./,
  );
  assert.match(
    adviceFor([run(1, 0, 1, { curve: [{ step: 1000, loss: 0.7 }] })]),
    /^Nothing can be said of a limit: no run came to a validation loss of 0\.5/,
  );
});

test("the noise scale is that of the number of workers at the limit", () => {
  const noisy = curves.map((one) => (one.workers > 1 ? { ...one, noise } : one));
  assert.match(
    adviceFor(noisy),
    /noise scale, measured with 4 workers, is \d+ \(\d+ to \d+\) examples over the last quarter of the way .* Over all of the way .* the noise scale is \d+ \(/,
  );
});

test("the sign of a second group is that of the ensemble against twice the batch, and a check says whether it was right", () => {
  const { verdict, reasons } = adviceOf(figuresOf(curves, second));
  assert.equal(
    verdict[1],
    "A second group is expected to be worth it there: with 8 workers, two groups of 4 that codistil should do better than one of 8.",
  );
  assert.equal(verdict.length, 2);
  assert.match(
    reasons.at(-1) ?? "",
    /ahead of one group with twice the batch by 0\.0100 \(0\.0060 to 0\.0140\) in test loss after 250 steps\.$/,
  );
  const behind = { ...second, ensembleLessTwice: interval(0.01, 0.02) };
  assert.match(
    adviceFor(curves, behind),
    /A second group is expected to bring nothing there: .* no more than a guess: its interval holds 0\. .* is behind one group/,
  );
  const one = { ...second, ensembleLessTwice: { value: 0.01, low: Number.NaN, high: Number.NaN } };
  assert.match(adviceFor(curves, one), /This is of one seed, which says nothing of chance\./);
  const checked = {
    ...second,
    codistilledLessTwice: interval(-0.005, 0.001),
    codistilledLessSingle: interval(-0.02, 0.001),
  };
  assert.match(
    adviceFor(curves, checked),
    /Checked: the codistilled pair is -0\.0050 .* The sign was right\. To training alone the codistilled pair is -0\.0200 \(.*in test loss\.$/,
  );
  const wrong = { ...checked, codistilledLessTwice: interval(0.005, 0.01) };
  assert.match(adviceFor(curves, wrong), /The sign was wrong, though seeds cannot tell the two apart\./);
  assert.ok(wasRight(interval(0.1, 0), interval(0.2, 0)) && !wasRight(interval(0.1, 0), interval(-0.2, 0)));
});

const given = {
  name: "rides",
  data: { source: "rides.csv", label: "late", numeric: { km: "km" }, split: { kind: "rows" } },
  model: { kind: "mlp", hidden: [8] },
  optimizer: {
    kind: "adam",
    learningRate: 0.004,
    forBatch: { rows: 64, rule: "linear" },
    warmUp: 100,
    schedule: "cosine",
  },
  ema: {},
  earlyStopping: { patience: 3 },
  numSteps: 1000,
  globalBatchSize: 64,
} as const;

test("a run of the search trains alone on all data, at a constant rate, to the target and no longer", () => {
  const base = resolveConfig(given);
  const arm = { workers: 4, doublings: 1, seed: 3, numSteps: 200, horizon: 250, why: "" };
  const config = armConfig(base, { ...question, workerBatch: 16 }, arm);
  const { optimizer, algorithm, globalBatchSize, accumulate, noiseScale, stopAtLoss, seed, numGroups } = config;
  assert.deepEqual([optimizer.learningRate, optimizer.schedule, optimizer.warmUp], [0.02, "constant", 25]);
  assert.deepEqual([optimizer.forBatch, config.ema, config.earlyStopping], [undefined, undefined, undefined]);
  assert.deepEqual([algorithm.kind, config.data.regime, numGroups, seed], ["plain", "all", 1, 3]);
  assert.deepEqual([globalBatchSize, accumulate, noiseScale, stopAtLoss, config.numSteps], [64, 4, true, 0.5, 200]);
  assert.equal(config.validationInterval, 12);
  const many = armConfig(base, question, { ...arm, workers: 64 });
  assert.deepEqual([many.globalBatchSize, many.accumulate], [2048, 8]);
  const saving = armConfig({ ...base, accumulate: 2 }, question, { ...arm, workers: 64 });
  assert.equal(saving.accumulate, 128);
  const threads = armConfig({ ...base, workers: 2 }, question, arm);
  assert.deepEqual([threads.workers, threads.accumulate], [2, 2]);
  const alone = armConfig({ ...base, workers: 2 }, question, { ...arm, workers: 1 });
  assert.deepEqual([alone.workers, alone.accumulate, alone.noiseScale], [1, 1, false]);
});

test("groups at the limit have their own schedule, over as many fewer steps as they take", () => {
  const config = limitConfig(resolveConfig(given), question, { workers: 4, rate: 0.03, share: 0.25 });
  const { optimizer, algorithm } = config;
  assert.deepEqual([config.numSteps, config.globalBatchSize, config.numGroups], [250, 128, 2]);
  assert.deepEqual([optimizer.learningRate, optimizer.schedule, optimizer.warmUp], [0.03, "cosine", 25]);
  assert.ok(algorithm.kind === "codistill");
  assert.deepEqual([algorithm.burnInSteps, algorithm.publishInterval, config.validationInterval], [125, 13, 125]);
  assert.ok(Math.abs((config.ema?.decay ?? 0) - 0.999 ** 4) < 1e-12);
});

test("the report has the figures, and a hostile name stays text in it", () => {
  const base = resolveConfig({ ...given, data: { ...given.data, source: "<script>alert(1)</script>.csv" } });
  const facts = { base, question, isTargetOwn: true, outcomes: curves, model, rows: null };
  const page = scalePage(
    {
      ...facts,
      comparison: "runs/second",
      isCut: false,
      commands: ["codistill scale x"],
      machine: "a machine",
      made: "now",
    },
    figuresOf(curves, second),
  );
  const markdown = markdownOf(page);
  assert.match(markdown, /\| 4 \| 128 \| 121 ± 1 \| 0\.57 \| 15,488 \| 2 \| 0\.01 \| 1 \|/);
  assert.match(markdown, /\| 8 \| .* \| steps measured, seconds of a step modelled \|/);
  assert.match(markdown, /\| 1 \| 10 ms \| 0 \| 0 \| 10 ms \| 4 s \| 4 s \| measured \|/);
  const html = htmlOf(page);
  assert.doesNotMatch(html, /<script>alert/);
  assert.equal((html.match(/<svg viewBox="0 0 720/g) ?? []).length, 3);
  assert.doesNotMatch(html.slice(0, html.indexOf("</main>")), /NaN|Infinity|undefined/);
});
