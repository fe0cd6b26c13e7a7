import assert from "node:assert/strict";
import { test } from "node:test";
import { markdownOf } from "../report/page/markdown.js";
import { applyOverrides, resolveConfig } from "../run/config.js";
import { type Arm, chosenArms, parseArm } from "./arms.js";
import { comparisonPage } from "./comparison-page.js";
import type { Measured } from "./outcome.js";

const given = {
  name: "rides",
  data: { source: "rides.csv", label: "late", numeric: { km: "km" }, split: { kind: "rows" }, regime: "all" },
  model: { kind: "mlp", hidden: [8] },
  optimizer: { kind: "adam", learningRate: 1e-3 },
  numSteps: 100,
  globalBatchSize: 32,
  numGroups: 1,
};
const nothing: Measured = { task: "binary", lossName: "log loss", outcomes: [], apart: [], refined: [] };

function pageOf(
  names: readonly string[],
  measured = nothing,
  own: readonly Arm[] = [],
  notes?: readonly string[],
): string {
  const base = resolveConfig(given);
  const arms = chosenArms(names, own, base).map((arm) => ({
    ...arm,
    config: arm.ensembleOf === undefined ? resolveConfig(applyOverrides(given, arm.options)) : null,
  }));
  const facts = { base, arms, seeds: [1], reference: "single", target: { kind: "reference" } as const };
  const rest = {
    ...{ study: { kind: "compare" } as const, notes },
    commands: [],
    open: [],
    rows: null,
    machine: "a machine",
    made: "now",
  };
  return markdownOf(comparisonPage({ ...facts, ...rest }, measured));
}

test("a report says in how many steps a teacher taught, and counts the passes of those that were there", () => {
  const curve = [
    { step: 50, loss: 0.6, seconds: 1 },
    { step: 100, loss: 0.5, seconds: 2 },
  ];
  const figures = { seed: 1, step: 100, test: { testLoss: 0.5 }, meanTestLoss: 0.5, curve, seconds: 2, bytes: 0 };
  const pageWith = (step: number) => {
    const taught = [[{ step, numTeachers: 1 }], [{ step: 50, numTeachers: 0 }]];
    const outcomes = [
      { ...figures, arm: "single" },
      { ...figures, arm: "codistilled", taught },
    ];
    return pageOf(["single", "codistilled"], { ...nothing, outcomes });
  };
  const seldom = pageWith(90);
  const sentences = seldom.match(/codistilled: a teacher taught in 5 of 50 steps after burn-in[^\n]*under half/g);
  assert.equal(sentences?.length, 2, seldom);
  assert.match(seldom, /\| codistilled \| 2\.0 \| 6,400 \| 19,520 \|/);
  const alone = { ...figures, arm: "slow", taught: [[{ step: 50, numTeachers: 0 }]] };
  const slow = parseArm("slow:--set optimizer.learningRate=0.0001");
  assert.doesNotMatch(pageOf(["single"], { ...nothing, outcomes: [alone] }, [slow]), /a teacher taught/);
  const half = pageWith(50);
  assert.match(half, /codistilled: a teacher taught in 25 of 50 steps after burn-in/);
  assert.doesNotMatch(half, /under half/);
});

test("a report says what trains in each arm, and what an arm of one's own starts from", () => {
  const page = pageOf(["single", "codistilled"], nothing, [parseArm("slow:--set optimizer.learningRate=0.0001")]);
  assert.match(page, /- slow: the configuration as it stands, with optimizer\.learningRate=0\.0001/);
  assert.match(page, /\| slow \| 1 \| 32 \| all \| codistill \|/);
  assert.match(page, /\| single \| 2 \| 32 \| disjoint \| plain \|/);
});

test("what a group alone puts in its store is no exchange", () => {
  const curve = [{ step: 100, loss: 0.5, seconds: 2 }];
  const figures = { seed: 1, step: 100, test: { testLoss: 0.5 }, meanTestLoss: 0.5, curve, seconds: 2, bytes: 4321 };
  const outcomes = ["single", "codistilled", "slow"].map((arm) => ({ ...figures, arm }));
  const slow = parseArm("slow:--set optimizer.learningRate=0.0001");
  const page = pageOf(["single", "codistilled"], { ...nothing, outcomes }, [slow]);
  assert.match(page, /\| codistilled \| 2\.0 \| 6,400 \| [\d,]+ \| 4\.3 kB \|/);
  assert.match(page, /\| slow \| 1\.0 \| 3,200 \| [\d,]+ \| {2}\|/);
  assert.equal(page.match(/4\.3 kB/g)?.length, 1);
});

test("a report lists the data that the groups of each arm have", () => {
  const page = pageOf(["single", "codistilled-all"]);
  assert.match(page, /single: data\.regime \| "all" \| "disjoint"/);
  assert.match(page, /codistilled-all: data\.regime \| "all" \| "all"/);
});

test("a report says that no arm was tuned, or where it has a note, that notes say what was", () => {
  const untuned = /No arm was tuned for itself/;
  assert.match(pageOf(["single", "codistilled"]), untuned);
  const noted = pageOf(["single", "codistilled"], nothing, [], ["codistilled: tuned on seeds 101 and 102"]);
  assert.match(noted, /^Note: codistilled: tuned on seeds 101 and 102$/m);
  assert.match(noted, /What was tuned, and for which arm, is what the notes/);
  assert.doesNotMatch(noted, untuned);
});

test("a report says what a control shows", () => {
  const figures = { step: 100, test: { testLoss: 0.5 }, meanTestLoss: 0.5, curve: [], seconds: 2, bytes: 0 };
  const outcomes = ["single", "control-own"].flatMap((arm) => [1, 2].map((seed) => ({ ...figures, arm, seed })));
  const page = pageOf(["single", "control-own"], { ...nothing, outcomes });
  assert.match(page, /control-own, a control, is not told apart from single, .*: no gain is shown\./);
});
