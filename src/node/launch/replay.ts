/** Replays of recorded runs, and the proof that they give the same bits. */
import { resolve } from "node:path";
import { sha256 } from "../../checkpoint/digest.js";
import { safetensorsParts } from "../../checkpoint/safetensors.js";
import { traceOf } from "../../codistill/replay.js";
import { CheckpointError, ConfigError } from "../../errors.js";
import { readSavedGroup, type SavedGroup } from "../../run/saved-group.js";
import type { RunConfig } from "../../run/schema.js";
import type { Replay } from "../../run/start.js";
import { loadConfig } from "../runs/load-config.js";
import { readEvents } from "../runs/read-log.js";
import { existingRun, runFolder } from "../runs/run-folder.js";
import { readScope, writeScope } from "../runs/scope.js";
import { directoryStore } from "../stores/directory-store.js";

/** The configuration and the scope of a replay, written to its new run folder. */
export async function prepareReplay(
  source: string,
  newFolder: (config: RunConfig) => string,
): Promise<{ config: RunConfig; folder: string }> {
  const recorded = existingRun(source);
  const saved = await loadConfig(recorded.config);
  if (!saved.record) {
    throw new ConfigError(`a replay needs a run that was recorded; ${source} was not. Record with --set record=true`);
  }
  const { groups } = readScope(recorded, saved.numGroups);
  let threads: number | undefined;
  for (const start of readEvents(recorded.group(groups[0] ?? 0).log, ["group-start"])) threads = start.threads;
  // The same number of threads, since the order of a sum may depend on it.
  const config = { ...saved, name: `${saved.name}-replay`.slice(0, 64), record: false, ...(threads && { threads }) };
  const folder = newFolder(config);
  await writeScope(runFolder(folder), {
    groups,
    store: resolve(folder, "store"),
    replayOf: resolve(source),
  });
  return { config, folder };
}

/** The record of a group. Throws {@link CheckpointError} when it has no checkpoint to compare with. */
export async function recordOf(source: string, group: number): Promise<Replay> {
  const { path, log } = runFolder(source).group(group);
  const recorded = directoryStore(path);
  const lastStep = (await checkpointOf(path, group)).info.step;
  let began: Replay["began"];
  for (const { step, digest } of readEvents(log, ["began-from-snapshot"])) began = { step, digest };
  const events = readEvents(log, ["teachers", "checkpoint", "group-start", "began-from-snapshot"]);
  return { trace: traceOf(events), recorded, lastStep, began };
}

/**
 * Compare a replay with the recorded run: a line for each group says that it is equal to the bit, or where it first
 * differs.
 */
export async function compareReplay(
  source: string,
  folder: string,
  groups: readonly number[],
): Promise<{ readonly lines: string[]; readonly isEqual: boolean }> {
  const compared = await Promise.all(groups.map((group) => compareGroup(source, folder, group)));
  return { lines: compared.map(({ line }) => line), isEqual: compared.every(({ isEqual }) => isEqual) };
}

async function compareGroup(
  source: string,
  folder: string,
  group: number,
): Promise<{ line: string; isEqual: boolean }> {
  const recorded = await checkpointOf(runFolder(source).group(group).path, group);
  const replayed = await checkpointOf(runFolder(folder).group(group).path, group);
  const [before, now] = await Promise.all([digestOf(recorded), digestOf(replayed)]);
  const { step } = recorded.info;
  if (before === now)
    return { line: `group ${group}: equal to the bit at step ${step} (${now.slice(0, 16)})`, isEqual: true };
  const since = firstDifference(lossesOf(source, group), lossesOf(folder, group));
  const where = since === null ? "after the last validation" : `at or before the validation of step ${since}`;
  return { line: `group ${group}: differs at step ${step}, first ${where}`, isEqual: false };
}

async function checkpointOf(path: string, group: number): Promise<SavedGroup> {
  const checkpoint = await readSavedGroup(directoryStore(path));
  if (checkpoint) return checkpoint;
  throw new CheckpointError(`group ${group} has no checkpoint in ${path}, so there is nothing to compare`);
}

/** SHA-256 of a student's whole state. */
function digestOf({ state }: SavedGroup): Promise<string> {
  return sha256(safetensorsParts(state));
}

/** The validation losses of a group by step; of a step that was taken twice, the later. */
function lossesOf(run: string, group: number): ReadonlyMap<number, number> {
  const losses = new Map<number, number>();
  for (const { step, loss } of readEvents(runFolder(run).group(group).log, ["validation"])) losses.set(step, loss);
  return losses;
}

function firstDifference(a: ReadonlyMap<number, number>, b: ReadonlyMap<number, number>): number | null {
  const steps = [...a.keys()].sort((x, y) => x - y);
  return steps.find((step) => b.has(step) && a.get(step) !== b.get(step)) ?? null;
}
