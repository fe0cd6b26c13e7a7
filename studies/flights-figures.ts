/** What the runs of the flights study came to: the figures of its report, computed from the files of the runs. */

import { type Interval, jackknifeInterval, studentInterval } from "../src/study/intervals.js";
import { mean, std } from "../src/study/statistics.js";
import { meanAbsoluteDifference, meanOfProbs } from "../src/train/metrics.js";
import { binaryTask } from "../src/train/task.js";
import type { Trial } from "./arms.js";
import { type GroupOutcome, readOutcome, readPredictions, type TrialOutcome } from "./trial.js";

/** A trial that is done, and where. */
export interface DoneTrial {
  readonly trial: Trial;
  readonly folder: string;
}

/** An arm at one number of steps: each value is that of a seed, the mean of its groups. */
export interface ArmFigures {
  readonly arm: string;
  readonly steps: number;
  readonly seeds: readonly number[];
  readonly loss: readonly number[];
  /** The loss on the last week of May, by which params are chosen; null of ensembles, which are not validated. */
  readonly validationLoss: readonly number[] | null;
  readonly auc: readonly number[];
  readonly calibrationError: readonly number[];
  readonly seconds: number | null;
  /** Mean absolute difference of test probabilities between models of two seeds, over all pairs; null of one seed. */
  readonly churn: Interval | null;
  /** The same over that of `single`; null where one of them is missing. */
  readonly churnRatio: Interval | null;
  /** Each seed's loss less that of another arm with the same seed, by the arm's name. */
  readonly lossLess: Readonly<Record<string, Interval>>;
}

export interface FlightsFigures {
  readonly outcomes: readonly TrialOutcome[];
  readonly arms: readonly ArmFigures[];
  readonly targets: readonly { readonly what: string; readonly value: number; readonly isReached: boolean }[];
}

export const SINGLE = "single";
export const TWICE = "twice-the-batch";
export const CODISTILLED = "codistilled";
/** Means of the two models of a run. */
export const ensembleOf = (arm: string) => `ensemble of ${arm}`;

/** A model of one seed, or the groups of a run: losses and what it predicts. */
interface Model {
  readonly seed: number;
  readonly measured: readonly Pick<GroupOutcome, "testLoss" | "testAuc" | "testCalibrationError">[];
  readonly validationLoss: number | null;
  readonly probs: Float32Array;
}

export function flightsFigures(done: readonly DoneTrial[]): FlightsFigures {
  const steps = [...new Set(done.map(({ trial }) => trial.steps))].sort((a, b) => b - a);
  const arms = steps.flatMap((count) =>
    armsAt(
      count,
      done.filter(({ trial }) => trial.steps === count),
    ),
  );
  return { outcomes: done.map(({ folder }) => readOutcome(folder)), arms, targets: targetsOf(arms) };
}

function armsAt(steps: number, done: readonly DoneTrial[]): ArmFigures[] {
  const names = [...new Set(done.map(({ trial }) => trial.arm.name))];
  const models = new Map(names.map((name) => [name, modelsOf(done.filter(({ trial }) => trial.arm.name === name))]));
  for (const name of [SINGLE, CODISTILLED]) {
    const own = done.filter(({ trial }) => trial.arm.name === name);
    if (own.length > 0) models.set(ensembleOf(name), ensemblesOf(own));
  }
  const differences = new Map([...models].map(([name, own]) => [name, pairwise(own)]));
  return [...models].map(([arm, own]) => ({
    arm,
    steps,
    seeds: own.map(({ seed }) => seed),
    loss: own.map(({ measured }) => mean(measured.map(({ testLoss }) => testLoss))),
    validationLoss: own.some(({ validationLoss }) => validationLoss === null)
      ? null
      : own.map(({ validationLoss }) => validationLoss ?? Number.NaN),
    auc: own.map(({ measured }) => mean(measured.map(({ testAuc }) => testAuc))),
    calibrationError: own.map(({ measured }) => mean(measured.map((one) => one.testCalibrationError))),
    seconds: secondsOf(arm, done),
    ...churnOf(own, differences.get(arm), models.get(SINGLE), differences.get(SINGLE)),
    lossLess: Object.fromEntries(
      [SINGLE, TWICE].flatMap((other) => {
        const interval = other === arm ? null : lossDifference(own, models.get(other) ?? []);
        return interval ? [[other, interval]] : [];
      }),
    ),
  }));
}

function modelsOf(done: readonly DoneTrial[]): Model[] {
  return done.map(({ trial, folder }) => ({
    seed: trial.seed,
    measured: readOutcome(folder).groups,
    validationLoss: mean(readOutcome(folder).groups.map(({ validationLoss }) => validationLoss)),
    probs: readPredictions(folder, 0),
  }));
}

function ensemblesOf(done: readonly DoneTrial[]): Model[] {
  const { measure } = binaryTask();
  return done.map(({ trial, folder }) => {
    const probs = meanOfProbs(readOutcome(folder).groups.map(({ group }) => readPredictions(folder, group)));
    const {
      loss,
      auc = Number.NaN,
      calibrationError = Number.NaN,
    } = measure({
      probs,
      labels: readPredictions(folder, "labels"),
    });
    const measured = { testLoss: loss, testAuc: auc, testCalibrationError: calibrationError };
    return { seed: trial.seed, measured: [measured], validationLoss: null, probs };
  });
}

function secondsOf(arm: string, done: readonly DoneTrial[]): number | null {
  const own = done.filter(({ trial }) => trial.arm.name === arm);
  return own.length === 0 ? null : mean(own.map(({ folder }) => readOutcome(folder).seconds));
}

/** By the seeds of a pair. */
type Differences = ReadonlyMap<string, number>;
const pairOf = (a: number, b: number) => `${Math.min(a, b)} ${Math.max(a, b)}`;

function pairwise(models: readonly Model[]): Differences {
  return new Map(
    models.flatMap((a, i) =>
      models.slice(i + 1).map((b) => [pairOf(a.seed, b.seed), meanAbsoluteDifference(a.probs, b.probs)] as const),
    ),
  );
}

/** The mean over all pairs of some seeds. */
function meanOver(differences: Differences, seeds: readonly number[]): number {
  return mean(seeds.flatMap((a, i) => seeds.slice(i + 1).map((b) => differences.get(pairOf(a, b)) ?? Number.NaN)));
}

function churnOf(
  models: readonly Model[],
  own: Differences | undefined,
  singles: readonly Model[] | undefined,
  single: Differences | undefined,
): Pick<ArmFigures, "churn" | "churnRatio"> {
  const seeds = models.map(({ seed }) => seed);
  // The jackknife leaves one out, and a pair must remain.
  if (!own || seeds.length < 3) return { churn: null, churnRatio: null };
  const churn = jackknifeInterval(seeds, (some) => meanOver(own, some));
  const common = seeds.filter((seed) => singles?.some((one) => one.seed === seed));
  if (!single || own === single || common.length < 3) return { churn, churnRatio: null };
  return { churn, churnRatio: jackknifeInterval(common, (some) => meanOver(own, some) / meanOver(single, some)) };
}

function lossDifference(models: readonly Model[], others: readonly Model[]): Interval | null {
  const lossOf = ({ measured }: Model) => mean(measured.map(({ testLoss }) => testLoss));
  const differences = models.flatMap((model) => {
    const other = others.find(({ seed }) => seed === model.seed);
    return other ? [lossOf(model) - lossOf(other)] : [];
  });
  return differences.length < 2 ? null : studentInterval(differences);
}

/** The mean and the standard deviation over the seeds. */
export function spread(values: readonly number[]): { readonly mean: number; readonly std: number } {
  return { mean: mean(values), std: std(values) };
}

/** What the method promises on this problem at the recipe's number of steps. */
export const STEPS = 3660;

function targetsOf(arms: readonly ArmFigures[]): FlightsFigures["targets"] {
  const own = arms.find(({ arm, steps }) => arm === CODISTILLED && steps === STEPS);
  if (!own) return [];
  const target = (what: string, value: number | undefined, most: number) =>
    value === undefined ? [] : [{ what, value, isReached: value <= most }];
  return [
    ...target("log loss of a codistilled model, at most 0.457", mean(own.loss), 0.457),
    ...target("less that of single, at most -0.006", own.lossLess[SINGLE]?.value, -0.006),
    ...target("less that of twice the batch, at most +0.001", own.lossLess[TWICE]?.value, 0.001),
    ...target("churn over that of single, at most 0.8", own.churnRatio?.value, 0.8),
  ];
}
