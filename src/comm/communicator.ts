/** Workers that take one step together: how they add up numbers, wherever they run. */
import { ClosedError, type ErrorCode } from "../errors.js";
import type { Closable } from "../runtime/closable.js";

/** Numbers that workers add up. */
export type Summable = Float32Array<ArrayBufferLike> | Float64Array<ArrayBufferLike>;

/**
 * One worker's side of a group of workers. All workers call the same operations in the same order; each call resolves once all
 * workers have called it. Calls of one worker are made one after the other.
 *
 * A worker that fails, or does not come in time, ends every call of every worker with a {@link WorkerError}: from then on the
 * communicator is broken for all, and nobody waits for ever.
 */
export interface Communicator extends Closable {
  /** This worker's number, from 0. Worker 0 leads. */
  readonly rank: number;
  /** How many workers there are. */
  readonly size: number;
  /**
   * Memory of this worker that the others reach: what lies there is added up without being copied. Its size was agreed on
   * when the communicator was made.
   */
  readonly memory: Float32Array<ArrayBufferLike>;
  /**
   * Put the sum over all workers in the place of each number. The sum is (x0 + x1) + x2 + ... in the order of ranks, each
   * addition rounded to the type of the array: so every worker has the same bits, however many threads or machines there are.
   *
   * @throws WorkerError when a worker fails, is lost, or brings another number of elements
   */
  allReduce(numbers: Summable): Promise<void>;
  /**
   * Put the sum over all workers, added up as {@link allReduce} does, in the place of worker `root`'s numbers; those of the others are
   * theirs to write again. Throws as {@link allReduce} does.
   */
  reduce(numbers: Summable, root: number): Promise<void>;
  /** Put the bytes of worker `root` in the place of everybody's, which are as many. Throws as {@link allReduce} does. */
  broadcast(bytes: Uint8Array<ArrayBufferLike>, root: number): Promise<void>;
  /** Wait until all workers are here. Throws as {@link allReduce} does. */
  barrier(): Promise<void>;
  /**
   * Break the communicator for all workers, for a reason that each of them is told: with an error of this code, of a
   * {@link WorkerError} by default.
   */
  abort(reason: string, code?: ErrorCode): void;
}

/** The same worker with memory for so many numbers, where no other process reaches it. */
export function withMemory<C extends Communicator>(comm: C, numFloats: number): C {
  return { ...comm, memory: new Float32Array(new SharedArrayBuffer(4 * numFloats)) };
}

/** The one worker of a group that has no other: its own numbers are the sums. */
export function soleWorker(): Communicator {
  const done = async () => {};
  return {
    rank: 0,
    size: 1,
    memory: new Float32Array(0),
    allReduce: done,
    reduce: done,
    broadcast: done,
    barrier: done,
    abort() {},
    close: done,
    [Symbol.asyncDispose]: done,
  };
}

/** The part of `length` numbers that worker `rank` of `size` adds up: of equal parts, but for the last ones. */
export function sliceOf(length: number, rank: number, size: number): { readonly start: number; readonly end: number } {
  return { start: Math.floor((length * rank) / size), end: Math.floor((length * (rank + 1)) / size) };
}

/** Add numbers to others, each rounded to the type of the array as it is stored. */
export function addTo(sums: Summable, terms: Summable): void {
  for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] as number) + (terms[i] as number);
}

/** The call of a worker, in words: of which operation, on how many bytes. */
type CallWords = readonly [rank: number, call: string | undefined, bytes: number, where?: string];

/** The reason to give for workers whose calls differ. */
export function differingCalls(
  [rank, call, bytes, where = ""]: CallWords,
  [other, its, itsBytes, at = ""]: CallWords,
): string {
  return (
    `workers call the same operations on as many numbers: worker ${rank} called ${call} of ${bytes} bytes${where}, ` +
    `and worker ${other} ${its} of ${itsBytes} bytes${at}`
  );
}

/** What a call of a closed communicator is answered. */
export function closedCommunicator(): ClosedError {
  return new ClosedError("a communicator must be open to be used, and this one was closed.");
}
