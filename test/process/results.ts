/** What a run leaves in its folder. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { openSafetensors } from "../../src/checkpoint/seal.js";
import type { RunResult } from "../../src/log/events.js";
import type { RunFolder } from "../../src/node/runs/run-folder.js";
import { directoryStore } from "../../src/node/stores/directory-store.js";
import { readSavedGroup, type SavedGroup } from "../../src/run/saved-group.js";
import { type BestParams, readBest } from "../../src/run/score.js";
import { bytesOf } from "../../src/runtime/array.js";

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

/** The bits of a run's model. */
export async function weightsOf({ model }: RunFolder): Promise<string> {
  const { tensors } = await openSafetensors("model.safetensors", readFileSync(model.safetensors));
  const hash = createHash("sha256");
  for (const [name, { data }] of Object.entries(tensors)) hash.update(name).update(bytesOf(data));
  return hash.digest("hex");
}
