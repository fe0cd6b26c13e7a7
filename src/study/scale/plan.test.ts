import assert from "node:assert/strict";
import { test } from "node:test";
import { allWorkers, criticalBatch, isWorthless, limitOf } from "./limit.js";
import { nextArm, type PlannedArm } from "./plan.js";
import { type ScaleOutcome, type ScaleQuestion, stepsOf, targetOf } from "./question.js";

const TARGET = 0.5;
const question: ScaleQuestion = {
  workers: [1, 2, 4, 8, 16, 32, 64],
  workerBatch: 32,
  rate: 0.01,
  numSteps: 1000,
  seeds: [1, 2],
  target: TARGET,
};

/** A problem of which the steps to the target are known: S(B) at the best rate, which grows with the batch, and more beside it. */
interface World {
  readonly steps: (batch: number) => number;
  readonly bestDoublings: (workers: number) => number;
  /** Doublings from which on numbers are not finite. */
  readonly divergesFrom?: number;
}

/** A curve that falls in a straight line to the target at its steps, and goes on. */
function run({ steps, bestDoublings, divergesFrom = 99 }: World, arm: PlannedArm): ScaleOutcome {
  const off = Math.abs(arm.doublings - bestDoublings(arm.workers));
  const own = steps(arm.workers * question.workerBatch) * 1.5 ** off * (1 + (arm.seed - 1) / 50);
  const curve = Array.from({ length: arm.numSteps }, (_, i) => ({ step: i + 1, loss: 1 - (0.5 * (i + 1)) / own }));
  const at = curve.findIndex(({ loss }) => loss <= TARGET);
  const shown = at < 0 ? curve : curve.slice(0, at + 1);
  const isDiverged = arm.doublings >= divergesFrom;
  return {
    ...{ workers: arm.workers, doublings: arm.doublings, seed: arm.seed, numSteps: arm.numSteps, curve: shown },
    ...{ isDiverged, secondsPerStep: 0.01, reduceSeconds: null, parts: arm.workers, noise: [], seconds: 1 },
  };
}

function searched(world: World, asked: ScaleQuestion = question): { arms: PlannedArm[]; outcomes: ScaleOutcome[] } {
  const [arms, outcomes]: [PlannedArm[], ScaleOutcome[]] = [[], []];
  for (let arm = nextArm(asked, outcomes); arm !== null; arm = nextArm(asked, outcomes)) {
    assert.ok(arms.length < 200, "the search does not end");
    arms.push(arm);
    outcomes.push(run(world, arm));
  }
  return { arms, outcomes };
}

/** Steps of a critical batch of 200 examples. */
const critical: World = {
  steps: (batch) => 50 * (1 + 200 / batch),
  bestDoublings: (workers) => Math.log2(workers) / 2,
};
const rising: World = { ...critical, bestDoublings: (workers) => Math.floor(Math.log2(workers) / 2) };

test("a search ends one number of workers beyond its limit, at the best learning rates", () => {
  const { arms, outcomes } = searched(rising);
  const all = allWorkers(question, outcomes);
  // The last is the first above 0.9 of the one before.
  assert.deepEqual(
    all.map(({ workers, doublings, numShort }) => [workers, doublings, numShort]),
    question.workers.map((workers) => [workers, Math.floor(Math.log2(workers) / 2), 0]),
  );
  const steps = all.map((at) => at.bySeed[0] ?? Number.NaN);
  for (const [i, expected] of [362.5, 206.25, 128.125, 89.06, 69.53, 59.77, 54.88].entries())
    assert.ok(Math.abs((steps[i] ?? 0) - expected) < 1, `${steps[i]} is not ${expected}`);
  assert.deepEqual([limitOf(all).workers, limitOf(all).next], [32, 64]);
  assert.equal(
    new Set(arms.map(({ workers, doublings, seed }) => `${workers} ${doublings} ${seed}`)).size,
    arms.length,
  );
  assert.equal(nextArm(question, outcomes), null);
});

test("a problem with an early limit is not trained beyond it, and one without any to the last number", () => {
  const flat: World = { steps: (batch) => Math.max(200, 6400 / batch), bestDoublings: () => 0 };
  const { arms, outcomes } = searched(flat);
  assert.deepEqual([...new Set(arms.map(({ workers }) => workers))], [1, 2]);
  assert.deepEqual(limitOf(allWorkers(question, outcomes)).workers, 1);
  const endless: World = { steps: (batch) => 32_000 / batch, bestDoublings: () => 0 };
  const all = allWorkers(question, searched(endless).outcomes);
  assert.equal(all.at(-1)?.workers, 64);
  assert.deepEqual(limitOf(all), { workers: null, next: null, ratio: null });
});

test("no run is given more steps than the best before it took, and more workers no more than fewer took", () => {
  const { arms, outcomes } = searched(rising);
  for (const [i, arm] of arms.entries()) {
    if (arm.seed !== 1) continue;
    const before = outcomes.slice(0, i).filter((one) => one.workers === arm.workers && one.seed === 1);
    const reached = before.flatMap((one) => stepsOf(one, TARGET) ?? []);
    if (reached.length > 0) assert.ok(arm.numSteps <= Math.ceil(Math.min(...reached)), JSON.stringify(arm));
    const fewer = allWorkers(question, outcomes.slice(0, i)).find(({ workers }) => workers === arm.workers / 2);
    if (fewer?.steps) assert.ok(arm.numSteps <= Math.ceil(1.25 * fewer.steps.value), JSON.stringify(arm));
  }
});

test("a search that is asked again after any of its runs goes on as it would have", () => {
  const { arms, outcomes } = searched(rising);
  for (let done = 0; done <= arms.length; done++)
    assert.deepEqual(nextArm(question, outcomes.slice(0, done)), arms[done] ?? null);
  // More seeds train at the rates that were found, and search none again.
  const more = searched(rising, { ...question, seeds: [1, 2, 3] });
  const added = nextArm({ ...question, seeds: [1, 2, 3] }, outcomes);
  assert.deepEqual([added?.workers, added?.seed, added?.doublings], [1, 3, 0]);
  assert.equal(more.arms.length - arms.length, question.workers.length);
});

test("rates that diverge are not taken, and lower ones are tried where the own is too high", () => {
  const { outcomes } = searched({ ...critical, bestDoublings: () => -1, divergesFrom: 1 });
  const all = allWorkers(question, outcomes);
  assert.deepEqual([...new Set(all.map(({ doublings }) => doublings))], [-1]);
  const high = searched({ ...critical, divergesFrom: -1, bestDoublings: () => 0 });
  assert.equal(allWorkers(question, high.outcomes)[0]?.doublings, -2);
  // Where all diverge nothing is left that other seeds or more workers could do.
  const wild = searched({ ...critical, divergesFrom: -9, bestDoublings: () => 0 });
  assert.ok(wild.outcomes.every(({ seed, workers }) => seed === 1 && workers === 1));
});

test("the first run has all steps and sets the target, by the best of its first half", () => {
  const open = { ...question, target: null };
  const first = nextArm(open, []);
  assert.deepEqual([first?.workers, first?.doublings, first?.numSteps], [1, 0, 1000]);
  const losses = [0.9, 0.7, 0.8, 0.6, 0.5];
  const outcome = {
    ...run(rising, first as PlannedArm),
    curve: losses.map((loss, i) => ({ step: 200 * (i + 1), loss })),
  };
  assert.equal(targetOf(outcome, 1000), 0.7);
  assert.equal(targetOf({ ...outcome, isDiverged: true }, 1000), null);
  assert.equal(targetOf({ ...outcome, curve: outcome.curve.slice(3) }, 1000), null);
  assert.equal(nextArm(open, [outcome]), null, "without a target nothing more is trained");
});

test("a seed that does not come to the target counts with the steps that it was given, and is told", () => {
  const { outcomes } = searched(rising);
  const short = outcomes.map((one) => (one.seed === 2 && one.workers === 4 ? { ...one, curve: [] } : one));
  const at = allWorkers(question, short).find(({ workers }) => workers === 4);
  assert.equal(at?.numShort, 1);
  assert.equal(at?.bySeed[1], short.find((one) => one.seed === 2 && one.workers === 4)?.numSteps);
});

test("four times the workers must save more than twice as many do", () => {
  const at = (workers: number, steps: number) => ({
    ...{ workers, batch: workers, doublings: 0, rate: 1, bySeed: [steps], seeds: [1], numShort: 0, without: 0 },
    ...{ numRates: 1, steps: { value: steps, low: Number.NaN, high: Number.NaN } },
  });
  assert.ok(!isWorthless(at(1, 100), at(2, 90)));
  assert.ok(isWorthless(at(1, 100), at(2, 91)));
  assert.ok(!isWorthless(at(1, 100), at(4, 81)));
  assert.ok(isWorthless(at(1, 100), at(4, 82)));
  assert.ok(isWorthless(at(1, 100), { ...at(2, 0), steps: null }));
});

test("the critical batch is found again from the curve that it makes, and none where steps fall in proportion", () => {
  const batches = [32, 64, 128, 256, 512];
  const found = criticalBatch(batches.map((batch) => ({ batch, steps: 50 * (1 + 256 / batch) })));
  assert.ok(
    found && Math.abs(found.batch - 256) < 1e-6 && Math.abs(found.leastSteps - 50) < 1e-6,
    JSON.stringify(found),
  );
  assert.equal(criticalBatch(batches.map((batch) => ({ batch, steps: 32_000 / batch - 1 }))), null);
  assert.equal(criticalBatch([{ batch: 1, steps: 2 }]), null);
});
