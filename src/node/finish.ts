/** The end of a run on this machine: the score of every group, and the shipped model as files. */
import { availableParallelism } from "node:os";
import { basename } from "node:path";
import { safetensorsParts } from "../checkpoint/safetensors.js";
import { TrainingError } from "../errors.js";
import type { RunConfig } from "../run/schema.js";
import { type GroupRecord, readBest, type ScoredGroup } from "../run/score.js";
import type { LoggedEvent, RunResult, TrainEvent } from "../train/events.js";
import { directoryStore } from "./directory-store.js";
import type { PreparedData } from "./prepared.js";
import { readLog } from "./read-log.js";
import { encodeRunFile, RUN_FOLDER_VERSION } from "./run-file.js";
import type { RunFolder } from "./run-folder.js";
import type { RunScope } from "./scope.js";
import { threadedEngine } from "./threaded-engine.js";

/**
 * Score what the groups have, and write the shipped model. Rejects with the reason of `stop` when that cancels the scoring.
 *
 * Throws {@link TrainingError} when the shipped group has no model, {@link CheckpointError} when it is of another one.
 */
export async function finish(
  config: RunConfig,
  folder: RunFolder,
  { groups }: RunScope,
  data: PreparedData,
  log: (event: TrainEvent) => void,
  stop: AbortSignal,
): Promise<RunResult> {
  // The first, fixed before the run, so that the best of several is not picked by luck.
  const shippedGroup = groups[0] ?? 0;
  const records = await Promise.all(
    groups.map(async (group) => ({
      ...groupRecord(group, readLog(folder.group(group).log)),
      best: await readBest(directoryStore(folder.group(group).path)),
    })),
  );
  const scored = records.filter((record): record is ScoredGroup => record.best !== null);
  const shipped = scored.find(({ group }) => group === shippedGroup);
  if (!shipped) {
    const end = readLog(folder.group(shippedGroup).log).findLast((event) => event.event === "group-end");
    throw new TrainingError(
      `group ${shippedGroup} ended before its first validation, so there is no model to ship: ${end?.message ?? "no reason in its log"}`,
    );
  }
  log({ event: "stage", stage: "scoring the test split" });
  const engine = threadedEngine({ threads: availableParallelism() });
  const result = await data.score(engine, scored, shippedGroup, stop).finally(() => engine.close());

  const { params, step } = shipped.best;
  const metadata = {
    format: "codistill.model",
    version: String(RUN_FOLDER_VERSION),
    name: config.name,
    step: String(step),
    ...data.metadata,
  };
  const files = directoryStore(folder.path);
  for (const [name, bytes] of Object.entries(data.exported(params, metadata))) await files.put(name, bytes);
  await files.put(basename(folder.model.safetensors), safetensorsParts(params, metadata));
  await files.put(basename(folder.result), encodeRunFile(result));
  return result;
}

function groupRecord(group: number, events: readonly LoggedEvent[]): GroupRecord {
  const bytes = (kind: "published" | "fetched") =>
    events.reduce((sum, event) => (event.event === kind ? sum + event.bytes : sum), 0);
  const speeds = events
    .flatMap((event) => (event.event === "step" ? [event.stepsPerSecond] : []))
    .sort((a, b) => a - b);
  const end = events.findLast((event) => event.event === "group-end");
  return {
    group,
    stepsPerSecond: speeds[Math.floor(speeds.length / 2)] ?? 0,
    bytesPublished: bytes("published"),
    bytesFetched: bytes("fetched"),
    ended: end?.reason ?? "failed",
  };
}
