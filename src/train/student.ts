import type { Communicator } from "../comm/communicator.js";
import type { Engine, WriteOptions } from "../engine/engine.js";
import { CheckpointError } from "../errors.js";
import type { WorkerUse } from "../log/events.js";
import { checkFit, SAME_CONFIGURATION } from "../nn/fit.js";
import { initWeights, keyName, type Model, weightSpecs } from "../nn/model.js";
import type { Schedule } from "../optim/schedules.js";
import { copyOf, filled, int32, type NamedArrays, scalar } from "../runtime/array.js";
import { type Closable, closable } from "../runtime/closable.js";
import { mapValues, underPrefix, withPrefix } from "../runtime/named.js";
import { fold, type Key, rootKey } from "../runtime/random.js";
import type { Crew } from "./crew.js";
import { type Learner, shippedName, stateNames, weightState } from "./graphs.js";
import { fusedStepper, type StepRecord, splitStepper } from "./stepper.js";
import { teacherStates } from "./teacher-states.js";
import { type StudentStatistics, statisticNames, type TeacherStatistics } from "./teacher-statistics.js";

/** A teacher: weights that predict beside the student, and where they are from. */
export interface Teacher {
  /** The group that published them, and the step at which it did. */
  readonly group: number;
  readonly step: number;
  /** SHA-256 of the snapshot, in hex: teachers with the same digest are the same. */
  readonly digest: string;
  /** Its params, and the buffers of a model that has some; they do not change again. */
  readonly params: NamedArrays;
}

/** What one step reports; losses in nats per example. */
export interface StepMetrics {
  readonly labelLoss: number;
  /** psi, and psi less its least value; null without teachers. */
  readonly distillLoss: number | null;
  readonly divergence: number | null;
  /** Norm of the gradient of the whole loss, over all params. */
  readonly gradNorm: number;
  readonly learningRate: number;
  /** Which number was not finite, so that the step changed nothing. Null for a step that was taken. */
  readonly skipped: string | null;
  /** The statistics of the step's teachers, in their order, and of the student; null without teachers. */
  readonly statistics: { readonly teachers: readonly TeacherStatistics[]; readonly student: StudentStatistics } | null;
  /** How long each worker took, by rank; left out where one takes the step alone. */
  readonly workers?: readonly WorkerUse[];
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
  /** The other workers that take each step together with this one, which leads; none by default. */
  readonly crew?: Crew | undefined;
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
   * One optimizer step on one batch (or its sub-batches), pulled towards the teachers' mean by `distillWeight`. When a
   * loss or the norm of the gradient is not finite, params and optimizer state stay as they are and the step is skipped.
   *
   * When the signal cancels it, it rejects with the signal's reason, and the student is as it was before the step.
   */
  learn(
    batches: readonly NamedArrays[],
    teachers: readonly Teacher[],
    distillWeight: number,
    signal?: AbortSignal,
  ): Promise<StepMetrics>;
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
export function engineStudent({ engine, learner, key: seed = rootKey(0), crew }: StudentOptions): Student {
  const specs = stateSpecs(learner);
  const fused = fusedStepper(engine, learner);
  const split = splitStepper(engine, learner, crew && { comm: crew.comm, updater: crew.updater });
  const numWorkers = crew?.comm.size ?? 1;
  const stepperOf = (numParts: number) => (numParts * numWorkers === 1 ? fused : split);
  let step = 0;
  let learningRateScale = 1;
  let taught: readonly Teacher[] = [];
  const states = teacherStates(engine, learner.model);

  /** What a step changes, of all that the workers compute with. */
  const weightNames = Object.keys(weightState(learner.model, weightSpecs(learner.model)));

  async function teach(teachers: readonly Teacher[]): Promise<void> {
    await states.place(teachers.map(({ group }) => group));
    for (const [slot, teacher] of teachers.entries()) {
      if (taught[slot]?.digest === teacher.digest) continue;
      const weights = withPrefix(stateNames.teacher(slot), teacher.params);
      await engine.write(weights, { memory: "lent" });
      await crew?.give(Object.keys(weights));
    }
    taught = teachers;
  }

  async function put(state: StudentState, atStep: number, scale: number, options: WriteOptions): Promise<void> {
    const ofTeachers = underPrefix(TEACHER_STATE, state);
    const own = Object.entries(state).filter(([name]) => !name.startsWith(`${TEACHER_STATE}.`));
    checkFit("the saved state", Object.fromEntries(own), specs, SAME_CONFIGURATION);
    states.restore(ofTeachers);
    await engine.write(Object.fromEntries(own), options);
    if (crew && crew.updater !== engine) {
      // Each worker has a state of its own, of the rows that it reads.
      const shared = Object.keys(specs).filter((name) => !name.startsWith(`${stateNames.state}.`));
      await crew.updater.adopt(await engine.share(shared));
    }
    await crew?.give(weightNames);
    step = atStep;
    learningRateScale = scale;
  }

  async function modelUnder(prefix: string): Promise<NamedArrays> {
    const arrays = await engine.read(Object.keys(weightState(learner.model, weightSpecs(learner.model), prefix)));
    return { ...underPrefix(prefix, arrays), ...underPrefix(stateNames.buffers, arrays) };
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
    async init(own, given) {
      const weights = given ? mapValues(given, copyOf) : initWeights(learner.model, own);
      const optStateSpecs = learner.optimizer.stateSpec(learner.model.params);
      const optState = mapValues(optStateSpecs, ({ shape, fill }) => filled(shape, fill));
      const ema = learner.ema ? weightState(learner.model, mapValues(weights, copyOf), stateNames.ema) : {};
      const carried = withPrefix(stateNames.state, learner.model.state ?? {});
      const state = {
        ...weightState(learner.model, weights),
        ...withPrefix(stateNames.optState, optState),
        ...ema,
        ...mapValues(carried, ({ shape, fill }) => filled(shape, fill)),
      };
      await put(state, 0, 1, { memory: "given" });
    },
    restore: (state, atStep, scale = 1) => put(state, atStep, scale, {}),
    prepare: (maxTeachers, numBatches) => stepperOf(numBatches).prepare(maxTeachers),
    async learn(batches, teachers, distillWeight, signal) {
      if (batches.length === 0) throw new Error("internal: a step needs at least one batch");
      await teach(teachers);
      const values = mapValues(learner.optimizer.scalars, valueNow);
      signal?.throwIfAborted();
      const takeStep = () =>
        stepperOf(batches.length).run({
          parts: partsOf(learner.model, batches, { seed, step }, crew?.comm),
          numTeachers: teachers.length,
          distillWeight,
          scalars: mapValues(values, scalar),
          // A step that others take too comes to its end: they cannot be called off.
          signal: crew ? undefined : signal,
        });
      const groups = teachers.map(({ group }) => group);
      const order = { step, teachers: groups, distillWeight, scalars: values };
      const { record, workers } = await (crew
        ? crew.lead({ kind: "step", cursor: crew.cursor(), ...order }, takeStep)
        : takeStep());
      await crew?.give(weightNames);
      step++;
      const metrics = {
        labelLoss: record.get("labelLoss") ?? Number.NaN,
        distillLoss: record.get("distillLoss") ?? null,
        divergence: record.get("divergence") ?? null,
        gradNorm: Math.sqrt(record.get("squaredGradNorm") ?? Number.NaN),
        learningRate: values.learningRate ?? Number.NaN,
        statistics: statisticsOf(record, teachers.length),
        ...(workers.length > 0 && { workers }),
      };
      return { ...metrics, skipped: whySkipped(metrics) };
    },
    params: () => modelUnder(stateNames.params),
    shipped: () => modelUnder(shippedName(learner)),
    state: async () => ({
      ...(await engine.read(Object.keys(specs))),
      ...withPrefix(TEACHER_STATE, await states.read()),
    }),
  };
  return closable(student, async () => {
    await Promise.all([fused.close(), split.close()]);
  });
}

/** Batches with what a model that draws is fed: a key of its own for each part of the step. */
export function partsOf(
  { isRandom = false }: Pick<Model, "isRandom">,
  batches: readonly NamedArrays[],
  { seed, step }: { readonly seed: Key; readonly step: number },
  { rank, size }: Pick<Communicator, "rank" | "size"> = { rank: 0, size: 1 },
): readonly NamedArrays[] {
  if (!isRandom) return batches;
  return batches.map((batch, i) => {
    const { hi, lo } = fold(fold(seed, step), i * size + rank);
    return { ...batch, [keyName]: int32([hi | 0, lo | 0]) };
  });
}

/** The rule of the step graph, in words. */
function whySkipped({ labelLoss, distillLoss, gradNorm }: Omit<StepMetrics, "skipped">): string | null {
  const numbers = { "label loss": labelLoss, "distillation loss": distillLoss ?? 0, "gradient norm": gradNorm };
  const wrong = Object.entries(numbers).filter(([, value]) => !Number.isFinite(value));
  return wrong.length > 0 ? wrong.map(([name, value]) => `${name} ${value}`).join(", ") : null;
}

function statisticsOf(record: StepRecord, numTeachers: number): StepMetrics["statistics"] {
  if (numTeachers === 0) return null;
  const statistic = (name: string) => record.get(name) ?? Number.NaN;
  const teachers = Array.from({ length: numTeachers }, (_, slot) => ({
    loss: statistic(statisticNames.teacher(slot, "loss")),
    expectedLoss: statistic(statisticNames.teacher(slot, "expectedLoss")),
    variance: statistic(statisticNames.teacher(slot, "variance")),
    distance: statistic(statisticNames.teacher(slot, "distance")),
  }));
  return {
    teachers,
    student: { variance: statistic(statisticNames.variance), priorLoss: statistic(statisticNames.priorLoss) },
  };
}

/** The arrays of a learner's state, by the names under which the engine keeps them. */
function stateSpecs({ model, optimizer, ema }: Learner): Record<string, { readonly shape: readonly number[] }> {
  const optStateSpecs = withPrefix(stateNames.optState, optimizer.stateSpec(model.params));
  const weights = weightState(model, weightSpecs(model));
  const state = withPrefix(stateNames.state, model.state ?? {});
  return { ...weights, ...optStateSpecs, ...(ema && withPrefix(stateNames.ema, model.params)), ...state };
}

/** Under which prefix a saved state has those of the teachers, by group. */
const TEACHER_STATE = "teacherState";
