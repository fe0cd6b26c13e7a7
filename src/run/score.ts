/** The end of a run: every group's best checkpoint scored once on the test split, alone and together. */

import { readGeneration } from "../checkpoint/generations.js";
import { checkVersion } from "../checkpoint/json.js";
import { openSafetensors } from "../checkpoint/seal.js";
import type { Store } from "../checkpoint/store.js";
import type { Rows } from "../data/table.js";
import type { Engine } from "../engine/engine.js";
import { CheckpointError } from "../errors.js";
import type { Metrics, RunResult, TestMetrics, TrainEvent } from "../log/events.js";
import { checkFit } from "../nn/fit.js";
import { type Model, weightSpecs } from "../nn/model.js";
import type { NamedArrays } from "../runtime/array.js";
import { type Predictions, predictAll } from "../train/evaluate.js";
import { predictGraph, stateNames, weightState } from "../train/graphs.js";
import { meanOfProbs } from "../train/metrics.js";
import { BEST_FORMAT, BEST_VERSION } from "./keeper.js";
import type { RunLearner } from "./learner.js";
import { groupFiles } from "./saved-group.js";

/** The params (and buffers) that a group would ship: its best by validation. */
export interface BestParams {
  readonly step: number;
  readonly validationLoss: number;
  readonly params: NamedArrays;
}

/**
 * A group's best params; null when it never came to a validation. Throws {@link DamagedError} when they are not as they were
 * written.
 */
export async function readBest(files: Store, name: string = groupFiles.best): Promise<BestParams | null> {
  const bytes = await files.get(name);
  if (!bytes) return null;
  const { tensors, metadata } = await openSafetensors(name, bytes);
  if (metadata.format !== BEST_FORMAT)
    throw new CheckpointError(`${name} is not a group's best params; its format is ${metadata.format ?? "not named"}`);
  checkVersion(name, Number(metadata.version ?? BEST_VERSION), BEST_VERSION);
  return { step: Number(metadata.step), validationLoss: Number(metadata.validationLoss), params: tensors };
}

/** The same of a group's own folder: of two generations the newest that is whole. Throws what {@link readGeneration} throws. */
export function readOwnBest(files: Store, group: number, log: (event: TrainEvent) => void): Promise<BestParams | null> {
  const tell = (message: string) => log({ event: "file-damaged", group, message });
  return readGeneration(files, groupFiles.best, (name) => readBest(files, name), tell);
}

/** What the log tells of a group beside its params. */
export type GroupRecord = Pick<
  RunResult["groups"][number],
  "group" | "stepsPerSecond" | "bytesPublished" | "bytesFetched" | "ended"
>;

/** A group to be scored. */
export interface ScoredGroup extends GroupRecord {
  readonly best: BestParams;
}

/** Throws {@link CheckpointError} unless a group's best params are of a model. */
export function checkParams(model: Model, { group, best }: ScoredGroup): void {
  checkFit(`${groupFiles.best} of group ${group}`, best.params, weightSpecs(model));
}

/**
 * Score the groups' best params, their ensemble (the mean of their predictions), and how far they disagree. Rejects with
 * the signal's reason when that cancels it.
 */
export async function scoreRun(
  engine: Engine,
  learner: RunLearner,
  groups: readonly ScoredGroup[],
  test: Rows,
  shippedGroup: number,
  signal?: AbortSignal,
): Promise<RunResult> {
  const program = await engine.compile(predictGraph(learner, stateNames.params));
  const scored: RunResult["groups"][number][] = [];
  const probs: Float32Array[] = [];
  let labels: Predictions["labels"] = new Float32Array();
  const { task } = learner;
  for (const { best, ...record } of groups) {
    checkParams(learner.model, { best, ...record });
    await engine.write(weightState(learner.model, best.params));
    const predictions = await predictAll(program, test, signal);
    probs.push(predictions.probs);
    labels = predictions.labels;
    const { step, validationLoss } = best;
    scored.push({ ...record, step, validationLoss, ...asTestMetrics(task.measure(predictions)) });
  }
  const isSeveral = probs.length > 1;
  return {
    task: task.kind,
    lossName: task.lossName,
    groups: scored,
    ensemble: isSeveral ? asTestMetrics(task.measure({ probs: meanOfProbs(probs), labels })) : null,
    disagreement: isSeveral ? meanOverPairs(probs, task.distance) : null,
    churn: isSeveral ? meanOverPairs(probs, task.churn) : null,
    shippedGroup,
    testRows: test.numRows,
  };
}

/** A loss and metrics on the test split, under the names of a result. */
export function asTestMetrics(measured: { readonly loss: number } & Metrics): TestMetrics {
  const entries = Object.entries(measured);
  return Object.fromEntries(
    entries.map(([name, value]) => [`test${name.slice(0, 1).toUpperCase()}${name.slice(1)}`, value]),
  ) as TestMetrics;
}

function meanOverPairs<T>(items: readonly T[], measure: (a: T, b: T) => number): number {
  const values = items.flatMap((a, i) => items.slice(i + 1).map((b) => measure(a, b)));
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Let everything else have its turn. Throws the signal's reason. */
export async function breath(signal?: AbortSignal): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0));
  signal?.throwIfAborted();
}
