/** The student of asynchronous SGD: its steps are the gradients that workers bring, applied by parameter servers. */
import type { Mail } from "../comm/mail.js";
import type { Engine, WriteOptions } from "../engine/engine.js";
import { checkFit, SAME_CONFIGURATION } from "../nn/fit.js";
import { type NamedArrays, scalar } from "../runtime/array.js";
import { type Closable, closable } from "../runtime/closable.js";
import { mapValues } from "../runtime/named.js";
import { type Learner, shippedName, stateNames, sumSpecs } from "../train/graphs.js";
import { metricsOf, type StepMetrics } from "../train/step-metrics.js";
import type { Student, Taught, Teacher } from "../train/student.js";
import { initialState, readWeights, stateSpecs } from "../train/student-state.js";
import { serve } from "./async-sgd.js";
import type { Dealer, Dealt } from "./dealer.js";
import { desk } from "./desk.js";
import { endLetter, type Gradient, inSharedMemory, paramsLetter, readGradient, teacherLetter } from "./letters.js";
import type { ParameterServers } from "./servers.js";
import { counted, type StaleLearningRate, type StalenessCounts, staleRate } from "./staleness.js";

export interface AsyncOptions {
  /** The leader's engine, with the state that the servers share with it. */
  readonly engine: Engine;
  readonly learner: Learner;
  readonly mail: Mail;
  readonly servers: ParameterServers;
  /** Batches of one gradient. */
  readonly accumulate: number;
  /** How many workers are active at a step. */
  readonly activeAt: (step: number) => number;
  readonly maxStaleness?: number | undefined;
  readonly staleLearningRate: StaleLearningRate;
}

export interface AsyncStudent extends Student {
  /** Have these batches dealt to the workers, and go on from such counts. Called once, before the first step. */
  begin(dealer: Dealer, staleness: StalenessCounts): void;
  /** What a checkpoint has of the batches that were dealt. */
  dealt(): Dealt;
  /** How many gradients had each staleness. */
  staleness(): StalenessCounts;
}

/**
 * A student whose `learn` applies the next gradient of a worker. The batches that it is given are empty: workers read those that the
 * dealer deals. Workers have the teachers of the last call, and their gradients are told with the teachers that they had.
 */
export function asyncStudent(options: AsyncOptions): AsyncStudent {
  const { engine, learner, mail, servers, accumulate } = options;
  const specs = stateSpecs(learner);
  const sums = sumSpecs(learner.model);
  const own = desk<Gradient>({ ...options, deal: () => dealer().deal() });
  let batches: Dealer | null = null;
  let learningRateScale = 1;
  let staleness: StalenessCounts = [];
  /** Of each batch under way, the teachers of its gradient. */
  const sent = new Map<number, readonly Teacher[]>();
  /** Of each worker, the arrays in which it is sent params, and the digests of the teachers that it has. */
  const rooms = new Map<number, NamedArrays>();
  const taught = new Map<number, readonly string[]>();
  /** The weights of the teachers of now, by digest. */
  let teacherWeights = new Map<string, NamedArrays>();

  async function put(state: NamedArrays, step: number, scale: number, how: WriteOptions): Promise<void> {
    checkFit("the saved state", state, specs, SAME_CONFIGURATION);
    await engine.write(state, how);
    await servers.adopt();
    own.goBack(step);
    batches?.goBack();
    sent.clear();
    learningRateScale = scale;
  }

  function dealer(): Dealer {
    if (!batches) throw new Error("internal: the batches of asynchronous SGD are dealt from its beginning on");
    return batches;
  }

  /** Send a worker the teachers that it does not have. */
  function teach(worker: number, teachers: readonly Teacher[]): void {
    const before = taught.get(worker) ?? [];
    for (const [slot, { digest }] of teachers.entries()) {
      const weights = teacherWeights.get(digest);
      if (weights && before[slot] !== digest) mail.send(worker, teacherLetter({ slot, weights }));
    }
    taught.set(worker, [...teachers.map(({ digest }) => digest), ...before.slice(teachers.length)]);
  }

  async function receive(signal: AbortSignal | undefined): Promise<void> {
    const { from, letter } = await mail.next(signal);
    if (letter.kind === "pull") own.asked(from);
    else {
      const gradient = readGradient(letter, sums);
      own.brought(gradient.batch, gradient);
    }
  }

  const student: Omit<AsyncStudent, keyof Closable> = {
    get step() {
      return own.version;
    },
    get learningRateScale() {
      return learningRateScale;
    },
    begin(dealt, counts) {
      [batches, staleness] = [dealt, counts];
    },
    dealt: () => dealer().save(),
    staleness: () => staleness,
    init: (key, given) => put(initialState(learner, key, given), 0, 1, { memory: "given" }),
    restore: (state, step, scale = 1) => put(state, step, scale, {}),
    prepare: () => servers.prepare(),
    async learn<T extends Teacher>(
      _: readonly NamedArrays[],
      teachers: readonly T[],
      distillWeight: number,
      signal?: AbortSignal,
    ) {
      const kept = teachers.map(
        ({ digest, params }) => [digest, teacherWeights.get(digest) ?? inSharedMemory(params)] as const,
      );
      teacherWeights = new Map(kept);
      const values = mapValues(learner.optimizer.scalars, (schedule) => schedule(own.version));
      let metrics: (StepMetrics & Taught<T>) | undefined;
      await serve(
        {
          desk: own,
          receive,
          answer(worker, { batch }) {
            teach(worker, teachers);
            const weights = servers.copyWeights(rooms.get(worker));
            rooms.set(worker, weights);
            sent.set(batch, teachers);
            const cursor = dealer().cursorOf(batch);
            mail.send(worker, paramsLetter({ batch, cursor, numTeachers: teachers.length, distillWeight, weights }));
          },
          async update({ batch, compute, wait, record, sums }, stale, worker) {
            const whole = (values.learningRate ?? Number.NaN) * learningRateScale;
            const rate = staleRate(options.staleLearningRate, whole, stale);
            const scalars = { ...values, ...("learningRate" in values && { learningRate: rate }) };
            // The loop of a group gives teachers of one type.
            const taughtBy = (sent.get(batch) ?? []) as readonly T[];
            metrics = {
              ...metricsOf(record, { learningRate: rate, numTeachers: taughtBy.length }),
              taughtBy,
              gradient: { worker, staleness: stale, compute, wait },
            };
            if (metrics.skipped === null) {
              await servers.update(sums, mapValues(scalars, scalar), accumulate);
              staleness = counted(staleness, stale);
            }
            dealer().done(batch);
            sent.delete(batch);
          },
        },
        signal,
      );
      return metrics as StepMetrics & Taught<T>;
    },
    params: () => readWeights(engine, learner.model, stateNames.params),
    shipped: () => readWeights(engine, learner.model, shippedName(learner)),
    state: () => engine.read(Object.keys(specs)),
  };
  return closable(student, servers.close);
}

/** Tell all workers that this is the end. Called by the leader. */
export function sendEnd(mail: Mail): void {
  for (let worker = 1; worker < mail.size; worker++) mail.send(worker, endLetter);
}
