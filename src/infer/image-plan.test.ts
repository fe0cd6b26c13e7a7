import assert from "node:assert/strict";
import { test } from "node:test";
import { resolveConfig } from "../run/config.js";
import {
  chooseImagePlan,
  type ImageFacts,
  imageConfigurationOf,
  imageConfigurationText,
  imagesWithinBudget,
} from "./image-plan.js";

const photos: ImageFacts = {
  images: 400,
  classes: ["cat", "dog"],
  size: null,
  medianSide: 480,
  longShare: 0.05,
  isGrey: false,
  hasTest: false,
  hasValidation: false,
  cores: 2,
};
const digits: ImageFacts = {
  images: 60_000,
  classes: Array.from({ length: 10 }, (_, k) => String(k)),
  size: [28, 28],
  medianSide: 0,
  longShare: 0,
  isGrey: true,
  hasTest: true,
  hasValidation: false,
  cores: 8,
};
const inferred = (facts: ImageFacts) => ({
  name: "images",
  source: ["photos"],
  validation: [],
  test: facts.hasTest ? ["t10k-images-idx3-ubyte"] : [],
  plan: chooseImagePlan(facts),
});

test("few photographs: a small network, mirrored and recoloured, in small batches, one group", () => {
  const plan = chooseImagePlan(photos);
  assert.deepEqual(
    [plan.side, plan.channels, plan.numGroups, plan.globalBatchSize, plan.maxBadImages],
    [64, 3, 1, 32, 4],
  );
  assert.deepEqual(plan.augment, { padCrop: 5, flip: true, jitter: 0.2 });
  assert.deepEqual(plan.model, { kind: "cnn", widths: [16, 32, 64, 128] });
  assert.equal(plan.numSteps, 600);
});

test("many digits on a larger machine: as they are, not mirrored, two groups, a residual network", () => {
  const plan = chooseImagePlan(digits);
  assert.deepEqual([plan.side, plan.channels, plan.numGroups, plan.globalBatchSize], [null, 1, 2, 128]);
  assert.deepEqual(plan.augment, { padCrop: 2 });
  assert.deepEqual(plan.model, { kind: "resnet", depth: 20 });
  assert.match(plan.reasons.changes, /not mirrored, as classes named by digits or letters may be writing/);
  assert.deepEqual(chooseImagePlan({ ...digits, cores: 2 }).model, { kind: "cnn", widths: [32, 64, 128] });
  assert.equal(chooseImagePlan({ ...photos, medianSide: 32 }).side, 32);
  // A block halves the images, so that the smallest have one.
  assert.deepEqual(chooseImagePlan({ ...photos, size: [4, 4] }).model, { kind: "cnn", widths: [16] });
});

test("images of which much would be cut off are stretched", () => {
  assert.equal(chooseImagePlan(photos).fit, "crop");
  assert.equal(imageConfigurationOf(inferred(photos)).data.fit, undefined);
  const long = { ...photos, longShare: 0.152 };
  assert.equal(imageConfigurationOf(inferred(long)).data.fit, "stretch");
  assert.match(
    chooseImagePlan(long).reasons.size,
    /They are stretched to it, as of 15 % more than half would be cut off/,
  );
  assert.equal(chooseImagePlan({ ...digits, longShare: 1 }).fit, "crop");
});

test("a budget cuts the steps, and is told", () => {
  const plan = chooseImagePlan(photos);
  const enough = imagesWithinBudget(plan, 0.1, 40, 300);
  assert.equal(enough.plan, plan);
  assert.ok(enough.seconds > 60 && enough.seconds < 100, `${enough.seconds}`);
  const less = imagesWithinBudget(plan, 0.1, 40, 20);
  assert.ok(less.seconds <= 20 && less.plan.numSteps < 200, `${less.seconds} s, ${less.plan.numSteps} steps`);
  assert.match(less.plan.reasons.steps, /^\d+ instead of 600, to stay within 20 seconds/);
});

test("the configuration is valid, as a value and as the text of a file", () => {
  for (const facts of [photos, digits]) {
    const value = imageConfigurationOf(inferred(facts));
    assert.equal(resolveConfig(value).name, "images");
    const text = imageConfigurationText(inferred(facts));
    const body = /export default (.*) satisfies RunInput;/s.exec(text)?.[1] ?? "";
    assert.deepEqual(new Function(`return ${body}`)(), JSON.parse(JSON.stringify(value)));
  }
  assert.match(imageConfigurationText(inferred(photos)), /\/\/ 4 images, a hundredth, may be damaged/);
});
