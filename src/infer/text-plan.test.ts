import assert from "node:assert/strict";
import { test } from "node:test";
import { resolveConfig } from "../run/config.js";
import {
  chooseTextPlan,
  type TextFacts,
  textConfigurationOf,
  textConfigurationText,
  textWithinBudget,
} from "./text-plan.js";

const plan = (facts: Partial<TextFacts>) => chooseTextPlan({ documents: 500, bytes: 5e6, cores: 4, ...facts });
const inferred = (facts: Partial<TextFacts>) => ({
  name: "books",
  source: ["books/*.txt"],
  tokenizer: "bytes",
  plan: plan(facts),
});

test("larger tokens are learned from more text", () => {
  const sizes = [1e4, 1.9e6, 3e6, 3e7, 3e8].map((bytes) => plan({ bytes }).tokenizerSize);
  assert.deepEqual(sizes, [null, null, 2048, 4096, 8192]);
});

test("networks grow with the text, and two groups need cores and text", () => {
  const models = [5e4, 1e6, 5e6].map((bytes) => plan({ bytes }).model);
  assert.deepEqual(models, [
    { kind: "lstm", width: 32, hidden: 128, layers: 1 },
    { kind: "lstm", width: 64, hidden: 256 },
    { kind: "transformer", size: "1M" },
  ]);
  assert.deepEqual(
    [plan({ cores: 2 }), plan({ bytes: 1e5 }), plan({})].map(({ numGroups }) => numGroups),
    [1, 1, 2],
  );
});

test("many documents are dealt out whole, few in pieces, and of one the end is kept", () => {
  assert.deepEqual([plan({}).longest, plan({}).isByPosition], [null, false]);
  assert.deepEqual([plan({ documents: 3 }).longest, plan({ documents: 3 }).isByPosition], [20_000, false]);
  const one = plan({ documents: 1, bytes: 1e6 });
  assert.deepEqual([one.longest, one.isByPosition], [5000, true]);
  assert.match(one.reasons.split, /the end of the one document/);
});

test("a group has text for some batches, however little there is", () => {
  for (const bytes of [2000, 5000, 2e4, 1e5, 1e6]) {
    const { globalBatchSize, sequenceLength, numGroups, numSteps } = plan({ bytes });
    const ofTraining = (0.96 * bytes) / numGroups;
    assert.ok(
      4 * globalBatchSize * (sequenceLength + 1) < ofTraining,
      `${bytes}: ${globalBatchSize} x ${sequenceLength}`,
    );
    assert.ok(numSteps >= 200);
  }
});

test("steps are cut to a quarter of an hour of measured steps, and said", () => {
  const whole = plan({});
  const cheap = textWithinBudget(whole, 0.001, 1e4);
  assert.equal(cheap.plan, whole);
  const cut = textWithinBudget(whole, 2, 1e4);
  assert.ok(cut.plan.numSteps < whole.numSteps && cut.seconds < 1000, `${cut.plan.numSteps}, ${cut.seconds} s`);
  assert.match(cut.plan.reasons.steps, /to stay within 15 minutes/);
});

test("every plan is a configuration that resolves, with clipping and warm-up, and its reasons as comments", () => {
  for (const bytes of [2000, 1e5, 1e6, 1e7, 1e9])
    for (const documents of [1, 5, 1e5])
      for (const cores of [1, 4, 16]) {
        const config = resolveConfig(textConfigurationOf(inferred({ bytes, documents, cores })));
        assert.deepEqual(config.optimizer.clip, { norm: 1 });
        assert.ok(typeof config.optimizer.warmUp === "number" && config.optimizer.warmUp > 0);
      }
  const text = textConfigurationText({ ...inferred({}), field: "body" });
  assert.match(text, /^import type \{ RunInput \} from "codistill";$/m);
  assert.match(text, /^ {4}field: "body",$/m);
  assert.match(text, /^ {4}\/\/ 2,048, learned from the text/m);
  assert.match(text, /\} satisfies RunInput;\n$/);
});
