/** The end of a run on labelled examples: every group's best params scored once on those that test, alone and together. */
import type { Rows } from "../data/records.js";
import type { Engine } from "../engine/engine.js";
import type { RunResult } from "../log/events.js";
import type { NamedArrays } from "../runtime/array.js";
import { type Pass, type Predictions, passOver, predictAll, targetsOf } from "../train/evaluate.js";
import { predictGraph, stateNames, weightState } from "../train/graphs.js";
import { type Errors, keptErrors } from "../train/intervals.js";
import { meanOfProbs } from "../train/metrics.js";
import type { Task } from "../train/task.js";
import type { RunLearner } from "./learner.js";
import { asTestMetrics, type BestParams, checkParams, type ScoredGroup, scoredResult } from "./score.js";

/** Predicts examples by params of a learner, one set of them after another, each at its temperature where it has one. */
export async function paramsPredictor(engine: Engine, learner: RunLearner) {
  const program = await engine.compile(predictGraph(learner, stateNames.params));
  return async (best: Pick<BestParams, "params" | "temperature">, examples: Rows | Pass, signal?: AbortSignal) => {
    await engine.write(weightState(learner.model, best.params));
    const predictions = await predictAll(program, examples, signal);
    return { ...predictions, probs: tempered(learner.task, predictions.probs, best.temperature) };
  };
}

/**
 * Score the groups' best params, their ensemble (the mean of their predictions), and how far they disagree. Rejects with
 * the signal's reason when that cancels it.
 *
 * Throws {@link CheckpointError} when params are of another model.
 */
export function scoreTableRun(
  engine: Engine,
  learner: RunLearner,
  groups: readonly ScoredGroup[],
  test: Rows,
  shippedGroup: number,
  signal?: AbortSignal,
): Promise<RunResult> {
  const targets = learner.fixedTeachers ? targetsOf(test) : null;
  return scoreExamples(engine, learner, groups, { ...passOver(test), targets }, shippedGroup, signal);
}

/** {@link scoreTableRun} of any labelled examples; `targets` are what fixed teachers predict for them. */
export async function scoreExamples(
  engine: Engine,
  learner: RunLearner,
  groups: readonly ScoredGroup[],
  test: Pass & { readonly targets: Float32Array | null },
  shippedGroup: number,
  signal?: AbortSignal,
): Promise<RunResult> {
  const predict = await paramsPredictor(engine, learner);
  const { model, task } = learner;
  const probs: Float32Array[] = [];
  let rows: Omit<Predictions, "probs"> = { labels: new Float32Array() };
  for (const group of groups) {
    checkParams(model, group);
    const { probs: own, ...others } = await predict(group.best, test, signal);
    probs.push(own);
    rows = others;
  }
  const isSeveral = probs.length > 1;
  const { targets } = test;
  const shipped = probs[groups.findIndex(({ group }) => group === shippedGroup)];
  return {
    task: task.kind,
    lossName: task.lossName,
    ...scoredResult(groups, {
      models: probs.map((one) => task.measure({ probs: one, ...rows })),
      ensemble: isSeveral ? task.measure({ probs: meanOfProbs(probs), ...rows }) : null,
      disagreement: isSeveral ? meanOverPairs(probs, task.distance) : null,
      churn: isSeveral ? meanOverPairs(probs, task.churn) : null,
    }),
    ...(targets &&
      shipped && {
        teachers: {
          ...asTestMetrics(task.measure({ probs: targets, ...rows })),
          distance: task.distance(shipped, targets),
          churn: task.churn(shipped, targets),
        },
      }),
    shippedGroup,
    testRows: test.numRows,
  };
}

/** The errors of params on validation rows, from which intervals of numbers are made; null for classes. */
export async function validationErrors(
  engine: Engine,
  learner: RunLearner,
  params: NamedArrays,
  validation: Rows,
  signal?: AbortSignal,
): Promise<Errors | null> {
  const { errorScale } = learner.task;
  if (errorScale === null) return null;
  const predict = await paramsPredictor(engine, learner);
  return keptErrors(errorScale.errors(await predict({ params }, validation, signal)));
}

/** The probabilities at the temperature of a group's best params, where they have one. */
function tempered({ calibration }: Task, probs: Float32Array, temperature: number | undefined): Float32Array {
  return calibration && temperature !== undefined ? calibration.apply(probs, temperature) : probs;
}

function meanOverPairs<T>(items: readonly T[], measure: (a: T, b: T) => number): number {
  const values = items.flatMap((a, i) => items.slice(i + 1).map((b) => measure(a, b)));
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
