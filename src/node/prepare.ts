/** The data of a run: prepared before any group is started, and the same when a run is gone on with. */
import { basename } from "node:path";
import { rowsOfSlots, slotsUnder } from "../data/shard.js";
import type { TableSpec } from "../data/table.js";
import { DataError } from "../errors.js";
import { makeLearner } from "../run/learner.js";
import type { RunConfig } from "../run/schema.js";
import { labelsToFit } from "../run/task.js";
import type { TrainEvent } from "../train/events.js";
import { directoryStore } from "./directory-store.js";
import { type PreparedTable, prepareTable } from "./ingest.js";
import { encodeRunFile, readRunFile } from "./run-file.js";
import type { RunFolder } from "./run-folder.js";

/** What `data.json` in a run folder says. */
export interface RunData {
  /** The folder of the training cache. */
  readonly cache: string;
  /** SHA-256 of the data's content and of the query. */
  readonly digest: string;
}

/** The table that a configuration's data is. */
export function tableSpecOf({ data, task }: RunConfig): TableSpec {
  const { columns, maxBadRows, shardBy, filters, vocabularies, regime: _, ...spec } = data;
  const fitted = labelsToFit(task);
  return {
    ...spec,
    ...(fitted && { task: fitted }),
    ...(columns && { columns }),
    ...(maxBadRows && { maxBadRows }),
    ...(shardBy && { shardBy }),
    ...(filters && { filters }),
    ...(vocabularies && { vocabularies }),
  };
}

/**
 * Ingest the data of a run unless the cache has it, and note in the run folder where it lies.
 *
 * Throws {@link DataError} when a shard is too small for a batch, or the run began with other data, {@link ConfigError}
 * when a pattern of the optimizer is of no param, and what `prepareTable` throws.
 */
export async function prepareData(
  config: RunConfig,
  folder: RunFolder,
  cacheFolder: string,
  log: (event: TrainEvent) => void,
  signal: AbortSignal,
): Promise<PreparedTable> {
  const started = performance.now();
  const onProgress = (stage: string) => log({ event: "stage", stage });
  const table = await prepareTable(tableSpecOf(config), { cacheFolder, onProgress, signal });
  const { train, validation, test } = table;
  const unassigned = config.data.filters && { unassigned: table.numUnassigned };
  const malformed = table.numMalformed > 0 && { malformed: table.numMalformed };
  const rows = {
    train: train.numRows,
    validation: validation.numRows,
    test: test.numRows,
    ...unassigned,
    ...malformed,
  };
  log({ event: "data-ready", rows, cached: table.cached, seconds: (performance.now() - started) / 1000 });
  checkShards(config, table);
  // For its refusals: what is wrong with it should be told once, and before any group is started.
  makeLearner(config, table.preprocessing);
  const data: RunData = { cache: table.folder, digest: table.digest };
  checkUnchanged(folder, data);
  await directoryStore(folder.path).put(basename(folder.data), encodeRunFile(data));
  return table;
}

function checkUnchanged(folder: RunFolder, now: RunData): void {
  const before = readRunFile(folder.data) as Partial<RunData> | undefined;
  if (before?.digest === undefined || before.digest === now.digest) return;
  const digests = `${before.digest.slice(0, 8)} then, ${now.digest.slice(0, 8)} now`;
  throw new DataError(`a run goes on with the data it began with, and it has changed (${digests}). Put it back.`);
}

/** Throws {@link DataError} when a group's shard is too small for one batch, before any process is started. */
function checkShards({ data, numGroups, globalBatchSize, accumulate }: RunConfig, { train }: PreparedTable): void {
  const sizes = Array.from(
    { length: numGroups },
    (_, group) => rowsOfSlots(train.slotOffsets, slotsUnder(data.regime, group, numGroups)).length,
  );
  const smallest = Math.min(...sizes);
  const batch = globalBatchSize / accumulate;
  if (smallest >= batch) return;
  throw new DataError(
    `a batch of ${batch} rows needs a shard of at least as many, and that of group ${sizes.indexOf(smallest)} of ${numGroups} has ${smallest}. ` +
      `Lower globalBatchSize, ${data.filters ? "widen its filter" : "use fewer groups"}, or add data.`,
  );
}
