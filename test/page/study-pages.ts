/** Reports of every kind of study, as pages: of made-up outcomes with all that such a report can hold. */
import type { Page } from "../../src/report/page/blocks.js";
import { applyOverrides, resolveConfig } from "../../src/run/config.js";
import { fold, normal, rootKey } from "../../src/runtime/random.js";
import { type Arm, chosenArms } from "../../src/study/arms.js";
import type { Apart, Measured, Outcome } from "../../src/study/outcome.js";
import { studyPage } from "../../src/study/pages.js";
import { scaleFigures } from "../../src/study/scale/figures.js";
import { scalePage } from "../../src/study/scale/page.js";
import type { ScaleOutcome } from "../../src/study/scale/question.js";
import type { Study } from "../../src/study/study.js";
import { sweepOf } from "../../src/study/sweep.js";
import { settingOf } from "../../src/study/sweeps.js";

const given = {
  name: "rides",
  data: { source: "rides/2026-*.parquet", label: "late", numeric: { km: "km" }, split: { kind: "rows" } },
  model: { kind: "mlp", hidden: [64, 32] },
  optimizer: { kind: "adam", learningRate: 1e-3 },
  numSteps: 2000,
  globalBatchSize: 256,
} as const;
const base = resolveConfig(given);
const seeds = [1, 2, 3, 4, 5];
const about = { machine: "2 cores of a machine", made: "Measured today" };

/** A number of a name, with mean 0 and standard deviation 1. */
const drawn = (name: string) => normal(fold(rootKey(1), name), 1)[0] ?? 0;

function outcomesOf(arms: readonly Arm[]): Outcome[] {
  return arms.flatMap((arm, place) =>
    (arm.seed === undefined ? seeds : [arm.seed]).map((seed): Outcome => {
      const testLoss = 0.46 - 0.002 * place + 0.0006 * drawn(`${arm.name} ${seed}`) + 0.001 * drawn(`seed ${seed}`);
      const curve = Array.from({ length: 20 }, (_, i) => ({
        step: 100 * (i + 1),
        loss: testLoss + 0.1 / (i + 1),
        seconds: 3 * (i + 1),
      }));
      return {
        ...{ arm: arm.name, seed, step: 1900, test: { testLoss, testAuc: 1.1 - testLoss } },
        ...{
          meanTestLoss: testLoss + 0.001,
          curve: arm.ensembleOf === undefined ? curve : [],
          seconds: 60,
          bytes: 4e6,
        },
      };
    }),
  );
}

function apartOf(arms: readonly Arm[]): Apart[] {
  const trained = arms.filter(({ seed }) => seed === undefined);
  return trained.flatMap(({ name }, place) => {
    const pair = (a: number, b: number): Apart => {
      const distance = 0.03 / (place + 1) + 0.0005 * drawn(`${name} ${a} ${b}`);
      return { arm: name, seeds: [a, b], distance, changed: distance, good: distance / 2, bad: distance / 2 };
    };
    const ofInUse = arms.some(({ seed }) => seed === 0) ? seeds.map((seed) => pair(0, seed)) : [];
    return [...ofInUse, ...seeds.flatMap((a) => seeds.filter((b) => b > a).map((b) => pair(a, b)))];
  });
}

function measuredOf(arms: readonly Arm[]): Measured {
  const outcomes = outcomesOf(arms);
  const refined = outcomes.map(({ arm, seed, test }) => ({ arm, seed, refinementLoss: test.testLoss - 0.001 }));
  return { task: "binary", lossName: "log loss", outcomes, apart: apartOf(arms), refined };
}

function pageOf(study: Study, arms: readonly Arm[], reference: string): Page {
  const configured = arms.map((arm) => ({
    ...arm,
    config: arm.ensembleOf === undefined ? resolveConfig(applyOverrides(given, arm.options)) : null,
  }));
  const facts = { study, base, arms: configured, seeds, reference, target: { kind: "reference" } as const, ...about };
  const commands = [`codistill ${study.kind} codistill.config.ts --set data.source=rides/2026-*.parquet`];
  const rows = { train: 120_000, validation: 20_000, test: 20_000 };
  const notes = ["codistilled: its weight was tuned on seeds 101 and 102"];
  return studyPage({ ...facts, commands, notes, open: ["codistilled-seed-5"], rows }, measuredOf(arms));
}

function sweep(): Page {
  const over = "staleness";
  const arms = chosenArms(["single", "codistilled"], [], base);
  const resolve = (options: readonly string[]) => resolveConfig(applyOverrides(given, options));
  const plan = sweepOf(over, settingOf(over, true), ["0", "50", "100", "250", "500"], arms, resolve);
  return pageOf(plan.study, plan.arms, plan.reference);
}

/** A run that comes to the target at a step, on a line from 1 to it. */
function scaleOutcome(workers: number, seed: number, steps: number): ScaleOutcome {
  const noise = Array.from({ length: 40 }, (_, i) => ({ part: 2 + (i % 3) / 50, step: 1.5, numSteps: 5 }));
  return {
    ...{ workers, doublings: Math.log2(workers), seed, numSteps: 2000, isDiverged: false, secondsPerStep: 0.01 },
    ...{ reduceSeconds: null, parts: workers, noise: workers > 1 ? noise : [], seconds: 10 },
    curve: [
      { step: 0, loss: 1 },
      { step: 2 * (steps + seed), loss: 0 },
    ],
  };
}

function scale(): Page {
  const question = { workers: [1, 2, 4, 8, 16], workerBatch: 256, rate: 1e-3, numSteps: 2000, seeds, target: 0.5 };
  const outcomes = [800, 420, 230, 140, 138].flatMap((steps, i) =>
    seeds.map((seed) => scaleOutcome(2 ** i, seed, steps)),
  );
  const link = { bytesPerSecond: 1.25e9, latencySeconds: 5e-5, isMeasured: false };
  const model = { computeSeconds: 0.01, gradientBytes: 1e6, link, spread: 0.1 };
  const second = {
    ...{ workers: 8, numSteps: 350, numSeeds: 5, lossName: "log loss", notes: [] },
    ensembleLessTwice: { value: -0.004, low: -0.006, high: -0.002 },
    codistilledLessTwice: { value: -0.002, low: -0.005, high: 0.001 },
    codistilledLessSingle: { value: -0.003, low: -0.004, high: -0.002 },
  };
  const facts = {
    ...{ base, question, outcomes, model, isTargetOwn: true, isCut: false, ...about },
    ...{
      rows: null,
      comparison: "runs/rides-scale/second-group-at-8",
      commands: ["codistill scale codistill.config.ts"],
    },
  };
  return scalePage(facts, scaleFigures(question, outcomes, model, second));
}

/** A page for each command that makes a report of several runs. */
export function studyPages(): Readonly<Record<"compare" | "churn" | "sweep" | "scale", Page>> {
  const compared = ["single", "twice-the-batch", "codistilled", "control-own", "ensemble"];
  return {
    compare: pageOf({ kind: "compare" }, chosenArms(compared, [], base), "single"),
    churn: pageOf({ kind: "churn" }, chosenArms(["single", "ensemble", "codistilled", "anchored"], [], base), "single"),
    sweep: sweep(),
    scale: scale(),
  };
}
