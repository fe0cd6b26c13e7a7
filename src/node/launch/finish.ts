/** The end of a run on this machine: the score of every group, and the shipped model as files. */
import { availableParallelism } from "node:os";
import { basename } from "node:path";
import { NO_SEAL, SEAL, seal, sealedSafetensors } from "../../checkpoint/seal.js";
import { CheckpointError, TrainingError } from "../../errors.js";
import type { RunResult, TrainEvent } from "../../log/events.js";
import { algorithmOf, untaughtRemark } from "../../run/algorithms.js";
import type { RunConfig } from "../../run/schema.js";
import { type BestParams, type GroupRecord, readOwnBest, type ScoredGroup } from "../../run/score.js";
import { MODEL_FORMAT, MODEL_VERSION } from "../ort/model-file.js";
import { threadedEngine } from "../ort/threaded-engine.js";
import type { PreparedData } from "../runs/data-reader.js";
import { readEvents } from "../runs/read-log.js";
import { encodeRunFile, readRunFile } from "../runs/run-file.js";
import { type RunFolder, runFolder } from "../runs/run-folder.js";
import type { RunScope } from "../runs/scope.js";
import { directoryStore } from "../stores/directory-store.js";

/**
 * Score the groups' best params, and write the shipped model. Rejects with the reason of `stop` when that cancels the
 * scoring. `mayChange` is called before each file is written, and throws to forbid it.
 *
 * Throws {@link TrainingError} when the shipped group has no model, {@link CheckpointError} when its model is another
 * one.
 */
export async function finish(
  config: RunConfig,
  folder: RunFolder,
  { groups }: RunScope,
  data: PreparedData,
  { log, mayChange }: { readonly log: (event: TrainEvent) => void; readonly mayChange: () => void },
  stop: AbortSignal,
): Promise<RunResult> {
  // The first group, fixed before the run: choosing the best of several by their test scores would bias the result.
  const shippedGroup = groups[0] ?? 0;
  const records = await Promise.all(
    groups.map(async (group) => ({
      ...groupRecord(group, folder.group(group).log),
      best: await readOwnBest(directoryStore(folder.group(group).path), group, log).catch((error: unknown) => {
        if (!(error instanceof CheckpointError)) throw error;
        if (group === shippedGroup) throw new CheckpointError(`group ${group}: ${error.message}`, { cause: error });
        log({ event: "file-damaged", group, message: `it is not scored: ${error.message}` });
        return null;
      }),
    })),
  );
  const scored = records.filter((record): record is ScoredGroup => record.best !== null);
  const shipped = scored.find(({ group }) => group === shippedGroup);
  if (!shipped) {
    let why = "no reason in its log";
    for (const { message } of readEvents(folder.group(shippedGroup).log, ["group-end"])) why = message ?? why;
    throw new TrainingError(
      `group ${shippedGroup} ended before its first validation, so there is no model to ship: ${why}`,
    );
  }
  log({ event: "stage", stage: "scoring the test split" });
  const engine = threadedEngine({ threads: availableParallelism() });
  const { params, step } = shipped.best;
  const score = async () => ({
    measured: await data.score(engine, scored, shippedGroup, stop),
    validated: await data.validated(engine, params, stop),
  });
  const { measured, validated } = await score().finally(() => engine.close());
  const untaught = untaughtRemark(config, step, taughtFrom(folder.group(shippedGroup).log));
  const said = [algorithmOf(config).remark, ...(measured.remarks ?? []), untaught].filter((one) => one !== null);
  const result = said.length > 0 ? { ...measured, remarks: said } : measured;
  const metadata = { ...modelMetadata(config, shipped.best, data), ...validated };
  const files = directoryStore(folder.path, mayChange);
  const exported = data.exported(shipped.best, { ...metadata, [SEAL]: NO_SEAL });
  for (const [name, bytes] of Object.entries(exported)) {
    await files.put(name, name === basename(folder.model.onnx) ? await seal(bytes, "onnx") : bytes);
  }
  await files.put(basename(folder.model.safetensors), await sealedSafetensors(params, metadata));
  await files.put(basename(folder.result), encodeRunFile(result));
  return result;
}

/** The metadata of the model of some params, but for what follows from its predictions. */
export function modelMetadata(
  { name }: Pick<RunConfig, "name">,
  { step, temperature }: Pick<BestParams, "step" | "temperature">,
  data: Pick<PreparedData, "metadata">,
): Readonly<Record<string, string>> {
  return {
    format: MODEL_FORMAT,
    version: String(MODEL_VERSION),
    name,
    step: String(step),
    ...(temperature !== undefined && { temperature: String(temperature) }),
    ...data.metadata,
  };
}

/** Whether a run has a result in which all its groups have finished. */
export function hasFinished(folder: string): boolean {
  const groups = readRunFile(runFolder(folder).result)?.groups;
  return Array.isArray(groups) && groups.every((group) => group?.ended === "finished");
}

/** The first step in which a group had a teacher, by its log; null without one. */
function taughtFrom(log: string): number | null {
  for (const { step, teachers } of readEvents(log, ["teachers"])) if (teachers.length > 0) return step;
  return null;
}

function groupRecord(group: number, log: string): GroupRecord {
  const bytes = { published: 0, fetched: 0 };
  const speeds: number[] = [];
  let ended: GroupRecord["ended"] = "failed";
  let staleness: GroupRecord["staleness"];
  for (const event of readEvents(log, ["published", "fetched", "averaged", "step", "staleness", "group-end"])) {
    if (event.event === "staleness") staleness = event.counts;
    else if (event.event === "step") speeds.push(event.stepsPerSecond);
    else if (event.event === "group-end") ended = event.reason;
    else if (event.event === "averaged") {
      // What one worker sends another one receives.
      bytes.published += event.bytes;
      bytes.fetched += event.bytes;
    } else bytes[event.event] += event.bytes;
  }
  speeds.sort((a, b) => a - b);
  return {
    group,
    stepsPerSecond: speeds[Math.floor(speeds.length / 2)] ?? 0,
    bytesPublished: bytes.published,
    bytesFetched: bytes.fetched,
    ended,
    ...(staleness && { staleness }),
  };
}
