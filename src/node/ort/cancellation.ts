/** Cancels a run from another thread than the one that runs it. */
import type { Pointer } from "./c-api.js";

/** The state that the two threads share; plain data that can be sent between them. */
export interface CancellationState {
  /** The flags `mayUpdate`, `isReached` and `isTaken` of `guard` (engine/plan.ts). */
  readonly flags: Uint8Array<SharedArrayBuffer>;
  /** The run's `OrtRunOptions`; null where the library cannot be told to end a run. */
  readonly runOptions: Pointer | null;
}

/** Where each flag is. */
export const FLAGS = { mayUpdate: 0, isReached: 1, isTaken: 2 } as const;

/** The value of a flag that the run has not written yet. */
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

/** The cancellation of one run at a time. */
export interface Cancellation {
  readonly place: CancellationState;
  /** Cancel the run, whether it has begun or not, unless it may be updating. */
  cancel(): void;
  /** Make ready for another run, when the one before has ended. */
  reset(): void;
  /** Free its resources, when no run with it is under way or can begin. */
  free(): void;
}

/** A cancellation; without a terminator it only stops runs that have not begun. */
export function runCancellation(terminator: Terminator | null): Cancellation {
  const flags = readyFlags(new Uint8Array(new SharedArrayBuffer(3)));
  const place = { flags, runOptions: terminator?.runOptions ?? null };
  return {
    place,
    cancel() {
      // The order matters: see `guard` (engine/plan.ts).
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

/** Set the flags of a run that is not cancelled. */
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

/** The error of a cancelled run; the caller replaces it by the reason of its signal. */
export function cancelled(): Error {
  return new Error("internal: the run was cancelled");
}
