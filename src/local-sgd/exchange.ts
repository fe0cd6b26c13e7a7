/** What workers with weights of their own give one another: their weights at each exchange, and for checkpoints all that they have. */
import type { Communicator } from "../comm/communicator.js";
import { broadcastJson } from "../comm/together.js";
import type { Engine } from "../engine/engine.js";
import { weightSpecs } from "../nn/model.js";
import { bytesOf, type NamedArrays } from "../runtime/array.js";
import { flatLength, memoryFor, type NamedShapes, viewsIn } from "../runtime/flat.js";
import { mapValues, withPrefix } from "../runtime/named.js";
import { fold, type Key } from "../runtime/random.js";
import { type Learner, stateNames, weightState } from "../train/graphs.js";

/** The weights of a learner, under the names that they have in an engine: params, then buffers, then the average of the params. */
export function sharedSpecs({ model, ema }: Learner): NamedShapes {
  return { ...weightState(model, weightSpecs(model)), ...(ema && withPrefix(stateNames.ema, model.params)) };
}

/** A worker's weights on their way, one array after the other. */
export interface Parcel {
  /** All of them, and the first ones, which are the params. */
  readonly flat: Float32Array;
  readonly params: Float32Array;
  /** The same memory, by the names that the weights have in an engine. */
  readonly arrays: NamedArrays;
  /** Take the weights out of the engine, and put them into it. */
  pack(): Promise<void>;
  unpack(): Promise<void>;
}

export function parcel(engine: Engine, learner: Learner): Parcel {
  const specs = sharedSpecs(learner);
  const names = Object.keys(specs);
  const flat = new Float32Array(flatLength(specs));
  const arrays = viewsIn(flat, specs);
  return {
    flat,
    params: flat.subarray(0, flatLength(learner.model.params)),
    arrays,
    async pack() {
      for (const [name, { data }] of Object.entries(await engine.read(names)))
        arrays[name]?.data.set(data as Float32Array);
    },
    unpack: () => engine.write(arrays),
  };
}

/** Bring a worker's weights to worker 0, where they are added up, and let it have what worker 0 makes of the sum. Called by the others. */
export async function bring(comm: Communicator, own: Parcel): Promise<void> {
  await own.pack();
  await comm.reduce(own.flat, 0);
  await comm.broadcast(bytesOf(own.flat), 0);
  await own.unpack();
}

/** Bytes that go between so many workers at an exchange: all but worker 0 send theirs, and are sent the result. */
export function bytesOfExchange(numWorkers: number, { flat }: Pick<Parcel, "flat">): number {
  return 2 * (numWorkers - 1) * flat.byteLength;
}

/** All that a student has: its state as a checkpoint has it, its step, and the factor of its learning rate. */
export interface Whole {
  readonly state: NamedArrays;
  readonly step: number;
  readonly learningRateScale: number;
}

/** What worker `root` gives, at all workers. Throws {@link WorkerError} when a worker is lost. */
export async function broadcastWhole(comm: Communicator, root: number, given?: Whole): Promise<Whole> {
  const own = given && { ...given, state: mapValues(given.state, ({ shape }) => ({ shape })) };
  const { state: layouts, ...numbers } = await broadcastJson(comm, root, own);
  const { memory, arrays } = memoryFor(layouts, given?.state);
  await comm.broadcast(memory as Uint8Array<ArrayBuffer>, root);
  return { ...numbers, state: arrays };
}

/** By what the students of workers draw, dropout for example: the first one by the key of the group. */
export function workerKey(key: Key, rank: number): Key {
  return rank === 0 ? key : fold(key, `worker ${rank}`);
}
