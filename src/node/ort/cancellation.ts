/** What cancels a run from another thread than the one that is in it. */
import type { Pointer } from "./c-api.js";

/** What the two threads share; plain data that may travel between them. */
export interface CancellationState {
  /** `mayUpdate`, `isReached`, `isTaken`: see `guard`. */
  readonly flags: Uint8Array<SharedArrayBuffer>;
  /** The run's `OrtRunOptions`; null where the library cannot be told to end a run. */
  readonly runOptions: Pointer | null;
}

/** Where each flag is. */
export const FLAGS = { mayUpdate: 0, isReached: 1, isTaken: 2 } as const;

/** Of a flag that the run has not written. */
const NOT_YET = 2;

/** Ends runs with some options, from any thread. */
export interface Terminator {
  readonly runOptions: Pointer;
  terminate(): void;
  /** Let runs with these options go on again. */
  reset(): void;
  /** Release the options, which must outlive every run with them. */
  free(): void;
}

/** For one run at a time. */
export interface Cancellation {
  readonly place: CancellationState;
  /** Cancel the run, whether it has begun or not, unless it may be updating. */
  cancel(): void;
  /** Make ready for another run, when the one before has ended. */
  reset(): void;
  /** Release what it holds, when no run with it can be under way or begin. */
  free(): void;
}

/** A cancellation; without a terminator it only stops runs that have not begun. */
export function runCancellation(terminator: Terminator | null): Cancellation {
  const flags = readyFlags(new Uint8Array(new SharedArrayBuffer(3)));
  const place = { flags, runOptions: terminator?.runOptions ?? null };
  return {
    place,
    cancel() {
      // In this order: see `guard`.
      Atomics.store(flags, FLAGS.mayUpdate, 0);
      if (Atomics.load(flags, FLAGS.isReached) === NOT_YET) terminator?.terminate();
    },
    reset() {
      if (isCancelled(place)) terminator?.reset();
      readyFlags(flags);
    },
    free: () => terminator?.free(),
  };
}

/** Flags of a run that nobody has cancelled. */
export function readyFlags<B extends ArrayBufferLike>(flags: Uint8Array<B>): Uint8Array<B> {
  Atomics.store(flags, FLAGS.isReached, NOT_YET);
  Atomics.store(flags, FLAGS.isTaken, NOT_YET);
  Atomics.store(flags, FLAGS.mayUpdate, 1);
  return flags;
}

/** Whether the run was cancelled. */
export function isCancelled({ flags }: CancellationState): boolean {
  return Atomics.load(flags, FLAGS.mayUpdate) === 0;
}

/** Whether the run came to its end and would have updated, had it not been cancelled. */
export function isPrevented({ flags }: CancellationState): boolean {
  return Atomics.load(flags, FLAGS.isReached) === 1 && Atomics.load(flags, FLAGS.isTaken) === 0;
}

/** What a cancelled run ends with; whoever cancelled it says why. */
export function cancelled(): Error {
  return new Error("internal: the run was cancelled");
}
