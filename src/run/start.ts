/** The parts of a group: put together from a configuration and its shard, or as they were at its checkpoint. */
import type { Checkpoint, CheckpointInfo } from "../checkpoint/checkpoint.js";
import type { Store } from "../checkpoint/store.js";
import { claimGroup, claimIncarnation } from "../codistill/claim.js";
import { type Exchange, storeExchange } from "../codistill/exchange.js";
import { recordingStore, replayExchange } from "../codistill/replay.js";
import { teachersOf } from "../codistill/topology.js";
import { traced } from "../codistill/trace.js";
import type { Engine } from "../engine/engine.js";
import { CheckpointError, ConfigError } from "../errors.js";
import type { LoggedProcess, TeachersEvent, TrainEvent } from "../log/events.js";
import { weightProblems } from "../nn/fit.js";
import type { Model } from "../nn/model.js";
import type { NamedArrays } from "../runtime/array.js";
import { fold, rootKey } from "../runtime/random.js";
import { engineStudent } from "../train/student.js";
import { asRecorded, atStepZero, type Beginning, fromNewestSnapshot } from "./beginning.js";
import { notWaiting } from "./early-stopping.js";
import { joinRun } from "./join.js";
import { groupKeeper, readOwnCheckpoint } from "./keeper.js";
import { kindOf } from "./kinds/kinds.js";
import type { RunConfig } from "./schema.js";
import { readOwnBest } from "./score.js";
import type { Workload } from "./workload.js";

export interface GroupOptions {
  readonly config: RunConfig;
  readonly groupIndex: number;
  readonly workload: Workload;
  /** What all groups share. */
  readonly store: Store;
  /** Reads the params to begin from, by the names of the model's; drawn by the seed when left out. */
  readonly readInit?: () => Promise<NamedArrays>;
  readonly engine: Engine;
  readonly threads: number;
  /** What is this group's alone: its checkpoints. */
  readonly files: Store;
  readonly log: (event: TrainEvent) => void;
  /** Aborted when the group should cancel the step or validation that is under way, save and stop. */
  readonly stop: AbortSignal;
  readonly process: LoggedProcess;
  /** A recorded run to be taken once more, step for step. */
  readonly replay?: Replay;
  /** That the run lives in a store elsewhere: without a checkpoint here, a group that was started before begins from there. */
  readonly isJoined?: boolean;
}

/** What a recorded group left: its trace, its snapshots, and the step of its last checkpoint. */
export interface Replay {
  readonly trace: readonly TeachersEvent[];
  readonly recorded: Store;
  readonly lastStep: number;
  /** The snapshot that it began from, when not at step 0. */
  readonly began?: Pick<Beginning, "step" | "digest"> | undefined;
}

export type StartedGroup = Awaited<ReturnType<typeof startGroup>>;

/** Join the run, and put together the parts of a group, as they were at its checkpoint when there is one. */
export async function startGroup(options: GroupOptions) {
  const { config, groupIndex, workload, engine, files, log } = options;
  const { learner } = workload;
  const modelDigest = await joinRun(config, workload, options.store);
  const seed = fold(rootKey(config.seed), groupIndex);
  const student = engineStudent({ engine, learner, key: fold(seed, "steps") });

  const checkpoint = await readOwnCheckpoint(files, groupIndex, log);
  const best = await bestSoFar(options, checkpoint?.info.best ?? null);
  await claimGroup(options.store, groupIndex);
  const incarnation = await claimIncarnation(options.store, groupIndex, checkpoint?.info.incarnation);
  if (checkpoint && checkpoint.info.model !== modelDigest) {
    throw new CheckpointError(
      `the checkpoint of step ${checkpoint.info.step} is of another model; use the configuration and data it was saved with`,
    );
  }
  const beginning = checkpoint ? atStepZero : await beginningOf(options, incarnation, modelDigest);
  const begin = async () => {
    const params = beginning.params ?? (await options.readInit?.());
    if (params && !beginning.params) checkInit(params, learner.model);
    await student.init(fold(seed, "params"), params);
    if (beginning.step > 0) await student.restore(await student.state(), beginning.step);
  };
  const { state, info } = checkpoint ?? {};
  if (state && info) await student.restore(state, info.step, info.learningRateScale);
  else await begin();

  const stream = workload.stream(fold(seed, "stream"), info?.cursor ?? unreadAt(beginning.step * config.accumulate));
  const draw = fold(rootKey(config.seed), "topology");
  const teachers = teachersOf(config.codistill.topology, groupIndex, config.numGroups, draw);
  const fromStep = info?.step ?? beginning.step;
  const exchange = makeExchange(options, { teachers, model: learner.model, incarnation }, checkpoint, fromStep);
  // Before the programs of steps with teachers, which are compiled in the background and would hold it up.
  const validate = await workload.validator(engine);
  await student.prepare(teachers.length, config.accumulate);
  const keeper = groupKeeper({
    group: groupIndex,
    incarnation,
    model: modelDigest,
    student,
    begin,
    stream,
    exchange,
    validate,
    files,
    log,
    best,
    waiting: info?.waiting ?? notWaiting,
    earlyStopping: config.earlyStopping,
    // Without the file of its best params a group that has taken all its steps would ship nothing.
    mustValidate: (info?.mustValidate ?? beginning.step > 0) || (best === null && (info?.best ?? null) !== null),
    stop: options.stop,
  });
  return { learner, student, stream, exchange, keeper, incarnation };
}

/** Where a group without a checkpoint begins: a replay as what it repeats, another one of a joined run where others saw it. */
async function beginningOf(options: GroupOptions, incarnation: number, digest: string): Promise<Beginning> {
  const { config, groupIndex, store, files, workload, log, replay } = options;
  const { model } = workload.learner;
  if (replay) return replay.began ? asRecorded(replay.recorded, replay.began, model) : atStepZero;
  if (!options.isJoined || incarnation === 1) return atStepZero;
  const from = config.record ? recordingStore(store, files) : store;
  const beginning = await fromNewestSnapshot(from, groupIndex, { model, digest, numSteps: config.numSteps });
  log({ event: "began-from-snapshot", group: groupIndex, step: beginning.step, digest: beginning.digest });
  return beginning;
}

/** The beginning of an epoch that was not read in so many batches, since each takes the stream one epoch further at most. */
const unreadAt = (numBatches: number) => (numBatches > 0 ? { epoch: numBatches + 1, position: 0 } : undefined);

/** The best so far as a checkpoint says it, unless its file is gone, or damaged and the one before it counts. */
async function bestSoFar(
  { files, groupIndex, log }: GroupOptions,
  said: CheckpointInfo["best"],
): Promise<CheckpointInfo["best"]> {
  if (said === null) return null;
  let isOlder = false;
  const kept = await readOwnBest(files, groupIndex, (event) => {
    isOlder = true;
    log(event);
  });
  if (kept === null) return null;
  return isOlder ? { step: kept.step, loss: kept.validationLoss } : said;
}

/** Throws {@link ConfigError} unless the params are those of the model, finite every one. */
function checkInit(params: NamedArrays, model: Model): void {
  const problems = weightProblems(params, model);
  if (problems.length === 0) return;
  throw new ConfigError(
    `init: the weights must be params of this model:\n  ${problems.join("\n  ")}\nUse weights of the same model and data, as a run's model.safetensors.`,
  );
}

/** The exchange through the store, traced; or that of a recorded run, step for step. */
function makeExchange(
  { config, groupIndex, store, files, log, replay }: GroupOptions,
  own: { readonly teachers: readonly number[]; readonly model: Model; readonly incarnation: number },
  checkpoint: Checkpoint | null,
  fromStep: number,
): Exchange {
  if (replay) return replayExchange({ ...replay, model: own.model, fromStep });
  const live = storeExchange({
    ...config.codistill,
    store: config.record ? recordingStore(store, files) : store,
    group: groupIndex,
    isAlike: kindOf(config).isDealtByChance(config),
    ...own,
    known: checkpoint?.teachers ?? [],
    onEvent: log,
  });
  return traced(live, groupIndex, log);
}
