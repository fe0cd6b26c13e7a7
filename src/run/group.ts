/** One group of a run, from its configuration and its shard to its best checkpoint. */
import { readCheckpoint } from "../checkpoint/checkpoint.js";
import { sha256 } from "../checkpoint/digest.js";
import type { Store } from "../checkpoint/store.js";
import { codistill, type Step } from "../codistill/codistill.js";
import { storeExchange } from "../codistill/exchange.js";
import { teachersOf } from "../codistill/topology.js";
import { batchStream } from "../data/stream.js";
import type { Preprocessing, Rows } from "../data/table.js";
import { CheckpointError, ConfigError, TrainingError } from "../errors.js";
import { countParams, forwardOnnx, type Model } from "../nn/model.js";
import { linearSchedule, type Schedule } from "../optim/schedules.js";
import type { NamedArrays } from "../runtime/array.js";
import type { Engine } from "../runtime/engine.js";
import { misfits } from "../runtime/named.js";
import { fold, key } from "../runtime/random.js";
import type { TrainEvent } from "../train/events.js";
import { predictGraph, shippedName } from "../train/graphs.js";
import { createStudent, type Student } from "../train/student.js";
import { claimIncarnation } from "./claim.js";
import { declarationOf, declareRun } from "./declaration.js";
import { notWaiting } from "./early-stopping.js";
import {
  afterRestore,
  afterSave,
  afterStep,
  healthAt,
  MAX_RESTORES,
  mustRestore,
  RESTORED_LEARNING_RATE,
  SKIPS_BEFORE_RESTORE,
} from "./health.js";
import { groupFiles, makeKeeper } from "./keeper.js";
import { makeLearner } from "./learner.js";
import { stepMeter } from "./meter.js";
import type { RunConfig } from "./schema.js";

/** A group's part of the data. */
export interface GroupData {
  readonly digest: string;
  readonly preprocessing: Preprocessing;
  /** Training rows in memory, and which of them are this group's shard. */
  readonly train: Rows;
  readonly shard: Uint32Array;
  readonly validation: Rows;
}

export interface GroupOptions {
  readonly config: RunConfig;
  readonly groupIndex: number;
  readonly data: GroupData;
  /** Reads the params to begin from, by the names of the model's; drawn by the seed when left out. */
  readonly readInit?: () => Promise<NamedArrays>;
  readonly engine: Engine;
  readonly threads: number;
  /** What all groups share. */
  readonly store: Store;
  /** What is this group's alone: its checkpoints. */
  readonly files: Store;
  readonly log: (event: TrainEvent) => void;
  /** Aborted when the group should save and stop. */
  readonly stop: AbortSignal;
  readonly processId: number;
}

/**
 * Train one group to its last step, going on from its checkpoint when there is one.
 *
 * Throws {@link TrainingError} when numbers stop being finite and going back to the checkpoint does not help,
 * {@link ConfigError} when the run in the store is another one or the initial weights do not fit, {@link CheckpointError} when the checkpoint is not this
 * model's.
 */
export async function runGroup(options: GroupOptions): Promise<"finished" | "stopped"> {
  const { config, groupIndex, data, log } = options;
  const { numSteps } = config;
  const group = await startGroup(options);
  const { student, exchange, keeper } = group;
  log({
    event: "group-start",
    group: groupIndex,
    pid: options.processId,
    incarnation: group.incarnation,
    step: student.step,
    numSteps,
    trainRows: data.shard.length,
    numParams: countParams(group.learner.model),
    threads: options.threads,
  });
  const started = performance.now();
  // A group that had stopped early has nothing left to do.
  if (!keeper.stopsEarly()) await trainGroup(options, group);
  await exchange.idle();
  const reason = student.step === numSteps || keeper.stopsEarly() ? "finished" : "stopped";
  const seconds = (performance.now() - started) / 1000;
  log({ event: "group-end", group: groupIndex, step: student.step, reason, seconds });
  return reason;
}

/** The loop: steps, what is due after each, and the way back when numbers are not finite. */
async function trainGroup(options: GroupOptions, { student, stream, exchange, keeper }: StartedGroup): Promise<void> {
  const { config, groupIndex, log, stop } = options;
  const { numSteps, accumulate } = config;
  const { burnInSteps, distillWeight: line } = config.codistill;
  const weight = linearSchedule(line.from, line.to, line.steps);
  const distillWeight: Schedule = (step) => weight(step - burnInSteps);
  let health = healthAt(student.step);
  let meter = stepMeter(groupIndex, student.step);

  async function save(): Promise<string | null> {
    const trouble = await keeper.save();
    if (!trouble) health = afterSave(health, student.step);
    return trouble;
  }

  /** What is due after a step; returns what is wrong with the group, or null. */
  async function tend(step: Step): Promise<string | null> {
    const isLast = step.step === numSteps;
    const isDue = (interval: number) => isLast || step.step % interval === 0;
    health = afterStep(health, step.skipped !== null);
    if (step.skipped === null) meter.add(step);
    else log(skippedEvent(groupIndex, step, step.skipped));
    if (isDue(config.logInterval) && meter.hasSteps()) log(meter.take());
    if (mustRestore(health)) return notFinite(step);
    const trouble = isDue(config.validationInterval) ? await keeper.validate() : null;
    if (trouble) return trouble;
    // Not of a skipped step, but at the end: a checkpoint is of a step that was good.
    const isGood = step.skipped === null || isLast;
    const mustSave = stop.aborted || keeper.stopsEarly() !== null;
    return (isDue(config.checkpointInterval) && isGood) || mustSave ? save() : null;
  }

  async function goBack(reason: string): Promise<void> {
    const next = afterRestore(health);
    if (!next) throw hopeless(reason, student);
    const fromStep = student.step;
    await keeper.restore(student.learningRateScale * RESTORED_LEARNING_RATE);
    health = next;
    meter = stepMeter(groupIndex, student.step);
    const { step, learningRateScale } = student;
    log({ event: "restored", group: groupIndex, step, fromStep, learningRateScale, reason });
  }

  const loop = codistill({ ...config.codistill, student, stream, exchange, numSteps, accumulate, distillWeight });
  for await (const step of loop) {
    const trouble = await tend(step);
    if (trouble) await goBack(trouble);
    const best = keeper.stopsEarly();
    if (best && student.step < numSteps) {
      log({ event: "stopped-early", group: groupIndex, step: student.step, bestStep: best.step, bestLoss: best.loss });
      exchange.publish(student.step, await student.params());
    }
    if (best || stop.aborted) break;
  }
}

type StartedGroup = Awaited<ReturnType<typeof startGroup>>;

/** Join the run, and put together the parts of a group, as they were at its checkpoint when there is one. */
async function startGroup(options: GroupOptions) {
  const { config, groupIndex, data, engine, files, log } = options;
  const { learner, modelDigest } = await joinRun(options);
  const student = createStudent({ engine, learner });
  const seed = fold(key(config.seed), groupIndex);

  const checkpoint = await readCheckpoint(files, groupFiles.checkpoint);
  const incarnation = await claimIncarnation(options.store, groupIndex);
  if (checkpoint && checkpoint.info.model !== modelDigest) {
    throw new CheckpointError(
      `the checkpoint of step ${checkpoint.info.step} is of another model; use the configuration and data it was saved with`,
    );
  }
  const begin = async () => {
    const params = await options.readInit?.();
    if (params) checkInit(params, learner.model);
    await student.init(fold(seed, "params"), params);
  };
  const { state, info } = checkpoint ?? {};
  if (state && info) await student.restore(state, info.step, info.learningRateScale);
  else await begin();

  const stream = batchStream({
    rows: data.train,
    indices: data.shard,
    batchSize: config.globalBatchSize / config.accumulate,
    key: fold(seed, "stream"),
    ...(info && { cursor: info.cursor }),
  });
  const exchange = storeExchange({
    ...config.codistill,
    store: options.store,
    group: groupIndex,
    teachers: teachersOf(config.codistill.topology, groupIndex, config.numGroups, fold(key(config.seed), "topology")),
    incarnation,
    model: learner.model,
    known: checkpoint?.teachers ?? [],
    onEvent: log,
  });
  const keeper = makeKeeper({
    group: groupIndex,
    incarnation,
    model: modelDigest,
    student,
    begin,
    stream,
    exchange,
    predictor: await engine.compile(predictGraph(learner, shippedName(learner))),
    validation: data.validation,
    files,
    log,
    best: info?.best ?? null,
    waiting: info?.waiting ?? notWaiting,
    earlyStopping: config.earlyStopping,
  });
  return { learner, student, stream, exchange, keeper, incarnation };
}

/** Build the learner, and declare the run in the store or adopt what is declared there. */
async function joinRun({ config, data, store }: GroupOptions) {
  const learner = makeLearner(config, data.preprocessing);
  const modelDigest = await sha256(forwardOnnx(learner.model));
  await declareRun(store, declarationOf(config, data, modelDigest));
  return { learner, modelDigest };
}

/** Throws {@link ConfigError} unless the params are those of the model, finite every one. */
function checkInit(params: NamedArrays, { params: expected }: Model): void {
  const unfit = misfits(params, expected);
  const wild = Object.entries(params).filter(([, { data }]) => !(data as Float32Array).every(Number.isFinite));
  const problems = unfit.length > 0 ? unfit : wild.map(([name]) => `${name} holds values that are not finite`);
  if (problems.length === 0) return;
  throw new ConfigError(
    `init: the weights must be params of this model:\n  ${problems.join("\n  ")}\nUse weights of the same model and data, as a run's model.safetensors.`,
  );
}

function skippedEvent(group: number, step: Step, reason: string): TrainEvent {
  const { labelLoss, distillLoss, gradNorm } = step;
  return { event: "step-skipped", group, step: step.step, labelLoss, distillLoss, gradNorm, reason };
}

function notFinite({ step, skipped, learningRate }: Step): string {
  return (
    `losses and gradients must stay finite, and ${SKIPS_BEFORE_RESTORE} steps in a row were skipped; ` +
    `step ${step} had ${skipped} (learning rate ${learningRate})`
  );
}

function hopeless(reason: string, { learningRateScale }: Student): TrainingError {
  return new TrainingError(
    `${reason}. Going back ${MAX_RESTORES} times, at last with the learning rate x ${learningRateScale}, did not help. ` +
      "Lower optimizer.learningRate, or look for absurd values in the data. The last checkpoint is kept.",
  );
}
