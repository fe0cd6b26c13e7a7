import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { choosePlan, type PlanFor, trainingSeconds, withinBudget } from "./plan.js";

const features = [
  { name: "origin", kind: "categorical", sql: "origin", numIds: 230 },
  { name: "distance", kind: "numeric", sql: "distance", numIds: 0 },
] as const;
const given = (changes: Partial<PlanFor>): PlanFor => ({
  task: "binary",
  numClasses: 2,
  numTrain: 100_000,
  numValidation: 10_000,
  features,
  cores: 2,
  memoryBytes: 8e9,
  ...changes,
});

test("what is chosen grows with the rows", () => {
  const sizes = [500, 5000, 50_000, 500_000, 5_000_000, 50_000_000];
  const plans = sizes.map((numTrain) => choosePlan(given({ numTrain })));
  const isGrowing = (values: readonly number[]) => values.every((value, i) => i === 0 || value >= (values[i - 1] ?? 0));
  const widths = plans.map(({ model }) => (model.hidden ?? []).reduce((sum, width) => sum + width, 0));
  const batches = plans.map(({ globalBatchSize }) => globalBatchSize);
  assert.ok(isGrowing(widths) && new Set(widths).size > 1, String(widths));
  assert.ok(isGrowing(batches) && batches[0] === 32 && batches.at(-1) === 1024, String(batches));
  const passes = plans.map(({ numSteps, globalBatchSize }, i) => (numSteps * globalBatchSize) / (sizes[i] ?? 1));
  assert.ok(isGrowing(passes.slice(0, 3).reverse()) && isGrowing(passes.slice(3).reverse()), String(passes));
  assert.ok((passes[3] as number) > (passes[2] as number), "a wider network learns for more passes");
  assert.deepEqual(plans[3]?.model.embeddings, { origin: 16 });
});

test("numbers have as many bins as rows and columns allow", () => {
  const binsOf = (numNumeric: number, numTrain: number) => {
    const numeric = Array.from({ length: numNumeric }, (_, i) => ({ ...features[1], name: `n${i}` }));
    return choosePlan(given({ numTrain, features: numeric })).model.numericEmbedding;
  };
  assert.deepEqual(binsOf(3, 100_000), { kind: "piecewise", bins: 64 });
  assert.deepEqual(binsOf(3, 20_000), { kind: "piecewise", bins: 16 });
  assert.deepEqual(binsOf(3, 500), { kind: "piecewise", bins: 8 });
  assert.deepEqual(binsOf(100, 100_000), { kind: "piecewise", bins: 8 });
  assert.deepEqual(binsOf(1000, 100_000), { kind: "piecewise", bins: 4 });
  assert.equal(binsOf(0, 100_000), undefined);
});

test("numbers are learned without dropout, and their frequent names with less decay", () => {
  const names = (["origin", "tail"] as const).map((name, i) => ({ ...features[0], name, numIds: [100, 5000][i] ?? 0 }));
  const date = { ...features[0], name: "date", numIds: 367, isDate: true } as const;
  const of = (task: PlanFor["task"], numTrain: number) => {
    const { model, optimizer } = choosePlan(given({ task, numTrain, features: [...names, date] }));
    return [model.dropout, optimizer.weightDecay];
  };
  const except = ["*.bias", "*.scale"];
  assert.deepEqual(of("regression", 10_000), [undefined, { rate: 0.3, rates: { "embeddings.tail": 2 }, except }]);
  assert.deepEqual(of("regression", 600_000), [undefined, { rate: 0.3, except }]);
  assert.deepEqual(of("binary", 10_000), [0.1, { rate: 0.3, rates: { "embeddings.*": 2 }, except }]);
});

test("members are as many as the rows and the task allow", () => {
  const of = (task: PlanFor["task"], numTrain: number) => {
    const { model } = choosePlan(given({ task, numTrain }));
    return model.kind === "tabm" ? model.members : 1;
  };
  assert.deepEqual([of("binary", 10_000), of("binary", 10_001)], [8, 1]);
  assert.deepEqual([of("regression", 10_000), of("regression", 10_001), of("regression", 100_001)], [8, 4, 1]);
});

test("groups train on all rows where copies of them fit, more groups where cores are many, and one where they are few", () => {
  const one = choosePlan(given({}));
  assert.deepEqual([one.numGroups, one.regime], [1, "all"]);
  assert.match(one.reasons.groups, /^one on 2 cores, on all rows: .* churn/);
  const { numGroups, regime, reasons } = choosePlan(given({ cores: 4 }));
  assert.deepEqual([numGroups, regime], [2, "all"]);
  assert.match(reasons.groups, /^2 on 4 cores that teach one another, each on all rows, .* churn/);
  assert.equal(choosePlan(given({ cores: 4, numTrain: 1e8, memoryBytes: 8e9 })).regime, "disjoint");
  assert.equal(choosePlan(given({ cores: 32 })).numGroups, 4);
});

test("every plan is one that can be trained", () => {
  fc.assert(
    fc.property(
      fc.record({
        numTrain: fc.integer({ min: 1, max: 1e9 }),
        numClasses: fc.integer({ min: 0, max: 1000 }),
        cores: fc.integer({ min: 1, max: 256 }),
        memoryBytes: fc.integer({ min: 1e8, max: 1e12 }),
      }),
      (changes) => {
        const plan = choosePlan(given(changes));
        const perGroup = plan.regime === "all" ? changes.numTrain : Math.floor(changes.numTrain / plan.numGroups);
        assert.ok(plan.globalBatchSize <= Math.max(1, perGroup), "a batch fits into a shard");
        for (const size of [
          plan.numSteps,
          plan.globalBatchSize,
          plan.validationInterval,
          plan.logInterval,
          plan.exchangeInterval,
        ])
          assert.ok(Number.isInteger(size) && size >= 1, JSON.stringify(plan));
        assert.ok(plan.exchangeInterval <= plan.numSteps / 2 && plan.validationInterval <= plan.numSteps);
      },
    ),
  );
});

describe("a budget", () => {
  const plan = choosePlan(given({}));

  test("that is enough changes nothing, and the duration is steps, teachers, validations and the start", () => {
    const { plan: same, seconds } = withinBudget(plan, 0.01, 0, 1e6);
    assert.equal(same, plan);
    assert.ok(Math.abs(seconds - (4 + plan.numSteps * 0.01)) < 1e-9);
    const two = withinBudget(choosePlan(given({ cores: 4 })), 0.01, 0, 1e6);
    assert.ok(Math.abs(two.seconds - (4 + plan.numSteps * 0.01 * (1 + 1 / 6))) < 1e-9, "a teacher");
    assert.ok(withinBudget(plan, 0.01, 10_000, 1e6).seconds > seconds);
  });

  test("that is not cuts the steps, and says so", () => {
    const { plan: cut, seconds } = withinBudget(plan, 0.1, 10_000, 120);
    assert.ok(seconds <= 120 && seconds > 110, String(seconds));
    assert.ok(cut.numSteps < plan.numSteps && cut.validationInterval < plan.validationInterval);
    assert.match(cut.reasons.steps, /instead of .*, to stay within 2:00; a longer --time-budget/);
    assert.equal(withinBudget(plan, 10, 10_000, 120).plan.numSteps, 200, "too few steps teach nothing");
  });

  test("of the command leaves what reading twice, starting and scoring do not take, and is the end of training", () => {
    assert.equal(trainingSeconds(60, 3), 60 - 2 * 3 - 4);
    assert.throws(
      () => trainingSeconds(11, 3),
      /--time-budget: must leave at least 2 s for training, and of 0:11 about 0:10 .*; give 0:12 or more/,
    );
    assert.equal(trainingSeconds(60, 3.02), 50);
  });
});
