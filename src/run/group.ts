/** One group of a run, from its configuration and its shard to its best checkpoint. */
import { type Checkpoint, readCheckpoint, writeCheckpoint } from "../checkpoint/checkpoint.js";
import { sha256 } from "../checkpoint/digest.js";
import { encodeSafetensors } from "../checkpoint/safetensors.js";
import type { Store } from "../checkpoint/store.js";
import { claimGroup, claimIncarnation } from "../codistill/claim.js";
import { codistill, type Step } from "../codistill/codistill.js";
import { type Exchange, storeExchange } from "../codistill/exchange.js";
import { recordingStore, replayExchange } from "../codistill/replay.js";
import { teachersOf } from "../codistill/topology.js";
import { traced } from "../codistill/trace.js";
import { batchStream } from "../data/stream.js";
import type { Preprocessing, Rows } from "../data/table.js";
import { CheckpointError, TrainingError } from "../errors.js";
import { countParams, forwardOnnx, type Model } from "../nn/model.js";
import { linearSchedule, type Schedule } from "../optim/schedules.js";
import { allFinite } from "../runtime/array.js";
import type { Engine } from "../runtime/engine.js";
import { fold, key } from "../runtime/random.js";
import { predictAll, score } from "../train/evaluate.js";
import type { TeachersEvent, TrainEvent } from "../train/events.js";
import { kept, predictGraph } from "../train/graphs.js";
import { createStudent } from "../train/student.js";
import { declarationOf, declareRun } from "./declaration.js";
import { makeLearner } from "./learner.js";
import { stepMeter } from "./meter.js";
import type { RunConfig } from "./schema.js";

/** Names of a group's own files. */
export const groupFiles = { checkpoint: "checkpoint.safetensors", best: "best.safetensors" } as const;

/** What the metadata of a group's best params says that it is. */
export const BEST_FORMAT = "codistill.params";

/** The version of that metadata. */
export const BEST_VERSION = 1;

/** A group's part of the data. */
export interface GroupData {
  readonly digest: string;
  readonly preprocessing: Preprocessing;
  /** Training rows in memory, and which of them are this group's shard. */
  readonly train: Rows;
  readonly shard: Uint32Array;
  readonly validation: Rows;
}

/** What decides whether a configuration and its data are those of the run in a store. */
export interface JoinOptions {
  readonly config: RunConfig;
  readonly data: Pick<GroupData, "digest" | "preprocessing">;
  /** What all groups share. */
  readonly store: Store;
}

export interface GroupOptions extends JoinOptions {
  readonly groupIndex: number;
  readonly data: GroupData;
  readonly engine: Engine;
  readonly threads: number;
  /** What is this group's alone: its checkpoints. */
  readonly files: Store;
  readonly log: (event: TrainEvent) => void;
  /** Aborted when the group should save and stop. */
  readonly stop: AbortSignal;
  readonly processId: number;
  /** A recorded run to be taken once more, step for step. */
  readonly replay?: Replay;
}

/** What a recorded group left: its trace, its snapshots, and the step of its last checkpoint. */
export interface Replay {
  readonly trace: readonly TeachersEvent[];
  readonly recorded: Store;
  readonly lastStep: number;
}

/**
 * Train one group to its last step, going on from its checkpoint when there is one.
 *
 * Throws {@link TrainingError} when the loss stops being finite or the group was started again elsewhere, {@link ConfigError} when the run in the store is
 * another one, {@link CheckpointError} when the checkpoint is not this model's.
 */
export async function runGroup(options: GroupOptions): Promise<"finished" | "stopped"> {
  const { config, groupIndex, data, engine, files, log, stop } = options;
  const { learner, modelDigest } = await joinRun(options);
  const student = createStudent({ engine, learner });
  const seed = fold(key(config.seed), groupIndex);

  const checkpoint = await readCheckpoint(files, groupFiles.checkpoint);
  await claimGroup(options.store, groupIndex);
  const incarnation = await claimIncarnation(options.store, groupIndex);
  if (checkpoint && checkpoint.info.model !== modelDigest) {
    throw new CheckpointError(
      `the checkpoint of step ${checkpoint.info.step} is of another model; use the configuration and data it was saved with`,
    );
  }
  if (checkpoint) await student.restore(checkpoint.state, checkpoint.info.step);
  else await student.init(fold(seed, "params"));
  let best = checkpoint?.info.best ?? null;

  const stream = batchStream({
    rows: data.train,
    indices: data.shard,
    batchSize: config.globalBatchSize / config.accumulate,
    key: fold(seed, "stream"),
    ...(checkpoint && { cursor: checkpoint.info.cursor }),
  });
  const exchange = makeExchange(options, learner.model, incarnation, checkpoint);
  const predictor = await engine.compile(predictGraph(learner, kept.params));

  async function validate(step: number): Promise<void> {
    const { loss, auc } = score(await predictAll(predictor, data.validation));
    if (!Number.isFinite(loss)) throw notFinite("validation loss", step, `it was ${loss}`);
    const isBest = best === null || loss < best.loss;
    if (isBest) {
      best = { step, loss };
      const metadata = {
        format: BEST_FORMAT,
        version: String(BEST_VERSION),
        step: String(step),
        validationLoss: String(loss),
        model: modelDigest,
      };
      await files.put(groupFiles.best, encodeSafetensors(await student.params(), metadata));
    }
    log({ event: "validation", group: groupIndex, step, loss, auc, best: isBest });
  }

  async function save(step: number): Promise<void> {
    const started = performance.now();
    const info = { group: groupIndex, step, incarnation, model: modelDigest, cursor: stream.cursor, best };
    const state = await student.state();
    if (!allFinite(state)) throw notFinite("params", step, "they were not");
    const bytes = await writeCheckpoint(files, groupFiles.checkpoint, { info, state, teachers: exchange.known() });
    log({ event: "checkpoint", group: groupIndex, step, bytes, seconds: (performance.now() - started) / 1000 });
  }

  log({
    event: "group-start",
    group: groupIndex,
    pid: options.processId,
    incarnation,
    step: student.step,
    numSteps: options.replay?.lastStep ?? config.numSteps,
    trainRows: data.shard.length,
    numParams: countParams(learner.model),
    threads: options.threads,
  });
  const started = performance.now();
  const meter = stepMeter(groupIndex, student.step);
  const { accumulate } = config;
  const numSteps = options.replay?.lastStep ?? config.numSteps;
  const { burnInSteps, distillWeight: line } = config.codistill;
  const weight = linearSchedule(line.from, line.to, line.steps);
  const distillWeight: Schedule = (step) => weight(step - burnInSteps);
  const loop = codistill({ ...config.codistill, student, stream, exchange, numSteps, accumulate, distillWeight });
  for await (const step of loop) {
    checkFinite(step);
    checkNewest(incarnation, exchange.supersededBy);
    const isLast = step.step === numSteps;
    const isDue = (interval: number) => isLast || step.step % interval === 0;
    meter.add(step);
    if (isDue(config.logInterval)) log(meter.take());
    if (isDue(config.validationInterval)) await validate(step.step);
    if (isDue(config.checkpointInterval) || stop.aborted) await save(step.step);
    if (stop.aborted) break;
  }
  await exchange.idle();
  const reason = student.step === numSteps ? "finished" : "stopped";
  log({
    event: "group-end",
    group: groupIndex,
    step: student.step,
    reason,
    seconds: (performance.now() - started) / 1000,
  });
  return reason;
}

/**
 * Build the learner, and declare the run in the store or adopt what is declared there.
 *
 * Throws {@link ConfigError} when another run is declared there.
 */
export async function joinRun({ config, data, store }: JoinOptions) {
  const learner = makeLearner(config, data.preprocessing);
  const modelDigest = await sha256(forwardOnnx(learner.model));
  await declareRun(store, declarationOf(config, data, modelDigest));
  return { learner, modelDigest };
}

/** The exchange through the store, traced; or that of a recorded run, step for step. */
function makeExchange(
  { config, groupIndex, store, files, log, replay }: GroupOptions,
  model: Model,
  incarnation: number,
  checkpoint: Checkpoint | null,
): Exchange {
  if (replay) return replayExchange({ ...replay, model, fromStep: checkpoint?.info.step ?? 0 });
  const { topology } = config.codistill;
  const live = storeExchange({
    ...config.codistill,
    store: config.record ? recordingStore(store, files) : store,
    group: groupIndex,
    teachers: teachersOf(topology, groupIndex, config.numGroups, fold(key(config.seed), "topology")),
    incarnation,
    model,
    known: checkpoint?.teachers ?? [],
    onEvent: log,
  });
  return traced(live, groupIndex, log);
}

function checkNewest(incarnation: number, newest: number | null): void {
  if (newest === null) return;
  throw new TrainingError(
    `a group runs once at a time: this is its start number ${incarnation}, and number ${newest} has been made since, ` +
      "here or on another machine. This one stops; its last checkpoint is kept.",
  );
}

function checkFinite({ step, labelLoss, gradNorm, learningRate }: Step): void {
  if (Number.isFinite(labelLoss) && Number.isFinite(gradNorm)) return;
  const rate = `learning rate ${learningRate}`;
  throw notFinite("loss", step, `it was ${labelLoss} with a gradient norm of ${gradNorm} (${rate})`);
}

function notFinite(what: string, step: number, how: string): TrainingError {
  return new TrainingError(
    `the ${what} must stay finite, at step ${step} ${how}. ` +
      "Lower optimizer.learningRate, or look for absurd values in the data. The last checkpoint is kept.",
  );
}
