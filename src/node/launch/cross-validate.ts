/** Cross-validation: one run of a configuration for each fold of the rows, tested on the fold that it does not see. */

import { basename } from "node:path";
import { TrainingError } from "../../errors.js";
import type { RunResult, TestMetrics } from "../../log/events.js";
import { type CrossValidationResult, FOLDS_OVERLAP, overFolds } from "../../report/cross-validation.js";
import { asTestMetrics, readOwnBest } from "../../run/score.js";
import { makeFolder } from "../files/plain-files.js";
import { type CrossValidation, foldConfig, foldFolder, resultOf } from "../runs/folds.js";
import { loadConfig } from "../runs/load-config.js";
import { encodeRunFile } from "../runs/run-file.js";
import { isRun, runFolder } from "../runs/run-folder.js";
import { resultOfRun } from "../runs/run-result.js";
import { directoryStore } from "../stores/directory-store.js";
import { hasFinished } from "./finish.js";
import { train } from "./train.js";

export interface CrossValidateOptions {
  /** Where prepared data is kept between runs. */
  readonly cacheFolder: string;
  /** Aborted to save and stop. */
  readonly stop: AbortSignal;
  /** Called before a fold is trained; `secondsLeft` is what it and the later ones will take, by those before it. */
  readonly onFold: (number: number, folder: string, secondsLeft: number | null) => Promise<void>;
  /** Called when it has ended, well or not. */
  readonly onFoldEnd: () => void;
}

/**
 * Train and test every fold that has not finished, then put the results together. Null when it was stopped; the fold that was
 * being trained is then saved.
 *
 * Throws what {@link train} throws.
 */
export async function crossValidate(
  validation: CrossValidation,
  { cacheFolder, stop, onFold, onFoldEnd }: CrossValidateOptions,
): Promise<CrossValidationResult | null> {
  const numbers = Array.from({ length: validation.folds }, (_, i) => i + 1);
  const open = numbers.filter((number) => !hasFinished(foldFolder(validation, number)));
  let took = 0;
  for (const [i, number] of open.entries()) {
    if (stop.aborted) return null;
    const folder = foldFolder(validation, number);
    const config = isRun(folder) ? await loadConfig(runFolder(folder).config) : foldConfig(validation, number);
    const started = performance.now();
    makeFolder(folder);
    await onFold(number, folder, i === 0 ? null : (took / i) * (open.length - i));
    const result = await train({ config, folder, cacheFolder, stop }).finally(onFoldEnd);
    if (!result) return null;
    took += (performance.now() - started) / 1000;
  }
  const result = await scoreFolds(validation, numbers, { cacheFolder, signal: stop }).catch((error: unknown) => {
    if (stop.aborted && error === stop.reason) return null;
    throw error;
  });
  if (result) await directoryStore(validation.folder).put(basename(resultOf(validation)), encodeRunFile(result));
  return result;
}

async function scoreFolds(
  validation: CrossValidation,
  numbers: readonly number[],
  options: { readonly cacheFolder: string; readonly signal: AbortSignal },
): Promise<CrossValidationResult> {
  const results = numbers.map((number) => resultOfRun(foldFolder(validation, number)));
  const folds = results.map((result, i) => ({
    fold: numbers[i] as number,
    rows: result.testRows,
    ...shippedMetrics(result),
  }));
  const trained = await Promise.all(
    numbers.map(async (number, i) => {
      const { shippedGroup } = results[i] as RunResult;
      const { path } = runFolder(foldFolder(validation, number)).group(shippedGroup);
      const best = await readOwnBest(directoryStore(path), shippedGroup, () => {});
      if (best) return { config: foldConfig(validation, number), best };
      throw new TrainingError(
        `fold ${number} has no model: the best params of group ${shippedGroup} are not in ${path}`,
      );
    }),
  );
  // Imported here, as DuckDB takes time to load.
  const { outOfFold } = await import("../table/out-of-fold.js");
  const all = await outOfFold(trained, options);
  const { weight } = validation.config.data;
  const apart = "the folds have learned different classes, so that there are no figures over all rows";
  return {
    ...(results[0]?.task && { task: results[0].task }),
    lossName: results[0]?.lossName ?? "loss",
    ...(weight !== undefined && { weight }),
    folds,
    ...overFolds(folds),
    outOfFold: all && { rows: all.rows, ...asTestMetrics(all.metrics) },
    ...teachersOver(results),
    numFailed: results.filter(({ groups }) => groups.some(({ ended }) => ended !== "finished")).length,
    remarks: [FOLDS_OVERLAP, ...(all ? [] : [apart]), ...remarksOf(results)],
  };
}

/** Of fixed teachers, the mean over the folds of their scores and of how far the models are from them. */
function teachersOver(results: readonly RunResult[]): Pick<CrossValidationResult, "teachers"> {
  const all = results.flatMap(({ teachers }) => teachers ?? []);
  if (all.length < results.length) return {};
  const meanOf = (of: "distance" | "churn") => all.reduce((sum, one) => sum + one[of], 0) / all.length;
  return { teachers: { ...overFolds(all).mean, distance: meanOf("distance"), churn: meanOf("churn") } };
}

/** What to know of the runs, each with the folds of which it is said. */
function remarksOf(results: readonly RunResult[]): string[] {
  const folds = new Map<string, number[]>();
  for (const [i, { remarks = [] }] of results.entries())
    for (const remark of remarks) folds.set(remark, [...(folds.get(remark) ?? []), i + 1]);
  return [...folds].map(([remark, of]) =>
    of.length === results.length ? remark : `${of.length === 1 ? "fold" : "folds"} ${of.join(", ")}: ${remark}`,
  );
}

/** The test metrics of the group that a run ships. */
function shippedMetrics({ groups, shippedGroup }: RunResult): TestMetrics {
  const shipped = groups.find(({ group }) => group === shippedGroup);
  const entries = Object.entries(shipped ?? {}).filter(([name]) => name.startsWith("test"));
  return Object.fromEntries(entries) as unknown as TestMetrics;
}
