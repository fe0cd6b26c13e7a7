/** The data of a run, which is prepared before any group is started and must be the same when the run is resumed. */
import { existsSync } from "node:fs";
import { basename } from "node:path";
import { digestChange } from "../../checkpoint/digest.js";
import { DataError } from "../../errors.js";
import type { TrainEvent } from "../../log/events.js";
import { epochsOf } from "../../run/epochs.js";
import { kindOf } from "../../run/kinds/kinds.js";
import type { RunConfig } from "../../run/schema.js";
import type { GroupSpec } from "../../run/specs.js";
import { noteUse } from "../runs/cache-uses.js";
import type { PreparedData } from "../runs/data-reader.js";
import { encodeRunFile, readRunFile } from "../runs/run-file.js";
import type { RunFolder } from "../runs/run-folder.js";
import { directoryStore } from "../stores/directory-store.js";
import { readerOf } from "./kinds.js";

/** The content of `data.json` in a run folder. */
export interface RunData {
  /** The folder of the training cache. */
  readonly cache: string;
  /** SHA-256 of the data's content and of the query. */
  readonly digest: string;
}

/**
 * Prepare the data of a run unless the cache has it, and note its place in the run folder.
 *
 * Throws {@link DataError} when a shard is too small for a batch, or the run began with other data, {@link ConfigError}
 * when a pattern of the optimizer matches no param, and what `prepareTable` and `prepareText` throw.
 */
export async function prepareData(
  config: RunConfig,
  folder: RunFolder,
  cacheFolder: string,
  log: (event: TrainEvent) => void,
  signal: AbortSignal,
): Promise<PreparedData> {
  const started = performance.now();
  noteUse(cacheFolder, folder.path);
  const options = { cacheFolder, onProgress: (stage: string) => log({ event: "stage", stage }), signal };
  const prepared = await (await readerOf(config)).prepare(config, options);
  const { sizes, cached, spec, notes = [] } = prepared;
  const epochs = epochsOf(config, sizes);
  const took = (performance.now() - started) / 1000;
  log({ event: "data-ready", ...sizes, epochs, cached, seconds: took, ...(notes.length > 0 && { notes }) });
  prepared.checkShards();
  const data: RunData = { cache: prepared.folder, digest: spec.digest };
  checkUnchanged(config, folder, data);
  await directoryStore(folder.path).put(basename(folder.data), encodeRunFile(data));
  return prepared;
}

/** Open what a group of a run trains, on prepared data. */
export async function openGroupSpec(config: RunConfig, folder: RunFolder, groupIndex: number): Promise<GroupSpec> {
  const { cache } = readRunFile(folder.data) as unknown as RunData;
  return (await readerOf(config)).open(config, cache, groupIndex);
}

function checkUnchanged(config: RunConfig, folder: RunFolder, now: RunData): void {
  const before = readRunFile(folder.data) as Partial<RunData> | undefined;
  if (before?.digest === undefined || before.digest === now.digest) return;
  const others = Object.entries(kindOf(config).ownFiles).filter(([, { pathIn }]) => pathIn(config) !== undefined);
  // A run of an earlier version has no copies of its files.
  const suspects = ["it", ...(existsSync(folder.ownFiles) ? [] : others.map(([name]) => `its ${name}`))].join(" or ");
  throw new DataError(
    `a run goes on with the data it began with, and ${suspects} has changed (${digestChange(before.digest, now.digest)}). Put it back.`,
  );
}
