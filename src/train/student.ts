import type { Communicator } from "../comm/communicator.js";
import type { Engine, WriteOptions } from "../engine/engine.js";
import { CheckpointError, ConfigError } from "../errors.js";
import { checkFit, SAME_CONFIGURATION } from "../nn/fit.js";
import { keyName, weightSpecs } from "../nn/model.js";
import type { Schedule } from "../optim/schedules.js";
import { int32, type NamedArrays, scalar } from "../runtime/array.js";
import { type Closable, closable } from "../runtime/closable.js";
import { mapValues } from "../runtime/named.js";
import { fold, type Key, rootKey } from "../runtime/random.js";
import type { Crew } from "./crew.js";
import { fixedState } from "./fixed-networks.js";
import { freshFeeds } from "./fresh-rows.js";
import { type Distillation, type Learner, shippedName, stateNames, weightState } from "./graphs.js";
import { partStates } from "./part-states.js";
import { engineStates, isState, type States, taughtIn } from "./states.js";
import { metricsOf, type StepMetrics } from "./step-metrics.js";
import { fusedStepper, splitStepper } from "./stepper.js";
import { initialState, readWeights, stateSpecs } from "./student-state.js";
import { fixedTensors, teacherTensors } from "./teacher-precision.js";

export type { StepMetrics } from "./step-metrics.js";

/** A teacher: weights that predict beside the student, and where they are from. */
export interface Teacher {
  /** The group that published them, and the step at which it did. */
  readonly group: number;
  readonly step: number;
  /** SHA-256 of the snapshot, in hex: teachers with the same digest are the same. */
  readonly digest: string;
  /** As whose state its own is kept from step to step, where a model carries one: a number of its own, the group by default. */
  readonly reader?: number;
  /** Its params, and the buffers of a model that has some; they do not change again. */
  readonly params: NamedArrays;
}

/**
 * Everything that resuming needs of a student: `params.*`, `optState.*`, `buffers.*`, `ema.*` of averaged params, and of a
 * model that carries a state `state.*` and `teacherState.<group>.*`.
 */
export type StudentState = NamedArrays;

export interface StudentOptions {
  readonly engine: Engine;
  readonly learner: Learner;
  /**
   * The key of a random model's draws, such as dropout: each batch of each step has a child key. That of seed 0 by
   * default.
   */
  readonly key?: Key | undefined;
  /** Batches of a step, where the model carries a state: one for each that continues what it read. 1 by default. */
  readonly accumulate?: number | undefined;
  /** The weights of the learner's fixed teachers that predict in the step, in their order; they never change again. */
  readonly fixedWeights?: readonly NamedArrays[] | undefined;
  /** The other workers that take each step together with this one, which leads; none by default. */
  readonly crew?: Crew | undefined;
}

/** By whom a step was taught, where that may be others than those of now: the teachers of an earlier call. */
export interface Taught<T extends Teacher> {
  readonly taughtBy?: readonly T[];
}

/**
 * The model being trained: params and optimizer state in an engine, and the programs that change them. Closing the
 * student frees the programs; the state stays in the engine until the engine is closed.
 */
export interface Student extends Closable {
  /** Optimizer steps taken or skipped. */
  readonly step: number;
  /** A factor of every learning rate; 1 unless a state was restored with another one. */
  readonly learningRateScale: number;
  /** Begin from fresh params and buffers, or from given ones. Throws {@link CheckpointError} when those do not fit the model. */
  init(key: Key, params?: NamedArrays): Promise<void>;
  /**
   * Compile the programs of a step of `numBatches` batches without teachers, and then in the background those for 1 to
   * `maxTeachers` teachers (8 at most): a step waits only when the program it needs is not ready.
   */
  prepare(maxTeachers: number, numBatches: number): Promise<void>;
  /** Put back a saved state. Throws {@link CheckpointError} when it does not fit the model. */
  restore(state: StudentState, step: number, learningRateScale?: number): Promise<void>;
  /**
   * One optimizer step on one batch (or its sub-batches), pulled towards the teachers' mean by `distillWeight`, which joins the
   * label loss by `mix` where that is given, and else as the learner says. When a
   * loss or the norm of the gradient is not finite, params and optimizer state stay as they are and the step is skipped.
   *
   * When the signal cancels it, it rejects with the signal's reason, and the student is as it was before the step.
   */
  learn<T extends Teacher>(
    batches: readonly NamedArrays[],
    teachers: readonly T[],
    distillWeight: number,
    signal?: AbortSignal,
    mix?: Distillation["mix"],
  ): Promise<StepMetrics & Taught<T>>;
  /** Copies of the params and buffers, by their own names. */
  params(): Promise<NamedArrays>;
  /**
   * Copies of the weights that would be shipped: the average of the params where there is one, else the params; and the
   * buffers.
   */
  shipped(): Promise<NamedArrays>;
  /** A copy of the whole state. */
  state(): Promise<StudentState>;
}

/**
 * A student on an engine; call `init` or `restore` before the first step.
 *
 * @example
 * import { adam, binary, constantSchedule, engineStudent, float32, mlp, rootKey } from "codistill";
 * import { onnxRuntimeEngine } from "codistill/node";
 * const model = mlp({ categorical: {}, numeric: { x: { mean: 0, std: 1 } }, hidden: [8] });
 * const engine = onnxRuntimeEngine({ threads: 1 });
 * const learner = { model, objective: binary, optimizer: adam(constantSchedule(0.01)) };
 * const student = engineStudent({ engine, learner });
 * await student.init(rootKey(1));
 * const batch = { "features.x": float32([-1, 0.5, 2]), labels: float32([0, 1, 1]) };
 * const { labelLoss } = await student.learn([batch], [], 0);
 * console.log(labelLoss, await student.params());
 * await student.close();
 * await engine.close();
 */
export function engineStudent({
  engine,
  learner,
  key: seed = rootKey(0),
  accumulate = 1,
  fixedWeights,
  crew,
}: StudentOptions): Student {
  const fixed = fixedTensors(learner, fixedState(learner, fixedWeights));
  let isFixedKept = false;
  const specs = stateSpecs(learner);
  const fused = fusedStepper(engine, learner);
  const split = splitStepper(engine, learner, crew && { comm: crew.comm, updater: crew.updater });
  const numWorkers = crew?.comm.size ?? 1;
  const stepperOf = (numParts: number) => (numParts * numWorkers === 1 ? fused : split);
  let step = 0;
  let learningRateScale = 1;
  let taught: readonly Teacher[] = [];
  const states = statesOf(engine, learner, accumulate, crew);

  /** What a step changes, of all that the workers compute with. */
  const weightNames = Object.keys(weightState(learner.model, weightSpecs(learner.model)));

  async function teach(teachers: readonly Teacher[]): Promise<void> {
    await states.place(readersOf(teachers));
    for (const [slot, teacher] of teachers.entries()) {
      if (taught[slot]?.digest === teacher.digest) continue;
      const weights = teacherTensors(learner, slot, teacher.params);
      await engine.write(weights, { memory: "lent" });
      await crew?.give(Object.keys(weights));
    }
    taught = teachers;
  }

  /** Begin from arrays without states, and from saved states or fresh ones. */
  async function put(
    [own, saved]: readonly [NamedArrays, NamedArrays | null],
    atStep: number,
    scale: number,
    options: WriteOptions,
  ): Promise<void> {
    checkFit("the saved state", own, specs, SAME_CONFIGURATION);
    await states.restore(saved);
    if (!isFixedKept && Object.keys(fixed).length > 0) {
      await engine.write(fixed, { memory: "lent" });
      await crew?.give(Object.keys(fixed));
    }
    isFixedKept = true;
    await engine.write(own, options);
    if (crew && crew.updater !== engine) await crew.updater.adopt(await engine.share(Object.keys(specs)));
    await crew?.give(weightNames);
    step = atStep;
    learningRateScale = scale;
  }

  /** The value of a schedule now. */
  function valueNow(schedule: Schedule, name: string): number {
    return name === "learningRate" ? schedule(step) * learningRateScale : schedule(step);
  }

  const student: Omit<Student, keyof Closable> = {
    get step() {
      return step;
    },
    get learningRateScale() {
      return learningRateScale;
    },
    init: (own, given) => put([initialState(learner, own, given), null], 0, 1, { memory: "given" }),
    async restore(state, atStep, scale = 1) {
      const [own, saved] = [false, true].map((ofStates) =>
        Object.fromEntries(Object.entries(state).filter(([name]) => isState(name) === ofStates)),
      );
      await put([own ?? {}, saved ?? {}], atStep, scale, {});
    },
    prepare: (maxTeachers, numBatches) => stepperOf(numBatches).prepare(maxTeachers),
    async learn(batches, teachers, distillWeight, signal, mix) {
      if (batches.length === 0) throw new Error("internal: a step needs at least one batch");
      if (learner.model.state && batches.length !== accumulate) {
        throw new ConfigError(
          `a step of a model that carries a state takes as many batches as the student was made for (accumulate), each of which goes on with its own: ${accumulate}, got ${batches.length}`,
        );
      }
      await teach(teachers);
      const values = mapValues(learner.optimizer.scalars, valueNow);
      signal?.throwIfAborted();
      const takeStep = () =>
        stepperOf(batches.length).run({
          parts: partsOf(learner, batches, { seed, step, numTeachers: teachers.length, states }, crew?.comm),
          numTeachers: teachers.length,
          distillWeight,
          mix,
          scalars: mapValues(values, scalar),
          // A step that others take too comes to its end: they cannot be called off.
          signal: crew ? undefined : signal,
        });
      const order = { step, teachers: readersOf(teachers), distillWeight, ...(mix && { mix }), scalars: values };
      const { record, workers, ...after } = await (crew
        ? crew.lead({ kind: "step", cursor: crew.cursor(), ...order }, takeStep)
        : takeStep());
      if (after.states) states.keep(after.states);
      await crew?.give(weightNames);
      step++;
      return metricsOf(record, { learningRate: values.learningRate, numTeachers: teachers.length, workers });
    },
    params: () => readWeights(engine, learner.model, stateNames.params),
    shipped: () => readWeights(engine, learner.model, shippedName(learner)),
    state: async () => ({ ...(await engine.read(Object.keys(specs))), ...(await states.read()) }),
  };
  return closable(student, async () => {
    await Promise.all([fused.close(), split.close()]);
  });
}

function readersOf(teachers: readonly Teacher[]): readonly number[] {
  return teachers.map(({ group, reader = group }) => reader);
}

/** The states of a student of so many batches a step, of which the other workers of its crew have theirs. */
function statesOf(engine: Engine, learner: Learner, accumulate: number, crew: Crew | undefined): States {
  if (!learner.model.state || (accumulate === 1 && !crew)) return engineStates(engine, learner);
  const own = partStates(learner, accumulate, crew?.comm);
  if (!crew) return own;
  return {
    ...own,
    read: () => crew.lead({ kind: "readStates" }, own.read),
    restore: (saved) =>
      crew.lead({ kind: "restoreStates", teachers: saved ? taughtIn(saved) : [] }, () => own.restore(saved)),
  };
}

/** By what each part of a step draws and goes on. */
interface PartSources {
  readonly seed: Key;
  readonly step: number;
  readonly numTeachers: number;
  readonly states?: Pick<States, "feeds">;
}

/**
 * Batches with what else each part of the step is fed: its states, of a model that draws a key of its own, and the copy of its rows
 * that teachers see where that is a fresh one. What is drawn depends on the number of the part in the step, whoever takes it.
 */
export function partsOf(
  learner: Learner,
  batches: readonly NamedArrays[],
  { seed, step, numTeachers, states }: PartSources,
  { rank, size }: Pick<Communicator, "rank" | "size"> = { rank: 0, size: 1 },
): readonly NamedArrays[] {
  const { isRandom = false } = learner.model;
  const before = states?.feeds() ?? [];
  return batches.map((batch, i) => {
    const key = fold(fold(seed, step), i * size + rank);
    return {
      ...batch,
      ...before[i],
      ...(isRandom && { [keyName]: int32([key.hi | 0, key.lo | 0]) }),
      ...(numTeachers > 0 && freshFeeds(learner, batch, fold(key, "fresh inputs"))),
    };
  });
}
