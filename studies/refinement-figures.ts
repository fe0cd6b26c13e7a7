/** What of each arm's gain on the flights is calibration and what is refinement, from the predictions that runs have kept. */

import { rootKey, uniform } from "../src/runtime/random.js";
import { type Interval, ratioInterval, studentInterval } from "../src/study/intervals.js";
import { mean } from "../src/study/statistics.js";
import type { Predictions } from "../src/train/evaluate.js";
import { auc, logLoss, meanOfProbs } from "../src/train/metrics.js";
import { isotonic, type Scaling, scaled, scalingOf } from "../src/train/recalibration.js";
import { binaryCalibration } from "../src/train/temperature.js";
import { CODISTILLED, type DoneTrial, ensembleOf, SINGLE } from "./flights-figures.js";
import { readOutcome, readPredictions, type ScoredSplit } from "./trial.js";

/** What is measured on the test split: log losses in nats, and the area under the ROC curve. */
export const measures = ["loss", "tempered", "scaled", "refinement", "isotonic", "auc"] as const;
export type Measure = (typeof measures)[number];
/** What a measure is called in tables. */
export const measureWords: Readonly<Record<Measure, string>> = {
  loss: "log loss",
  tempered: "temperature",
  scaled: "temperature, bias",
  refinement: "refinement",
  isotonic: "isotonic",
  auc: "AUC",
};
/** Log losses, in the order of ever more recalibration. */
export const losses = measures.filter((measure) => measure !== "auc");

/** Of a model, or the mean of the models of a run. */
export interface Measured extends Readonly<Record<Measure, number>> {
  /** The one that fits validation best. */
  readonly temperature: number;
  /** Those that fit validation best, and the test split itself. */
  readonly ofValidation: Scaling;
  readonly ofTest: Scaling;
}

/** An arm: what each seed came to, the mean of its groups, and how that compares with `single` and the ensemble of it. */
export interface RefinedArm {
  readonly arm: string;
  readonly seeds: readonly number[];
  readonly measured: readonly Measured[];
  /** Each seed's measure less that of `single`, with Student's interval; null of `single` and where there are too few seeds. */
  readonly less: Readonly<Record<Measure, Interval>> | null;
  /** Of the gain in log loss over `single`: how much of it is in the refinement, and the share that is. */
  readonly refined: { readonly calibration: Interval; readonly refinement: Interval; readonly share: Interval } | null;
  /** Which share of the gain of the ensemble of two that train alone is kept; null of that ensemble too. */
  readonly kept: Readonly<Record<Measure, Interval>> | null;
}

/** The figures of all arms, in the order of the trials, then of the ensembles of some. */
export function refinementFigures(
  done: readonly DoneTrial[],
  tell: (arm: string) => void = () => {},
  inEnsembles: readonly string[] = [SINGLE, CODISTILLED],
): RefinedArm[] {
  const ofArm = (name: string) => done.filter(({ trial }) => trial.arm.name === name);
  const arms = new Map(
    [...new Set(done.map(({ trial }) => trial.arm.name))].map((name) => [name, seedsOf(name, ofArm(name), false)]),
  );
  for (const name of inEnsembles) {
    const own = ofArm(name);
    if (own.length > 0) arms.set(ensembleOf(name), seedsOf(ensembleOf(name), own, true));
  }
  return [...arms].map(([arm, own]) => ({
    arm,
    seeds: [...own.keys()],
    measured: [...own.values()],
    ...compared(own, arm === SINGLE ? undefined : arms.get(SINGLE), arms.get(ensembleOf(SINGLE))),
  }));

  function seedsOf(arm: string, own: readonly DoneTrial[], isEnsemble: boolean): ReadonlyMap<number, Measured> {
    tell(arm);
    return new Map(own.map(({ trial, folder }) => [trial.seed, measuredRun(folder, isEnsemble)]));
  }
}

function measuredRun(folder: string, isEnsemble: boolean): Measured {
  const groups = readOutcome(folder).groups.map(({ group }) => group);
  const models = isEnsemble ? [groups] : groups.map((group) => [group]);
  return meanOfModels(
    models.map((members) => {
      const predictions = (split: ScoredSplit): Predictions => ({
        probs: meanOfProbs(members.map((group) => readPredictions(folder, group, split))),
        labels: readPredictions(folder, "labels", split),
      });
      return measured(predictions("validation"), predictions("test"));
    }),
  );
}

/** Of one model. Throws what {@link scalingOf} throws. */
export function measured(validation: Predictions, test: Predictions): Measured {
  const { labels } = test;
  const temperature = binaryCalibration().fit(validation);
  const [ofValidation, ofTest] = [scalingOf(validation), scalingOf(test)];
  return {
    temperature,
    ofValidation,
    ofTest,
    loss: logLoss(test.probs, labels),
    tempered: logLoss(scaled(test.probs, { temperature, bias: 0 }), labels),
    scaled: logLoss(scaled(test.probs, ofValidation), labels),
    refinement: logLoss(scaled(test.probs, ofTest), labels),
    isotonic: logLoss(isotonic(test), labels),
    auc: auc(test.probs, labels),
  };
}

/** What isotonic regression owes to the chance of the labels that it is fitted to. */
export interface Overfit {
  /** Of how many values its fit to the labels is. */
  readonly numLevels: number;
  /** By how much its loss is below that of the true probabilities, in nats: of labels drawn by that fit, to which it is fitted anew. */
  readonly loss: number;
}

/** Of the first group of a run. */
export function overfitOf({ trial, folder }: DoneTrial): Overfit {
  const test = { probs: readPredictions(folder, 0), labels: readPredictions(folder, "labels") };
  const truth = isotonic(test);
  const draws = uniform(rootKey(trial.seed), truth.length);
  const labels = Float64Array.from(truth, (p, i) => Number((draws[i] as number) < p));
  const again = isotonic({ probs: test.probs, labels });
  return { numLevels: new Set(truth).size, loss: logLoss(truth, labels) - logLoss(again, labels) };
}

function meanOfModels(models: readonly Measured[]): Measured {
  const meanBy = (value: (model: Measured) => number) => mean(models.map(value));
  const scalingBy = (of: "ofValidation" | "ofTest"): Scaling => ({
    temperature: meanBy((model) => model[of].temperature),
    bias: meanBy((model) => model[of].bias),
  });
  return {
    ...byMeasure((measure) => meanBy((model) => model[measure])),
    temperature: meanBy(({ temperature }) => temperature),
    ofValidation: scalingBy("ofValidation"),
    ofTest: scalingBy("ofTest"),
  };
}

function byMeasure<T>(of: (measure: Measure) => T): Readonly<Record<Measure, T>> {
  return Object.fromEntries(measures.map((measure) => [measure, of(measure)])) as Record<Measure, T>;
}

type BySeed = ReadonlyMap<number, Measured>;

/** An interval needs two seeds. */
const LEAST_SEEDS = 2;

function compared(
  own: BySeed,
  single: BySeed | undefined,
  ensemble: BySeed | undefined,
): Pick<RefinedArm, "less" | "refined" | "kept"> {
  const pairs = [...own].flatMap(([seed, arm]) => {
    const base = single?.get(seed);
    return base ? [{ arm, base, best: ensemble?.get(seed) }] : [];
  });
  if (pairs.length < LEAST_SEEDS) return { less: null, refined: null, kept: null };
  const gain = (measure: Measure) => (pair: { readonly arm: Measured; readonly base: Measured }) =>
    pair.base[measure] - pair.arm[measure];
  const calibration = (pair: (typeof pairs)[number]) => gain("loss")(pair) - gain("refinement")(pair);
  const complete = pairs.flatMap(({ arm, base, best }) => (best ? [{ arm, base, best }] : []));
  return {
    less: byMeasure((measure) => studentInterval(pairs.map(({ arm, base }) => arm[measure] - base[measure]))),
    refined: {
      calibration: studentInterval(pairs.map(calibration)),
      refinement: studentInterval(pairs.map(gain("refinement"))),
      share: ratioInterval(pairs, gain("refinement"), gain("loss")),
    },
    kept:
      own === ensemble || complete.length < LEAST_SEEDS
        ? null
        : byMeasure((measure) =>
            ratioInterval(complete, gain(measure), ({ base, best }) => base[measure] - best[measure]),
          ),
  };
}
