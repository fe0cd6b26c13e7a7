/** Figures over all rows of a cross-validation, each predicted by the model of the fold that tests it. */
import { availableParallelism } from "node:os";
import type { LabelStatistics } from "../../data/table.js";
import type { Metrics } from "../../log/events.js";
import type { TableRunConfig } from "../../run/kinds/table.js";
import { tableLearner } from "../../run/learner.js";
import type { BestParams } from "../../run/score.js";
import { paramsPredictor } from "../../run/score-table.js";
import { joined } from "../../runtime/array.js";
import type { Predictions } from "../../train/evaluate.js";
import { type Floats, totalOf } from "../../train/metrics.js";
import { regressionTask, type Task } from "../../train/task.js";
import { threadedEngine } from "../ort/threaded-engine.js";
import { prepareTable } from "./ingest.js";
import { tableSpecOf } from "./table-reader.js";

/** A fold that was trained: its configuration, and the params that it ships. */
export interface TrainedFold {
  readonly config: TableRunConfig;
  readonly best: BestParams;
}

export interface OutOfFold {
  readonly rows: number;
  readonly metrics: { readonly loss: number } & Metrics;
}

interface Tested {
  readonly task: Task;
  readonly labels: LabelStatistics | undefined;
  /** With weights as the source has them. */
  readonly predictions: Predictions;
}

/**
 * Predict the test rows of every fold by its own model, and measure all of them together. The loss is the mean of the
 * folds' losses, by the weights of their rows. Null where the folds have learned different classes, so that their
 * predictions cannot be put together.
 *
 * Throws what {@link prepareTable} throws; a fold's data is read from its cache, which is made again where it is gone.
 */
export async function outOfFold(
  folds: readonly TrainedFold[],
  options: { readonly cacheFolder: string; readonly signal: AbortSignal },
): Promise<OutOfFold | null> {
  const tested: Tested[] = [];
  for (const fold of folds) tested.push(await testedFold(fold, options));
  const [first] = tested;
  if (!first) return null;
  const isAlike = tested.every(({ labels }) => classNames(labels) === classNames(first.labels));
  if (!isAlike) return null;
  const all = together(tested);
  const task = first.task.kind === "regression" ? regressionTask({}) : first.task;
  const weightOf = ({ labels, weights }: Predictions) => totalOf(labels.length, weights);
  const sum = tested.reduce(
    (total, { task: own, predictions }) => total + weightOf(predictions) * own.measure(predictions).loss,
    0,
  );
  return { rows: all.labels.length, metrics: { ...task.measure(all), loss: sum / weightOf(all) } };
}

async function testedFold(
  { config, best }: TrainedFold,
  options: { readonly cacheFolder: string; readonly signal: AbortSignal },
): Promise<Tested> {
  const { preprocessing, test } = await prepareTable(tableSpecOf(config), options);
  const { labels, meanWeight } = preprocessing;
  const learner = tableLearner(config, preprocessing);
  const engine = threadedEngine({ threads: availableParallelism() });
  try {
    const predict = await paramsPredictor(engine, learner);
    const { weights, ...predictions } = await predict(best, test, options.signal);
    const own = weights && Float64Array.from(weights, (weight) => weight * (meanWeight ?? 1));
    return { task: learner.task, labels, predictions: { ...predictions, weights: own } };
  } finally {
    await engine.close();
  }
}

function classNames(labels: LabelStatistics | undefined): string {
  return labels?.kind === "classes" ? JSON.stringify(labels.classes) : "";
}

/** All predictions one after another; numbers are in the unit of the label, whatever the shift with which a fold keeps them. */
function together(tested: readonly Tested[]): Predictions {
  const ofAll = (of: (fold: Tested) => Floats) => joined(Float64Array, tested.map(of));
  const unshifted = (of: "probs" | "labels") => (fold: Tested) => {
    const { center, scale } = shiftOf(fold.labels);
    return Float64Array.from(fold.predictions[of] as Floats, (value) => center + scale * value);
  };
  const hasWeights = tested.every(({ predictions }) => predictions.weights !== undefined);
  return {
    probs: ofAll(unshifted("probs")),
    labels: ofAll(unshifted("labels")),
    weights: hasWeights ? ofAll(({ predictions: { weights } }) => weights as Floats) : undefined,
  };
}

function shiftOf(labels: LabelStatistics | undefined) {
  const none = { center: 0, scale: 1 };
  return labels?.kind === "numbers" ? (labels.shift ?? none) : none;
}
