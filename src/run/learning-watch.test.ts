import assert from "node:assert/strict";
import { test } from "node:test";
import { learningWatch, levelsOf } from "./learning-watch.js";

const levels = { guessing: 5.5, frequencies: 3 };

/** What is told of losses at every 20th step. */
function told(
  losses: readonly number[],
  numSteps = 20 * losses.length,
): { readonly step: number; readonly says: string }[] {
  const watch = learningWatch(levels, numSteps);
  return losses.flatMap((loss, i) => {
    const says = watch(20 * (i + 1), loss);
    return says === null ? [] : [{ step: 20 * (i + 1), says }];
  });
}

const falling = [5.5, 4.5, 3.6, 3.1, 2.8, 2.6, 2.5, 2.45, 2.4, 2.38];

test("levels are those of guessing and of the entropy of frequencies", () => {
  const { guessing, frequencies } = levelsOf(Float64Array.of(2, 1, 1, 0));
  assert.ok(Math.abs(guessing - Math.log(4)) < 1e-12);
  assert.ok(Math.abs(frequencies - 1.5 * Math.LN2) < 1e-12);
});

test("losses that fall, begin a little above guessing, jump once or stay high are nothing to tell", () => {
  assert.deepEqual(told(falling), []);
  assert.deepEqual(told([5.7, ...falling]), []);
  assert.deepEqual(told([...falling, 4, 2.4, 2.4, 3.1, 2.4]), []);
  assert.deepEqual(told([5.5, 5.4, 5.3, 5.2, 5.1, 5, 4.9, 4.8]), []);
});

test("losses that stay above guessing are told once, with what helps", () => {
  const found = told([166, 65, 20, 12, 9, 8, 8, 8]);
  assert.equal(found.length, 1);
  assert.equal(found[0]?.step, 40);
  assert.match(
    found[0]?.says ?? "",
    /^the loss stays at [\d.]+, above guessing \(5\.5000\)\. The learning rate .* lower optimizer\.learningRate/,
  );
});

test("losses that go back to the frequencies, or half of the way to guessing, are told", () => {
  const [back] = told([...falling, 3.05, 3.05, 3.05, 3.05, 3.05, 3.05]);
  assert.match(
    back?.says ?? "",
    /^the loss is back at 3\.0\d+, no lower than the frequencies .* \(3\.0000\); it was 2\.[345]\d+ at step \d+\. The learning rate/,
  );
  const narrow = learningWatch({ guessing: 2.5, frequencies: 2.45 }, 400);
  const risen = [2.4, 1.5, 0.6, 0.4, 0.4, 2, 2.1, 2.1, 2.1, 2.1, 2.1].flatMap(
    (loss, i) => narrow(20 * (i + 1), loss) ?? [],
  );
  assert.match(risen[0] ?? "", /^the loss has risen to [12]\.\d+; it was 0\.\d+ at step/);
  assert.equal(risen.length, 1);
});

test("a finding lasts for a twentieth of the run", () => {
  assert.deepEqual(told([166, 65, 20, 12, 9], 20_000), []);
});
