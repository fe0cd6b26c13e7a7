import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { tinyInput, tinyLearner } from "../../../test/fixtures/tiny-run.js";
import { ConfigError } from "../../errors.js";
import { linearSchedule } from "../../optim/schedules.js";
import { resolveConfig } from "../config.js";
import type { CodistillInput } from "./codistill.js";
import { type ConsolidateInput, keepAt, rewarmed } from "./consolidate.js";

const resolved = (consolidate: ConsolidateInput, algorithm: CodistillInput = {}, numGroups = 2) =>
  resolveConfig(
    tinyInput({
      numGroups,
      numSteps: 1000,
      algorithm: { burnInSteps: "50%", ...algorithm, consolidate },
    }),
  ).algorithm as { readonly consolidate?: Parameters<typeof keepAt>[0] };

test("its defaults are three snapshots from 60 to 70 %, and shares of the run are steps", () => {
  const { consolidate } = resolved({});
  assert.deepEqual(consolidate, {
    ...{ from: 700, snapshots: 3, every: 50, weight: 0.9, mix: "convex", learningRate: 0.4 },
  });
  assert.deepEqual(consolidate && keepAt(consolidate), [600, 650, 700]);
  assert.equal(resolved({ from: 800, every: 60 }).consolidate?.from, 800);
});

describe("wrong uses", () => {
  const cases: readonly (readonly [RegExp, ConsolidateInput, CodistillInput?, number?])[] = [
    [
      /algorithm\.consolidate\.from: must leave steps to learn in, so be below numSteps \(1000\), got 1000/,
      { from: "100%" },
    ],
    [/algorithm\.consolidate\.snapshots: must be > 0, got 0/, { snapshots: 0 }],
    [
      /algorithm\.consolidate\.weight: must be at most 1 when algorithm\.consolidate\.mix is "convex", got 9/,
      { weight: 9 },
    ],
    [/algorithm\.consolidate\.learningRate: must be <= 1, got 40/, { learningRate: 40 }],
    [/algorithm\.consolidate\.every: must be at least the interval .* \(50 steps\), .* got 20/, { every: 20 }],
    [/algorithm\.consolidate\.every: must be at least the interval .* \(200 steps\)/, {}, { exchangeInterval: 200 }],
    [
      /algorithm\.consolidate: keeps its first snapshots at step 500 .* which must be after burnInSteps \(500\)/,
      { from: "60%" },
    ],
    [
      /algorithm\.consolidate\.snapshots: must come to at most 64 teachers a step, got 66 \(3 of each of 22 groups\)/,
      {},
      {},
      22,
    ],
    [/algorithm\.consolidate\.rate: unknown name/, { rate: 1 } as ConsolidateInput],
  ];
  for (const [words, consolidate, algorithm, numGroups] of cases) {
    test(String(words), () => {
      assert.throws(
        () => resolved(consolidate, algorithm, numGroups),
        (error) => error instanceof ConfigError && words.test(error.message),
      );
    });
  }

  test("a ring of so many groups has few teachers, and a sum any weight", () => {
    resolved({ weight: 9, mix: "sum" }, { topology: "ring" }, 22);
  });

  test("it is not for asynchronous SGD", () => {
    const algorithm = { kind: "asyncSgd", codistill: { consolidate: {} } } as const;
    assert.throws(
      () => resolveConfig(tinyInput({ numGroups: 2, numSteps: 1000, workers: 2, algorithm })),
      /algorithm\.codistill\.consolidate: is not for "asyncSgd"/,
    );
  });
});

describe("the learning rate", () => {
  test("is as before up to its step, rises in a tenth of what is left, and falls to 0", () => {
    const before = linearSchedule(1, 0, 1000);
    const rate = rewarmed({ from: 700, learningRate: 0.4 }, before, { peak: 1, numSteps: 1000 });
    for (const step of [0, 350, 699]) assert.equal(rate(step), before(step));
    assert.ok(Math.abs(rate(700) - 0.3) < 1e-12);
    assert.ok(Math.abs(rate(715) - 0.35) < 1e-12);
    assert.ok(Math.abs(rate(730) - 0.4) < 1e-12);
    assert.ok(Math.abs(rate(865) - 0.2) < 1e-12);
    assert.equal(rate(1000), 0);
  });

  test("of a run is that of its optimizer, by its peak, which a rule for batches may have moved", () => {
    const optimizer = { kind: "adam", learningRate: 0.01, forBatch: { rows: 4, rule: "linear" } } as const;
    const { optimizer: chain } = tinyLearner({
      ...{ numGroups: 2, numSteps: 1000, optimizer },
      algorithm: { burnInSteps: "50%", consolidate: {} },
    });
    const rate = chain.scalars.learningRate;
    assert.ok(rate);
    assert.ok(Math.abs(rate(730) - 0.4 * 0.02) < 1e-9);
    assert.ok(rate(999) < 1e-4);
  });
});
