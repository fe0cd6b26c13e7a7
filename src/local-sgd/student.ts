/** The student of local SGD and of DiLoCo: workers that take steps of their own, and now and then share their params. */
import { soleWorker } from "../comm/communicator.js";
import type { Engine } from "../engine/engine.js";
import { CheckpointError } from "../errors.js";
import { checkFit, SAME_CONFIGURATION } from "../nn/fit.js";
import { bytesOf, copyOf, type NamedArrays } from "../runtime/array.js";
import { type Closable, closable } from "../runtime/closable.js";
import { viewsIn } from "../runtime/flat.js";
import { mapValues, underPrefix, withPrefix } from "../runtime/named.js";
import type { Key } from "../runtime/random.js";
import type { Crew, Order } from "../train/crew.js";
import { type Learner, shippedName, stateNames } from "../train/graphs.js";
import { engineStudent, type Student } from "../train/student.js";
import { broadcastWhole, bytesOfExchange, parcel, sharedSpecs } from "./exchange.js";
import { everyonesMetrics } from "./metrics.js";
import { type OuterStep, outerStep, toTheMean } from "./outer-step.js";

export interface LocalOptions {
  readonly engine: Engine;
  readonly learner: Learner;
  /** As of {@link engineStudent}: that of the worker that leads. */
  readonly key: Key;
  readonly accumulate: number;
  /** The other workers, which follow as `followApart` does; none by default. */
  readonly crew?: Crew | undefined;
  /** Steps between two exchanges. */
  readonly localSteps: number;
  /** The last step, after which there is an exchange too. */
  readonly numSteps: number;
  readonly outer: OuterStep;
}

export interface LocalStudent extends Student {
  /** Do some work while the engine that validates has the params that all share, as they were after the last exchange. */
  showing<T>(work: () => Promise<T>): Promise<T>;
}

/** Prefixes of what a checkpoint has beside the state of worker 0: what all share, the outer momentum, and each other worker's state. */
const names = { shared: "shared", outer: "outer", worker: (rank: number) => `workers.${rank}` } as const;
const isOfGroup = (name: string) => /^(shared|outer|workers)\./.test(name);

/**
 * A student of several workers (Stich 2018, "Local SGD converges fast and communicates little"; Douillard et al. 2023, "DiLoCo"):
 *
 *     each worker i, on its own part of the data:
 *         theta_i = own optimizer's step(theta_i)             for localSteps steps
 *     theta   = outer step(theta, mean over i of theta_i)
 *     theta_i = theta
 *
 * Optimizer states stay where they are. Buffers of the model, and the average of the params where there is one, become their mean. What
 * is validated and shipped are the params that all share.
 */
export function localStudent(options: LocalOptions): LocalStudent {
  const { engine, learner, key, accumulate, crew, localSteps, numSteps, outer } = options;
  const comm = crew?.comm ?? soleWorker();
  const own = engineStudent({ engine, learner, key, accumulate });
  const parts = parcel(engine, learner);
  const specs = sharedSpecs(learner);
  const shared = new Float32Array(parts.flat.length);
  const sharedArrays = viewsIn(shared, specs);
  const numParams = parts.params.length;
  const velocity = outer.momentum > 0 ? new Float32Array(numParams) : undefined;
  const velocityArrays = velocity ? viewsIn(velocity, learner.model.params) : {};
  /** Whether worker 0 has what all share: it has taken no step since. */
  let isShared = true;

  const lead = <T>(order: Order, part: () => Promise<T>): Promise<T> => (crew ? crew.lead(order, part) : part());

  /** Let the other workers go on from these states. */
  async function give(states: readonly NamedArrays[]): Promise<void> {
    const { step, learningRateScale } = own;
    await lead({ kind: "restoreStates", teachers: [] }, async () => {
      for (const state of states) await broadcastWhole(comm, 0, { state, step, learningRateScale });
    });
  }

  /** The states of the other workers, in the order of their ranks. */
  function others(): Promise<readonly NamedArrays[]> {
    return lead({ kind: "readStates" }, async () => {
      const states: NamedArrays[] = [];
      for (let rank = 1; rank < comm.size; rank++) states.push((await broadcastWhole(comm, rank)).state);
      return states;
    });
  }

  async function exchange() {
    const started = performance.now();
    await lead({ kind: "exchange" }, async () => {
      await parts.pack();
      await comm.reduce(parts.flat, 0);
      const range = (from: number, to?: number) => {
        return { shared: shared.subarray(from, to), sum: parts.flat.subarray(from, to), numWorkers: comm.size };
      };
      outerStep({ ...range(0, numParams), velocity }, outer);
      outerStep(range(numParams), toTheMean);
      await comm.broadcast(bytesOf(shared), 0);
      await engine.write(sharedArrays);
    });
    isShared = true;
    return { bytes: bytesOfExchange(comm.size, parts), seconds: (performance.now() - started) / 1000 };
  }

  /** Copies of what all share, by the names of the model's. */
  function sharedWeights(prefix: string): NamedArrays {
    const copies = mapValues(sharedArrays, copyOf);
    return { ...underPrefix(prefix, copies), ...underPrefix(stateNames.buffers, copies) };
  }

  const student: Omit<LocalStudent, keyof Closable> = {
    get step() {
      return own.step;
    },
    get learningRateScale() {
      return own.learningRateScale;
    },
    async init(from, given) {
      await own.init(from, given);
      await parts.pack();
      shared.set(parts.flat);
      velocity?.fill(0);
      isShared = true;
      const state = await own.state();
      await give(Array.from({ length: comm.size - 1 }, () => state));
    },
    prepare: (_, numBatches) => own.prepare(0, numBatches),
    async restore(state, step, scale = 1) {
      const numWorkers = 1 + Object.keys(byWorker(state)).length;
      if (numWorkers !== comm.size) {
        throw new CheckpointError(
          `workers with params of their own go on as many as they were: the checkpoint has the params and optimizer states of ${numWorkers}, and this group has ${comm.size}. Set workers to ${numWorkers}, or start a new run.`,
        );
      }
      const [ofAll, ofOuter] = [underPrefix(names.shared, state), underPrefix(names.outer, state)];
      checkFit("what the saved state says that workers share", ofAll, specs, SAME_CONFIGURATION);
      checkFit("the saved outer momentum", ofOuter, velocity ? learner.model.params : {}, SAME_CONFIGURATION);
      await own.restore(Object.fromEntries(Object.entries(state).filter(([name]) => !isOfGroup(name))), step, scale);
      for (const [name, { data }] of Object.entries(ofAll)) sharedArrays[name]?.data.set(data as Float32Array);
      for (const [name, { data }] of Object.entries(ofOuter)) velocityArrays[name]?.data.set(data as Float32Array);
      isShared = false;
      await give(Object.values(byWorker(state)));
    },
    async learn(batches, teachers, _, signal) {
      if (teachers.length > 0) throw new Error("internal: workers with params of their own have no teachers");
      const take = async () => {
        const started = performance.now();
        // A step that others take too comes to its end: they cannot be called off.
        const metrics = await own.learn(batches, [], 0, crew ? undefined : signal);
        return everyonesMetrics(comm, metrics, started);
      };
      const step = { kind: "step", step: own.step, teachers: [], distillWeight: 0, scalars: {} } as const;
      const metrics = await (crew ? crew.lead({ ...step, cursor: crew.cursor() }, take) : take());
      isShared = false;
      if (own.step % localSteps !== 0 && own.step !== numSteps) return metrics;
      return { ...metrics, exchange: await exchange() };
    },
    params: async () => sharedWeights(stateNames.params),
    shipped: async () => sharedWeights(shippedName(learner)),
    async state() {
      const mine = await own.state();
      const theirs = (await others()).map((state, i) => withPrefix(names.worker(i + 1), state));
      const copies = (arrays: NamedArrays, prefix: string) => withPrefix(prefix, mapValues(arrays, copyOf));
      return Object.assign(
        { ...mine, ...copies(sharedArrays, names.shared), ...copies(velocityArrays, names.outer) },
        ...theirs,
      );
    },
    async showing(work) {
      const shown = crew?.updater ?? engine;
      if (isShared && shown === engine) return work();
      await parts.pack();
      await shown.write(sharedArrays);
      try {
        return await work();
      } finally {
        if (shown === engine) await parts.unpack();
      }
    },
  };
  return closable(student, own.close);
}

/** The states of the workers beside worker 0, by rank, of a saved state. */
function byWorker(state: NamedArrays): Readonly<Record<string, NamedArrays>> {
  const ranks = new Set(Object.keys(state).flatMap((name) => /^workers\.(\d+)\./.exec(name)?.[1] ?? []));
  return Object.fromEntries([...ranks].map((rank) => [rank, underPrefix(names.worker(Number(rank)), state)]));
}
