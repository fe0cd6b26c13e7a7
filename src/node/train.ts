/** A whole run on this machine: data, one process for each group, and the score at the end. */
import { type ChildProcess, fork } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { encodeSafetensors } from "../checkpoint/safetensors.js";
import { rowsOfGroup } from "../data/shard.js";
import { DataError, TrainingError } from "../errors.js";
import type { RunConfig } from "../run/config.js";
import { exportModel } from "../run/export.js";
import { makeLearner } from "../run/learner.js";
import { type BestParams, type GroupRecord, readBest, scoreRun } from "../run/score.js";
import type { LoggedEvent, RunResult, TrainEvent } from "../train/events.js";
import { directoryStore } from "./directory-store.js";
import { type PreparedTable, prepareTable } from "./ingest.js";
import { logWriter } from "./log.js";
import { lastStepOf, readLog } from "./read-log.js";
import { type RunFolder, runFolder } from "./run-folder.js";
import { threadedEngine } from "./threaded-engine.js";

/** The group whose model is shipped; fixed before the run, so that the best of several is not picked by luck. */
const SHIPPED_GROUP = 0;

export interface TrainOptions {
  readonly config: RunConfig;
  /** The run folder; one with checkpoints in it is gone on with. */
  readonly folder: string;
  /** Where prepared data is kept between runs. */
  readonly cacheFolder: string;
  /** Aborted to save and stop. */
  readonly stop: AbortSignal;
}

/**
 * Train all groups of a run. Everything that happens is in the run's log; returns the result, or null when it was
 * stopped.
 *
 * Throws {@link TrainingError} when group 0 failed before it had a model to ship, and what data preparation throws.
 */
export async function train({ config, folder: path, cacheFolder, stop }: TrainOptions): Promise<RunResult | null> {
  const folder = runFolder(path);
  mkdirSync(folder.path, { recursive: true });
  writeFileSync(folder.config, `${JSON.stringify(config, null, 2)}\n`);
  const log = logWriter(folder.log);
  stop.addEventListener("abort", () => log({ event: "stop-requested" }), { once: true });
  log({
    event: "run-start",
    name: config.name,
    folder: path,
    numGroups: config.numGroups,
    numSteps: config.numSteps,
    burnInSteps: config.codistill.burnInSteps,
    ships: `group ${SHIPPED_GROUP}'s best checkpoint by validation loss`,
  });
  const table = await prepareData(config, cacheFolder, log, stop).catch((error: unknown) => {
    if (stop.aborted) return null;
    throw error;
  });
  if (!table || stop.aborted) return null;
  writeFileSync(folder.data, `${JSON.stringify({ cache: table.folder, digest: table.digest }, null, 2)}\n`);

  await runGroups(config, folder, stop);
  if (stop.aborted) return null;
  log({ event: "stage", stage: "scoring the test split" });
  const result = await finish(config, folder, table);
  log({ event: "result", result });
  return result;
}

async function prepareData(
  config: RunConfig,
  cacheFolder: string,
  log: (event: TrainEvent) => void,
  signal: AbortSignal,
): Promise<PreparedTable> {
  const started = performance.now();
  const { shardBy, ...spec } = config.data;
  const onProgress = (stage: string) => log({ event: "stage", stage });
  const table = await prepareTable({ ...spec, ...(shardBy && { shardBy }) }, { cacheFolder, onProgress, signal });
  const rows = {
    train: table.train.numRows,
    validation: table.validation.numRows,
    test: table.test.numRows,
  };
  log({ event: "data-ready", rows, cached: table.cached, seconds: (performance.now() - started) / 1000 });
  checkShards(config, table);
  return table;
}

/** Throws {@link DataError} when a group's shard is too small for one batch, before any process is started. */
function checkShards({ numGroups, globalBatchSize, accumulate }: RunConfig, { train }: PreparedTable): void {
  const sizes = Array.from(
    { length: numGroups },
    (_, group) => rowsOfGroup(train.slotOffsets, group, numGroups).length,
  );
  const smallest = Math.min(...sizes);
  const batch = globalBatchSize / accumulate;
  if (smallest >= batch) return;
  throw new DataError(
    `a batch of ${batch} rows needs a shard of at least as many, and that of group ${sizes.indexOf(smallest)} of ${numGroups} has ${smallest}. ` +
      "Lower globalBatchSize, use fewer groups, or add data.",
  );
}

/** Start a process for each group and wait until all have ended; `stop` asks them to save and end. */
async function runGroups(config: RunConfig, folder: RunFolder, stop: AbortSignal): Promise<void> {
  const threads = config.threads ?? Math.max(1, Math.floor(availableParallelism() / config.numGroups));
  const groups = Array.from({ length: config.numGroups }, (_, group) => startGroup(folder, group, threads));
  const askToStop = () => {
    for (const { child } of groups) if (child.connected) child.send("stop");
  };
  const leaveNobody = () => {
    for (const { child } of groups) child.kill("SIGKILL");
  };
  stop.addEventListener("abort", askToStop, { once: true });
  process.once("exit", leaveNobody);
  await Promise.all(groups.map(({ ended }) => ended));
  process.removeListener("exit", leaveNobody);
  stop.removeEventListener("abort", askToStop);
}

function startGroup(folder: RunFolder, group: number, threads: number): { child: ChildProcess; ended: Promise<void> } {
  const { path, log, errors } = folder.group(group);
  mkdirSync(path, { recursive: true });
  const numEventsBefore = readLog(log).length;
  const errorFile = openSync(errors, "w");
  const entry = fileURLToPath(new URL("./group-main.js", import.meta.url));
  const child = fork(entry, [folder.path, String(group), String(threads)], {
    stdio: ["ignore", "ignore", errorFile, "ipc"],
  });
  closeSync(errorFile);
  const ended = new Promise<void>((resolve) => {
    child.once("exit", (code, signal) => {
      const events = readLog(log).slice(numEventsBefore);
      if (events.at(-1)?.event !== "group-end") {
        const how = signal ? `was killed by ${signal}` : `exited with code ${code}`;
        const message = [`its process ${how}`, readFileSync(errors, "utf8").trim()].filter(Boolean).join(": ");
        // A group that died without a word gets its last event from here.
        logWriter(log)({ event: "group-end", group, step: lastStepOf(events), reason: "failed", message, seconds: 0 });
      }
      resolve();
    });
  });
  return { child, ended };
}

/** Score what the groups have, and write the shipped model. */
async function finish(config: RunConfig, folder: RunFolder, table: PreparedTable): Promise<RunResult> {
  const records = await Promise.all(
    Array.from({ length: config.numGroups }, async (_, group) => ({
      ...groupRecord(group, readLog(folder.group(group).log)),
      best: await readBest(directoryStore(folder.group(group).path)),
    })),
  );
  const scored = records.filter((record): record is GroupRecord & { best: BestParams } => record.best !== null);
  const shipped = scored.find(({ group }) => group === SHIPPED_GROUP);
  if (!shipped) {
    const end = readLog(folder.group(SHIPPED_GROUP).log).findLast((event) => event.event === "group-end");
    throw new TrainingError(
      `group ${SHIPPED_GROUP} ended before its first validation, so there is no model to ship: ${end?.message ?? "no reason in its log"}`,
    );
  }
  const learner = makeLearner(config, table.preprocessing);
  const engine = threadedEngine({ threads: availableParallelism() });
  const result = await scoreRun(engine, learner, scored, table.test, SHIPPED_GROUP);
  await engine.close();

  const { params, step } = shipped.best;
  const features = { ...config.data.categorical, ...config.data.numeric };
  const metadata = {
    name: config.name,
    step: String(step),
    label: config.data.label,
    features: JSON.stringify(features),
  };
  writeFileSync(folder.model.onnx, exportModel(learner, table.preprocessing, params, metadata));
  writeFileSync(folder.model.safetensors, encodeSafetensors(params, metadata));
  writeFileSync(folder.result, `${JSON.stringify(result, null, 2)}\n`);
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

/** A new run folder's path: the run's name and the time. */
export function newRunFolder(root: string, name: string, now = new Date()): string {
  return join(root, `${name}-${now.toISOString().slice(0, 19).replaceAll(":", "-")}`);
}
