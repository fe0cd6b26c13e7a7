/** What a finished run on a table has trained: the models of all its groups, and their mean on the validation rows. */
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { digestChange } from "../../checkpoint/digest.js";
import { DamagedCacheError, DataError } from "../../errors.js";
import { checkFit } from "../../nn/fit.js";
import { weightSpecs } from "../../nn/model.js";
import { exportModel } from "../../run/export.js";
import type { TableRunConfig } from "../../run/kinds/table.js";
import { type RunLearner, tableLearner } from "../../run/learner.js";
import type { BestParams } from "../../run/score.js";
import { paramsPredictor } from "../../run/score-table.js";
import type { Predictions } from "../../train/evaluate.js";
import { type Errors, keptErrors } from "../../train/intervals.js";
import { meanOfProbs } from "../../train/metrics.js";
import { threadedEngine } from "../ort/threaded-engine.js";
import { type CachedTable, openTable, prepareTable } from "./ingest.js";
import { tableSpecOf } from "./table-reader.js";

/** The table of a run, and what was trained on it. */
export interface TrainedTable {
  readonly config: TableRunConfig;
  readonly table: CachedTable;
  readonly learner: RunLearner;
}

/** What a run folder says of the data of its run: the cache and the digest. */
export interface TrainedOn {
  readonly cache: string;
  readonly digest: string;
}

/**
 * Open the table of a run from its cache; from its source where the cache is gone or damaged.
 *
 * Throws {@link DataError} when the source has changed since, and what {@link prepareTable} throws.
 */
export async function openTrainedTable(
  config: TableRunConfig,
  { cache, digest }: TrainedOn,
  options: { readonly cacheFolder: string; readonly signal?: AbortSignal | undefined },
): Promise<TrainedTable> {
  const table = (await cachedTable(cache)) ?? (await prepareTable(tableSpecOf(config), options));
  if (table.digest !== digest) {
    throw new DataError(
      `the groups of a run read what it was trained on, and its data has changed (${digestChange(digest, table.digest)}). Put it back.`,
    );
  }
  return { config, table, learner: tableLearner(config, table.preprocessing) };
}

async function cachedTable(folder: string): Promise<CachedTable | null> {
  if (!existsSync(folder)) return null;
  return openTable(folder, { slots: [], memoryBytes: 0 }).catch((error: unknown) => {
    if (error instanceof DamagedCacheError) return null;
    throw error;
  });
}

/** The model.onnx of some params, not sealed. Throws {@link CheckpointError} when they are of another model. */
export function exportedGroup(
  { table, learner }: TrainedTable,
  { params, temperature }: BestParams,
  what: string,
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  checkFit(what, params, weightSpecs(learner.model));
  return exportModel(learner, table.preprocessing, table.serving, params, metadata, temperature);
}

/** A group's best params, and the run that it is of. */
export interface TrainedGroup {
  readonly run: TrainedTable;
  readonly best: BestParams;
}

/**
 * The errors of the mean of groups' predictions on the validation rows, which are the same for all of them: that is the
 * caller's promise. Null for classes.
 */
export async function errorsOfMean(groups: readonly TrainedGroup[], signal?: AbortSignal): Promise<Errors | null> {
  const { table, learner } = (groups[0] as TrainedGroup).run;
  const { errorScale } = learner.task;
  const { validation } = table;
  if (errorScale === null || validation === null) return null;
  const engine = threadedEngine({ threads: availableParallelism() });
  try {
    const all: Predictions[] = [];
    for (const { run, best } of groups) {
      const predict = await paramsPredictor(engine, run.learner);
      all.push(await predict(best, validation, signal));
    }
    const [first] = all;
    if (!first) return null;
    return keptErrors(errorScale.errors({ ...first, probs: meanOfProbs(all.map(({ probs }) => probs)) }));
  } finally {
    await engine.close();
  }
}
