/** What controls show, of made-up losses whose intervals can be seen from them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { applyOverrides, resolveConfig } from "../run/config.js";
import { type Arm, chosenArms, parseArm } from "./arms.js";
import { controlVerdicts } from "./controls.js";
import { figuresOf } from "./figures.js";
import { verdictsOf } from "./verdicts.js";

const given = {
  name: "rides",
  data: { source: "rides.csv", label: "late", numeric: { km: "km" }, split: { kind: "rows" } },
  model: { kind: "mlp", hidden: [8] },
  optimizer: { kind: "adam", learningRate: 1e-3 },
  numSteps: 100,
  globalBatchSize: 32,
};
/** Differences of three seeds, from which paired intervals go 0.0025 to either side of their means. */
const around = (value: number) => [value - 0.001, value, value + 0.001];

/** The arms, and their figures by the losses of their seeds. */
function study(losses: Readonly<Record<string, readonly number[]>>, own: readonly Arm[] = [], reference = "single") {
  const names = Object.keys(losses).filter((name) => own.every((arm) => arm.name !== name));
  const arms = chosenArms(names, own, resolveConfig(given)).map(({ name, options }) => ({
    name,
    config: resolveConfig(applyOverrides(given, options)),
  }));
  const outcomes = Object.entries(losses).flatMap(([arm, values]) =>
    values.map((testLoss, i) => ({
      ...{ arm, seed: i + 1, step: 100, test: { testLoss }, meanTestLoss: testLoss, curve: [], seconds: 1, bytes: 0 },
    })),
  );
  const measured = { task: "binary", lossName: "log loss", outcomes, apart: [], refined: [] } as const;
  const target = { kind: "reference" } as const;
  const figures = figuresOf(measured, { arms: Object.keys(losses), seeds: [1, 2, 3], reference, target, passes: {} });
  return { arms, figures };
}

const sentenceOf = (...args: Parameters<typeof study>) => {
  const { arms, figures } = study(...args);
  const [verdict, ...others] = controlVerdicts(arms, figures);
  assert.equal(others.length, 0);
  return verdict?.sentence ?? "";
};
const single = [0.5, 0.5, 0.5];
const lossesAround = (less: number) => around(0.5 + less);

test("a control whose interval holds 0 shows no gain, as it should", () => {
  for (const arm of ["control-random", "control-shuffled", "control-own"]) {
    const sentence = sentenceOf({ single, [arm]: lossesAround(0.001) });
    assert.equal(
      sentence,
      `${arm}, a control, is not told apart from single, which is the same without a teacher: +0.0010 (-0.0015 to +0.0035) in test loss, an interval that holds 0. That is as a control should be: no gain is shown.`,
    );
  }
});

test("a gain of a control is regularisation, and a loss what the term costs", () => {
  assert.match(
    sentenceOf({ single, "control-own": lossesAround(-0.004) }),
    /^control-own, a control, is better than single, .*: -0\.0040 \(-0\.0065 to -0\.0015\) in test loss\. .* this gain is regularisation: .* need not be the teacher's knowledge\.$/,
  );
  assert.match(
    sentenceOf({ single, "control-random": lossesAround(0.004) }),
    /^control-random, a control, is worse than single, .*: \+0\.0040 \(\+0\.0015 to \+0\.0065\) in test loss\. The teaching term costs that much/,
  );
});

test("codistillation is held against its control", () => {
  const control = [0.502, 0.5, 0.498];
  const withGain = (gain: readonly number[]) =>
    sentenceOf({ single, codistilled: control.map((loss, i) => loss + (gain[i] ?? 0)), "control-own": control });
  assert.match(
    withGain(around(-0.01)),
    /no gain is shown\. codistilled is better than this control: -0\.0100 \(-0\.0125 to -0\.0075\)\.$/,
  );
  assert.match(withGain(around(0.01)), /codistilled is worse than this control: \+0\.0100/);
  assert.match(
    withGain(around(-0.001)),
    /But codistilled is not told apart from this control: -0\.0010 \(.* do not show that it matters what the teacher knows\.$/,
  );
});

test("a control is held against the arm that is the same without a teacher, whatever the reference is", () => {
  const all = { single, "single-all": [0.4, 0.4, 0.4], "control-own": lossesAround(-0.004) };
  const { arms, figures } = study(all, [], "single-all");
  const controls = controlVerdicts(arms, figures);
  assert.equal(controls[0]?.against, "single");
  const sentences = verdictsOf(figures, "single-all", controls).filter((one) => one.startsWith("control-own"));
  assert.match(sentences[0] ?? "", /^control-own is worse than single-all: \+0\.0960/);
  assert.match(sentences[1] ?? "", /^control-own, a control, is better than single,/);
  const beside = verdictsOf(study(all).figures, "single", controls).filter((one) => one.startsWith("control-own"));
  assert.equal(beside.length, 1, "the same interval is not told twice");
});

test("arms of one's own are controls by what they set, and one without its twin says what is missing", () => {
  const rate = "--set optimizer.learningRate=0.01 --set numGroups=2";
  const plain = parseArm(`slow:${rate} --set algorithm={"kind":"plain"}`);
  const control = parseArm(`slow-own:${rate} --set algorithm={"kind":"codistill"} --set algorithm.control=own`);
  const losses = { single, slow: [0.6, 0.6, 0.6], "slow-own": lossesAround(0.1) };
  assert.match(sentenceOf(losses, [plain, control]), /^slow-own, a control, is not told apart from slow,/);
  assert.match(
    sentenceOf({ single, "slow-own": lossesAround(0.1) }, [control]),
    /^slow-own is a control, and no arm here is the same without a teacher, .* Add one by --arm\.$/,
  );
  assert.match(sentenceOf({ "single-all": single, "control-own": single }), /Add --arms single\.$/);
});

test("one seed says nothing of chance, and before a run of both is done nothing is said", () => {
  assert.match(
    sentenceOf({ single: [0.5], "control-own": [0.4] }),
    /^control-own, a control: -0\.1000 in test loss to single, .*, of one seed, which says nothing of chance\.$/,
  );
  assert.equal(sentenceOf({ single: [], "control-own": [0.4] }), "");
  const { arms, figures } = study({ single, codistilled: single });
  assert.deepEqual(controlVerdicts(arms, figures), [], "codistillation is no control");
});
