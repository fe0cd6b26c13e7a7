/** What each worker does in a test of the communicator suite. A job runs on a thread or in a process of its own, so it comes by name. */
import { createHash } from "node:crypto";
import type { Communicator, Summable } from "../../src/comm/communicator.js";
import { codeOf, messageOf } from "../../src/errors.js";
import { fold, rootKey, uniform } from "../../src/runtime/random.js";

/** Numbers of the memory of each worker. */
export const MEMORY_FLOATS = 70_000;
export const LENGTHS = [0, 1, 2, 5, 4096, 4097, 70_000];
/** Seconds after which a worker gives up one that does not come. */
const TIMEOUT_SECONDS = 2;
/** The same where all come, whenever a busy machine lets them. */
const PATIENT_SECONDS = 240;

/** The numbers that a worker brings: of many sizes, so that their order changes the sum. */
export function numbersOf(rank: number, length: number): Float32Array {
  const drawn = uniform(fold(fold(rootKey(3), rank), length), length);
  return Float32Array.from(drawn, (value, i) => (2 * value - 1) * 10 ** ((i % 7) - 3));
}

export function digestOf(numbers: Summable | Uint8Array): string {
  const bytes = new Uint8Array(numbers.buffer as ArrayBuffer, numbers.byteOffset, numbers.byteLength);
  return createHash("sha256").update(bytes).digest("hex");
}

type Job = (comm: Communicator) => Promise<unknown>;

async function errorOf(call: Promise<unknown>): Promise<readonly [code: string | null, message: string] | null> {
  try {
    await call;
    return null;
  } catch (error) {
    return [codeOf(error), messageOf(error)];
  }
}

export const jobs = {
  place: async ({ rank, size, memory }) => ({ rank, size, length: memory.length }),
  sums: async (comm) => {
    const digests: string[] = [];
    for (const length of LENGTHS) {
      const elsewhere = numbersOf(comm.rank, length);
      await comm.allReduce(elsewhere);
      const inMemory = comm.memory.subarray(0, length);
      inMemory.set(numbersOf(comm.rank, length));
      await comm.allReduce(inMemory);
      digests.push(digestOf(elsewhere), digestOf(inMemory));
    }
    return digests;
  },
  "sums of a part of the memory": async (comm) => {
    comm.memory.fill(comm.rank + 1);
    await comm.allReduce(comm.memory.subarray(100, 20_101));
    return [99, 100, 20_100, 20_101].map((at) => comm.memory[at]);
  },
  "sums at one worker": async (comm) => {
    const digests: string[] = [];
    for (let root = 0; root < comm.size; root++) {
      const inMemory = comm.memory.subarray(0, 4097);
      inMemory.set(numbersOf(comm.rank, 4097));
      await comm.reduce(inMemory, root);
      if (comm.rank === root) digests.push(digestOf(inMemory));
      await comm.barrier();
    }
    return digests;
  },
  "sums of float64": async (comm) => {
    const numbers = Float64Array.from([2 ** 53, 1, comm.rank === 0 ? 1 : -(2 ** 53) / 3, Number.NaN]);
    await comm.allReduce(numbers);
    return [...numbers].map(String);
  },
  "what is not finite": async (comm) => {
    const numbers = Float32Array.from([
      comm.rank === 0 ? Number.POSITIVE_INFINITY : 1,
      comm.rank === 0 ? Number.NaN : 1,
    ]);
    await comm.allReduce(numbers);
    return [...numbers].map(String);
  },
  broadcasts: async (comm) => {
    const found: string[] = [];
    for (const length of [0, 1, 65_536, 200_001]) {
      for (let root = 0; root < comm.size; root++) {
        const bytes = Uint8Array.from({ length }, (_, i) => (comm.rank === root ? i * 7 + root : 0) & 0xff);
        await comm.broadcast(bytes, root);
        found.push(digestOf(bytes));
      }
    }
    return found;
  },
  "many in a row": async (comm) => {
    const one = new Float32Array(3);
    let total = 0;
    for (let i = 0; i < 500; i++) {
      one.fill(comm.rank + i);
      await comm.allReduce(one);
      total += one[2] as number;
      if (i % 50 === 0) await comm.barrier();
    }
    return total;
  },
  "another number of elements": async (comm) => {
    const first = await errorOf(comm.allReduce(new Float32Array(comm.rank === 0 ? 8 : 9)));
    return [first, await errorOf(comm.barrier())];
  },
  "another call": (comm) => errorOf(comm.rank === 0 ? comm.barrier() : comm.allReduce(new Float32Array(4))),
  "a worker that gives up": async (comm) => {
    // One that is slow to leave the barrier may be told there.
    const early = await errorOf(comm.barrier());
    if (comm.rank === comm.size - 1) comm.abort("the disk of this worker is full");
    return early ?? errorOf(comm.allReduce(new Float32Array(4)));
  },
  "a worker that gives up with a code": async (comm) => {
    const early = await errorOf(comm.barrier());
    if (comm.rank === 0) comm.abort("optimizer: must be the same at all workers", "CONFIG");
    return early ?? errorOf(comm.broadcast(new Uint8Array(4), 0));
  },
  "a worker that does not come": async (comm) => {
    if (comm.rank === comm.size - 1) return null;
    return errorOf(comm.allReduce(new Float32Array(4)));
  },
  "a worker that does not come to be told": async (comm) =>
    comm.rank === 0 ? errorOf(comm.broadcast(new Uint8Array(4), 0)) : null,
  closed: async (comm) => {
    await comm.barrier();
    await comm.close();
    await comm.close();
    return errorOf(comm.barrier());
  },
} satisfies Readonly<Record<string, Job>>;

export type JobName = keyof typeof jobs;

/** The seconds that a worker waits in some jobs. */
export function timeoutOf(names: readonly string[]): number {
  return names.some((name) => name.startsWith("a worker that does not come" satisfies JobName))
    ? TIMEOUT_SECONDS
    : PATIENT_SECONDS;
}

/** Run a job by its name. */
export function runJob(name: string, comm: Communicator): Promise<unknown> {
  return (jobs as Readonly<Record<string, Job>>)[name]?.(comm) ?? Promise.reject(new Error(`no job ${name}`));
}
