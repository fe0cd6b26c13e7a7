/** What a run leaves in its folder. */
import { readFileSync } from "node:fs";
import type { RunResult } from "../../src/log/events.js";
import type { RunFolder } from "../../src/node/runs/run-folder.js";
import { directoryStore } from "../../src/node/stores/directory-store.js";
import { readSavedGroup, type SavedGroup } from "../../src/run/saved-group.js";
import { type BestParams, readBest } from "../../src/run/score.js";

/** A group's checkpoint; null when it has none, and an error when it is not whole. */
export function checkpointOf(folder: RunFolder, group: number): Promise<SavedGroup | null> {
  return readSavedGroup(directoryStore(folder.group(group).path));
}

/** A group's best params; null when it has none, and an error when they are not whole. */
export function bestOf(folder: RunFolder, group: number): Promise<BestParams | null> {
  return readBest(directoryStore(folder.group(group).path));
}

/** The result of a run that has ended. */
export function resultOf(folder: RunFolder): RunResult {
  return JSON.parse(readFileSync(folder.result, "utf8"));
}
