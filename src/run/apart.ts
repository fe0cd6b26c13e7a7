/** How far models of one configuration are apart on the test split, and what of a loss recalibration would take away. */
import type { Rows } from "../data/records.js";
import type { Corpus } from "../data/text/corpus.js";
import type { Engine } from "../engine/engine.js";
import { DataError } from "../errors.js";
import { classLogLoss } from "../train/class-metrics.js";
import type { Pass, Predictions } from "../train/evaluate.js";
import { textScorer } from "../train/evaluate-text.js";
import { weightState } from "../train/graphs.js";
import { logLoss, meanOfProbs, shareOf } from "../train/metrics.js";
import { scaled, scalingOf } from "../train/recalibration.js";
import { classCalibration } from "../train/temperature.js";
import type { TextRunConfig } from "./kinds/text.js";
import type { RunLearner } from "./learner.js";
import type { BestParams } from "./score.js";
import { paramsPredictor } from "./score-table.js";
import type { RunSpec } from "./specs.js";
import type { TaskConfig } from "./task-schema.js";
import { textBatch } from "./text-network.js";

/** Two of several models, by index, on the test split. */
export interface PairApart {
  readonly of: readonly [number, number];
  /** Mean absolute difference of predictions; of classes and tokens half its sum over them. */
  readonly distance: number;
  /** The share of decisions that differ; of numbers the distance. */
  readonly changed: number;
  /** The shares of rows or tokens whose decision is wrong in the first and right in the second, and the reverse; left out of numbers. */
  readonly good?: number;
  readonly bad?: number;
}

export interface ModelsApart {
  /** Null where several models together make one and it cannot be measured. */
  readonly pairs: readonly PairApart[] | null;
  /**
   * Of each model the log loss on the test split after the best recalibration on the test split itself: of two classes by a temperature
   * and a bias, of more by a temperature. Null where labels are no classes of examples, or rows or classes have weights.
   */
  readonly refinementLosses: readonly number[] | null;
}

/** Models, each the mean of the predictions of some params. */
export type Members = readonly (readonly Pick<BestParams, "params" | "temperature">[])[];

/** Of models of labelled examples, as rows of a table and images. Rejects with the signal's reason when the signal cancels it. */
export async function examplesApart(
  engine: Engine,
  learner: RunLearner,
  taskConfig: TaskConfig,
  models: Members,
  test: Rows | Pass,
  signal?: AbortSignal,
): Promise<ModelsApart> {
  const predict = await paramsPredictor(engine, learner);
  const { task } = learner;
  const predicted: (Predictions & { readonly probs: Float32Array })[] = [];
  for (const members of models) {
    const all: (Predictions & { readonly probs: Float32Array })[] = [];
    for (const best of members) all.push(await predict(best, test, signal));
    const [first] = all;
    if (!first) throw new Error("internal: a model has no params");
    predicted.push(all.length === 1 ? first : { ...first, probs: meanOfProbs(all.map(({ probs }) => probs)) });
  }
  const right = task.isRight && predicted.map(task.isRight);
  const pairs = pairsOf(models.length).map(([a, b]) => {
    const [one, other] = [predicted[a]?.probs, predicted[b]?.probs] as [Float32Array, Float32Array];
    const turned = (from: number, to: number) => {
      const [before, after] = [right?.[from] ?? [], right?.[to] ?? []];
      return shareOf(before.length, (i) => before[i] === 0 && after[i] === 1);
    };
    return {
      ...{ of: [a, b] as const, distance: task.distance(one, other), changed: task.churn(one, other) },
      ...(right && { good: turned(a, b), bad: turned(b, a) }),
    };
  });
  const refined = predicted.map((of) => refinementLoss(taskConfig, of));
  return { pairs, refinementLosses: refined.every((loss) => loss !== null) ? refined : null };
}

function refinementLoss(task: TaskConfig, predictions: Predictions): number | null {
  if (task.kind === "regression" || task.classWeights !== undefined || predictions.weights) return null;
  const { probs, labels } = predictions;
  if (task.kind === "multiclass") {
    const { fit, apply } = classCalibration(probs.length / labels.length);
    return classLogLoss(apply(Float32Array.from(probs), fit(predictions)), labels);
  }
  try {
    return logLoss(scaled(probs, scalingOf(predictions)), labels);
  } catch (error) {
    // Of labels that are all the same, or told without error, no recalibration is the best.
    if (error instanceof DataError) return null;
    throw error;
  }
}

/** Of language models, two side by side at a time. Rejects with the signal's reason when the signal cancels it. */
export async function textApart(
  engine: Engine,
  config: TextRunConfig,
  { learner: { model } }: RunSpec,
  models: Members,
  test: Corpus,
  signal?: AbortSignal,
): Promise<ModelsApart> {
  if (models.some((members) => members.length !== 1)) return { pairs: null, refinementLosses: null };
  const prefixes = ["one", "other"].map((name) => ({ params: `${name}.params`, buffers: `${name}.buffers` }));
  const score = await textScorer(engine, model, prefixes, textBatch(config));
  const pairs: PairApart[] = [];
  for (const [a, b] of pairsOf(models.length)) {
    for (const [place, at] of [a, b].entries()) {
      const params = models[at]?.[0]?.params;
      if (params) await engine.write(weightState(model, params, prefixes[place]?.params));
    }
    const { models: scores, disagreement, churn, bothRight } = await score(test, signal);
    const turned = (place: number) => (scores[place]?.accuracy ?? Number.NaN) - (bothRight ?? Number.NaN);
    pairs.push({
      ...{ of: [a, b], distance: disagreement ?? Number.NaN, changed: churn ?? Number.NaN },
      ...{ good: turned(1), bad: turned(0) },
    });
  }
  return { pairs, refinementLosses: null };
}

function pairsOf(count: number): (readonly [number, number])[] {
  const all = Array.from({ length: count }, (_, i) => i);
  return all.flatMap((a) => all.slice(a + 1).map((b) => [a, b] as const));
}
