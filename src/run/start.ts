/** The parts of a group: put together from a configuration and its shard, or as they were at its checkpoint. */
import { claimGroup, claimIncarnation, watchStarts } from "../checkpoint/claims.js";
import { recordingStore } from "../checkpoint/recordings.js";
import type { Store } from "../checkpoint/store.js";
import { prefetched } from "../data/prefetched.js";
import { type StepReader, stepReader } from "../data/step-reader.js";
import type { Cursor } from "../data/stream.js";
import type { Engine } from "../engine/engine.js";
import { CheckpointError, ConfigError } from "../errors.js";
import type { LoggedProcess, TeachersEvent, TrainEvent } from "../log/events.js";
import { transferred, weightProblems } from "../nn/fit.js";
import { initWeights, type Model } from "../nn/model.js";
import { firstNames } from "../report/format.js";
import type { NamedArrays } from "../runtime/array.js";
import { fold, type Key, rootKey } from "../runtime/random.js";
import type { Crew } from "../train/crew.js";
import type { Learner } from "../train/graphs.js";
import { latestOnly } from "../train/latest-only.js";
import { engineStudent } from "../train/student.js";
import type { Base, Servers } from "./algorithms/kind.js";
import { algorithmOf } from "./algorithms.js";
import { asRecorded, atStepZero, type Beginning, fromNewestSnapshot } from "./beginning.js";
import { joinRun } from "./declaration.js";
import { notWaiting } from "./early-stopping.js";
import { groupKeeper } from "./keeper.js";
import { kindOf } from "./kinds/kinds.js";
import { readOwnCheckpoint, type SavedInfo } from "./saved-group.js";
import type { RunConfig } from "./schema.js";
import { readOwnBest } from "./score.js";
import type { GroupSpec } from "./specs.js";

export interface GroupOptions {
  readonly config: RunConfig;
  readonly groupIndex: number;
  readonly spec: GroupSpec;
  /** The store that all groups share. */
  readonly store: Store;
  /** Reads the params to begin from, by the names of the model's; drawn by the seed when left out. */
  readonly readInit?: (() => Promise<NamedArrays>) | undefined;
  /** Reads the weights of the teachers that do not change and predict in the step; there are none when left out. */
  readonly readTeachers?: (() => Promise<readonly NamedArrays[]>) | undefined;
  readonly engine: Engine;
  readonly threads: number;
  /** The group's own folder, with its checkpoints. */
  readonly files: Store;
  readonly log: (event: TrainEvent) => void;
  /** Aborted when the group should cancel the step or validation that is under way, save and stop. */
  readonly stop: AbortSignal;
  readonly process: LoggedProcess;
  /** The recorded run that this one repeats, step by step. */
  readonly replay?: Replay | undefined;
  /**
   * Whether the run's store is elsewhere: a group without a checkpoint here that was started before then begins from
   * its newest snapshot in the store.
   */
  readonly isJoined?: boolean | undefined;
  /** Starts the other workers of this group, which the group leads; without it there are none. */
  readonly startCrew?: ((leader: CrewLeader) => Crew) | undefined;
  /** Makes another engine like the group's own, for algorithms with several students; whoever runs the group closes it. */
  readonly startEngine?: (() => Engine) | undefined;
  /** Starts the workers of this group and so many parameter servers, for algorithms on a base of their own. */
  readonly startServers?: ((numServers: number) => Promise<Servers>) | undefined;
}

/** What the workers of a group need of the one that leads. */
export interface CrewLeader {
  readonly learner: Learner;
  /** Where the batches of its next step begin. */
  readonly cursor: () => Cursor;
}

/** The record of a group: its trace, its snapshots, and the step of its last checkpoint. */
export interface Replay {
  readonly trace: readonly TeachersEvent[];
  readonly recorded: Store;
  readonly lastStep: number;
  /** The snapshot that it began from, when not at step 0. */
  readonly began?: Pick<Beginning, "step" | "digest"> | undefined;
}

export type StartedGroup = Awaited<ReturnType<typeof startGroup>>;

/** Seconds that a look at the claims of a group's starts may take. */
const STORE_SECONDS = 60;

/** Join the run, and put together the parts of a group, as they were at its checkpoint when there is one. */
export async function startGroup(options: GroupOptions) {
  const { config, groupIndex, spec, engine, files, log } = options;
  const { learner } = spec;
  const modelDigest = await joinRun(config, spec, options.store);
  const seed = groupKey(config, groupIndex);
  let reading: StepReader | undefined;
  const cursor = () => (reading as StepReader).begin();
  const startCrew = () => options.startCrew?.({ learner, cursor });
  const base = await baseOf(options, startCrew);
  const crew = base ? base.crew : startCrew();
  const { accumulate } = config;
  const key = stepsKey(config, groupIndex);
  const fixedWeights = base ? undefined : await options.readTeachers?.();
  const student = base?.student ?? engineStudent({ engine, learner, key, accumulate, fixedWeights, crew });

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
    const params = beginning.params ?? (await initOf(options, fold(seed, "params")));
    await student.init(fold(seed, "params"), params);
    if (beginning.step > 0) await student.restore(await student.state(), beginning.step);
  };
  const { state, info } = checkpoint ?? {};
  if (state && info) await student.restore(state, info.step, info.learningRateScale);
  else await begin();

  const from = info?.cursor ?? unreadAt(beginning.step * config.accumulate);
  // The batches of the next step are read while the engine takes this one.
  const part = crew && { index: 0, count: crew.comm.size };
  const source = spec.stream(streamKey(config, groupIndex), from, part);
  const fromStep = info?.step ?? beginning.step;
  if (!base?.open) reading = stepReader(prefetched(source, config.accumulate), config.accumulate);
  const stream = base?.open?.(source, checkpoint?.algorithm ?? null, fromStep) ?? (reading as StepReader).stream;
  const tell = (message: string) => log({ event: "warning", group: groupIndex, step: student.step, message });
  const starts = watchStarts(options.store, groupIndex, incarnation, { isClaimed: true, tell });
  // For algorithms that publish nothing. The others look for a newer start before each publication, and log a store
  // that fails.
  const look = latestOnly(
    STORE_SECONDS,
    async (_: null, signal) => void (await starts.isNewest(signal)),
    () => {},
  );
  const algorithm = algorithmOf(config).start({
    ...{ student, stream, incarnation, starts, log },
    group: groupIndex,
    numGroups: config.numGroups,
    numSteps: lastStepOf(options),
    accumulate: config.accumulate,
    model: learner.model,
    seed: rootKey(config.seed),
    store: sharedStore(options),
    isAlike: kindOf(config).isDealtByChance(config),
    saved: checkpoint?.algorithm ?? null,
    fromStep,
    checkpointInterval: config.checkpointInterval,
    replay: options.replay,
  });
  // Compiled first, since the programs of steps with teachers, compiled in the background, would delay it.
  const validateEngine = await spec.validator(crew?.updater ?? engine);
  const validate = base?.validating?.(validateEngine) ?? validateEngine;
  await algorithm.prepare();
  const keeper = groupKeeper({
    group: groupIndex,
    incarnation,
    model: modelDigest,
    student,
    begin,
    stream,
    algorithm,
    validate,
    files,
    log,
    best,
    waiting: info?.waiting ?? notWaiting,
    earlyStopping: config.earlyStopping,
    stopAtLoss: config.stopAtLoss,
    // A group that has lost the file of its best params must validate again, or it would ship nothing after its last
    // step.
    mustValidate: (info?.mustValidate ?? beginning.step > 0) || (best === null && (info?.best ?? null) !== null),
    isOutOfTime: info?.isOutOfTime ?? false,
    stop: options.stop,
  });
  return { learner, student, stream, algorithm, starts, look, keeper, incarnation };
}

/** How a group takes its steps, where its algorithm says so. */
function baseOf(
  { config, groupIndex, spec, engine, startEngine, startServers }: GroupOptions,
  startCrew: () => Crew | undefined,
): Promise<Base | null> {
  const { accumulate, workers, numSteps } = config;
  return algorithmOf(config).base({
    ...{ engine, learner: spec.learner, key: stepsKey(config, groupIndex), accumulate, workers, numSteps, startCrew },
    startEngine() {
      if (startEngine) return startEngine();
      throw new ConfigError(
        `algorithm.kind: "${config.algorithm.kind}" needs several engines, which \`codistill train\` makes; runGroup is given startEngine`,
      );
    },
    async startServers(numServers) {
      if (startServers) return startServers(numServers);
      throw new ConfigError(
        'algorithm.kind: "asyncSgd" needs workers and servers, which `codistill train` starts; runGroup is given startServers',
      );
    },
  });
}

/**
 * Where a group without a checkpoint begins: a replay where the recorded group began, a restarted group of a joined run
 * at its newest snapshot, every other group at step 0.
 */
async function beginningOf(options: GroupOptions, incarnation: number, digest: string): Promise<Beginning> {
  const { config, groupIndex, spec, log, replay } = options;
  const { model } = spec.learner;
  if (replay) return replay.began ? asRecorded(replay.recorded, replay.began, model) : atStepZero;
  if (!options.isJoined || incarnation === 1) return atStepZero;
  const store = sharedStore(options);
  const beginning = await fromNewestSnapshot(store, groupIndex, { model, digest, numSteps: config.numSteps });
  log({ event: "began-from-snapshot", group: groupIndex, step: beginning.step, digest: beginning.digest });
  return beginning;
}

/** The key of a group's seed. */
function groupKey({ seed }: Pick<RunConfig, "seed">, group: number): Key {
  return fold(rootKey(seed), group);
}

/** What a random model of a group draws by. */
export function stepsKey(config: Pick<RunConfig, "seed">, group: number): Key {
  return fold(groupKey(config, group), "steps");
}

/** What the order of a group's examples depends on. */
export function streamKey(config: Pick<RunConfig, "seed">, group: number): Key {
  return fold(groupKey(config, group), "stream");
}

/** A cursor at the beginning of an epoch that was not read yet: `numBatches` batches reach that many epochs at most. */
const unreadAt = (numBatches: number) => (numBatches > 0 ? { epoch: numBatches + 1, position: 0 } : undefined);

/**
 * The best so far as the checkpoint has it; as the older file has it when the newest is damaged; null when both are
 * gone.
 */
async function bestSoFar(
  { files, groupIndex, log }: GroupOptions,
  said: SavedInfo["best"],
): Promise<SavedInfo["best"]> {
  if (said === null) return null;
  let isOlder = false;
  const kept = await readOwnBest(files, groupIndex, (event) => {
    isOlder = true;
    log(event);
  });
  if (kept === null) return null;
  return isOlder ? { step: kept.step, loss: kept.validationLoss } : said;
}

/** The weights that `init` names: all of a model's, or those that fit, the others drawn by the key. Logs what is drawn. */
async function initOf({ config, groupIndex, spec, log, readInit }: GroupOptions, key: Key) {
  const given = await readInit?.();
  const { model } = spec.learner;
  if (!given || typeof config.init !== "object" || config.init.fit !== "transfer") {
    if (given) checkInit(given, model);
    return given;
  }
  const { weights, missed } = transferred(given, initWeights(model, key));
  const numAll = Object.keys(weights).length;
  if (missed.length === numAll) {
    const [name = "", own] = Object.entries(weights)[0] ?? [];
    const shown = (array: NamedArrays[string] | undefined) => (array ? `[${array.shape.join(", ")}]` : "not there");
    throw new ConfigError(
      `init.fit: "transfer" takes weights of the same name and shape, and ${config.init.path} has none: ${name} is ${shown(own)} here and ${shown(given[name])} there. Use the same kind of model, with the same widths or depth.`,
    );
  }
  checkInit(weights, model);
  const message = `init: ${numAll - missed.length} of ${numAll} arrays of weights are those of ${config.init.path}${missed.length > 0 ? `; drawn anew: ${firstNames(missed, 6)}` : ""}`;
  log({ event: "warning", group: groupIndex, step: 0, message });
  return weights;
}

/** Throws {@link ConfigError} unless the params fit the model and are finite. */
function checkInit(params: NamedArrays, model: Model): void {
  const problems = weightProblems(params, model);
  if (problems.length === 0) return;
  throw new ConfigError(
    `init: the weights must be params of this model:\n  ${problems.join("\n  ")}\nUse weights of the same model and data, as a run's model.safetensors.`,
  );
}

/** The store that all groups share; in a run with `record`, it keeps every snapshot that is read. */
function sharedStore({ config, store, files }: GroupOptions): Store {
  return config.record ? recordingStore(store, files) : store;
}

/** The last step of a group: in a replay, that of the recorded group's last checkpoint. */
export function lastStepOf({ config, replay }: GroupOptions): number {
  return replay?.lastStep ?? config.numSteps;
}
