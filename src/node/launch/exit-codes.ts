/**
 * How our processes end: the signals that stop them, and their exit codes. A process stopped by a signal exits with
 * 128 + its number, as in a shell; one that has saved all after a notice of a batch system exits with 0.
 */
import { constants } from "node:os";
import { CodistillError, StoreError, WorkerError } from "../../errors.js";

/** Training or saving failed, or a defect of ours. */
export const FAILED = 1;

/** The user's input was refused: started again it would be refused again. */
export const REFUSED = 2;

/** The exit code of a group's process whose training failed: a store that failed and workers that were lost may do better another time. */
export function codeOfTraining(error: unknown): number {
  const mayHelpAgain = error instanceof StoreError || error instanceof WorkerError;
  return error instanceof CodistillError && !mayHelpAgain ? REFUSED : FAILED;
}

/** Signals that make a run save and stop; a second of them ends it at once. */
const STOP_SIGNALS = ["SIGHUP", "SIGINT", "SIGTERM"] as const;

/**
 * Signals that batch systems send before the end of a job's time: they make a run save and stop too, but a second one
 * does not end it at once.
 */
const EARLY_SIGNALS = ["SIGUSR1", "SIGUSR2"] as const;

/** Whether a signal is how batch systems and spot machines announce the end, so that to save and go is what was asked. */
const isNotice = (signal: NodeJS.Signals | null) =>
  signal === "SIGTERM" || signal === "SIGUSR1" || signal === "SIGUSR2";

/** The exit code of a process that a signal stopped. */
export const stoppedBy = (signal: NodeJS.Signals) => 128 + constants.signals[signal];

/** A request to stop, which signals make. */
export interface Stop {
  readonly signal: AbortSignal;
  /** The signal that came last; null before any came. */
  by(): NodeJS.Signals | null;
  /** Say that all is saved: the exit code is then 0, if the signal was a notice. Until then it is that of the signal. */
  hasSaved(): void;
  /** Restore the default action of the signals, when nothing that follows must be saved. */
  free(): void;
}

/**
 * The first Ctrl-C (or SIGTERM, or the end of the terminal) saves and stops; the second one ends the process at once.
 * SIGUSR1 and SIGUSR2 save and stop too; a SIGTERM after them, as batch systems send it, does not count as a second
 * one.
 */
export function stopOnSignals(): Stop {
  const stop = new AbortController();
  let numWishes = 0;
  let last: NodeJS.Signals | null = null;
  const wish = (signal: NodeJS.Signals) => {
    last = signal;
    process.exitCode = stoppedBy(signal);
    stop.abort();
  };
  const wishOrLeave = (signal: NodeJS.Signals) => {
    if (numWishes++ > 0) process.exit(stoppedBy(signal));
    wish(signal);
  };
  for (const signal of STOP_SIGNALS) process.on(signal, wishOrLeave);
  for (const signal of EARLY_SIGNALS) process.on(signal, wish);
  return {
    signal: stop.signal,
    by: () => last,
    hasSaved() {
      if (isNotice(last)) process.exitCode = 0;
    },
    free() {
      for (const signal of STOP_SIGNALS) process.off(signal, wishOrLeave);
      for (const signal of EARLY_SIGNALS) process.off(signal, wish);
    },
  };
}
