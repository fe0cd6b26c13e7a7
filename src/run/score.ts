/** The end of a run: reads every group's best params, and makes the result of their scores. */

import { readGeneration } from "../checkpoint/generations.js";
import { checkVersion } from "../checkpoint/json.js";
import { openSafetensors } from "../checkpoint/seal.js";
import type { Store } from "../checkpoint/store.js";
import { CheckpointError } from "../errors.js";
import type { Metrics, RunResult, TestMetrics, TrainEvent } from "../log/events.js";
import { checkFit } from "../nn/fit.js";
import { type Model, weightSpecs } from "../nn/model.js";
import type { NamedArrays } from "../runtime/array.js";
import { BEST_FORMAT, BEST_VERSION } from "./keeper.js";
import { groupFiles } from "./saved-group.js";

/** The params (and buffers) that a group would ship: its best by validation. */
export interface BestParams {
  readonly step: number;
  readonly validationLoss: number;
  /** By which its probabilities are scaled; left out where they are not. */
  readonly temperature?: number;
  readonly params: NamedArrays;
}

/**
 * Read a group's best params; null when it never reached a validation. Throws {@link DamagedError} when the file is
 * damaged.
 */
export async function readBest(files: Store, name: string = groupFiles.best): Promise<BestParams | null> {
  const bytes = await files.get(name);
  if (!bytes) return null;
  const { tensors, metadata } = await openSafetensors(name, bytes);
  if (metadata.format !== BEST_FORMAT)
    throw new CheckpointError(`${name} is not a group's best params; its format is ${metadata.format ?? "not named"}`);
  checkVersion(name, Number(metadata.version ?? BEST_VERSION), BEST_VERSION);
  const { step, validationLoss, temperature } = metadata;
  return {
    step: Number(step),
    validationLoss: Number(validationLoss),
    ...(temperature !== undefined && { temperature: Number(temperature) }),
    params: tensors,
  };
}

/**
 * Read the best params in a group's own folder: the newest of two generations that is whole. Throws what
 * {@link readGeneration} throws.
 */
export function readOwnBest(files: Store, group: number, log: (event: TrainEvent) => void): Promise<BestParams | null> {
  const tell = (message: string) => log({ event: "file-damaged", group, message });
  return readGeneration(files, groupFiles.best, (name) => readBest(files, name), tell);
}

/** What a result says of a group from its log. */
export type GroupRecord = Pick<
  RunResult["groups"][number],
  "group" | "stepsPerSecond" | "bytesPublished" | "bytesFetched" | "ended" | "staleness"
>;

/** A group to be scored. */
export interface ScoredGroup extends GroupRecord {
  readonly best: BestParams;
}

/** Throws {@link CheckpointError} unless a group's best params fit a model. */
export function checkParams(model: Model, { group, best }: ScoredGroup): void {
  checkFit(`${groupFiles.best} of group ${group}`, best.params, weightSpecs(model));
}

/** The scores on the test split: of each group in turn, of their ensemble, and how far they disagree. */
export interface Scores {
  readonly models: readonly ({ readonly loss: number } & Metrics)[];
  /** Null with one group, as are those below. */
  readonly ensemble: ({ readonly loss: number } & Metrics) | null;
  readonly disagreement: number | null;
  readonly churn: number | null;
}

/** The part of a result with the scores of the groups. */
export function scoredResult(
  groups: readonly ScoredGroup[],
  { models, ensemble, disagreement, churn }: Scores,
): Pick<RunResult, "groups" | "ensemble" | "disagreement" | "churn"> {
  const scored = groups.map(({ best: { params: _, ...best }, ...record }, i) => ({
    ...record,
    ...best,
    ...asTestMetrics(models[i] as Scores["models"][number]),
  }));
  return { groups: scored, ensemble: ensemble && asTestMetrics(ensemble), disagreement, churn };
}

/** A loss and metrics on the test split, under the names of a result. */
export function asTestMetrics(measured: { readonly loss: number } & Metrics): TestMetrics {
  const entries = Object.entries(measured);
  return Object.fromEntries(
    entries.map(([name, value]) => [`test${name.slice(0, 1).toUpperCase()}${name.slice(1)}`, value]),
  ) as TestMetrics;
}

/** Let pending events have their turn. Throws the signal's reason when the signal is aborted. */
export async function breath(signal?: AbortSignal): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0));
  signal?.throwIfAborted();
}
